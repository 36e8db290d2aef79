"""Read of a receipt by its code: the sale with the course's title at that time, its refunds, and the buyer's name."""

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User, full_name
from lms_graphql.billing.models import Payment, Refund, RefundStatus, Transaction
from lms_graphql.billing.reads.sale_payments import USED_FOR_SALE
from lms_graphql.billing.receipts import Receipt, ReceiptRefund
from lms_graphql.catalog.models import Course
from lms_graphql.core.money import Money
from lms_graphql.core.statements import fetch_rows

_SALE = (
    select(
        Transaction.id,
        Transaction.transaction_id,
        Transaction.payment_method,
        Transaction.amount,
        Transaction.currency,
        func.coalesce(Transaction.completed_at, Transaction.created_at),
        func.coalesce(Transaction.description, Course.title),
        User.first_name,
        User.last_name,
        User.deleted_at,
    )
    .join(User, User.id == Transaction.user_id)
    .join(Course, Course.id == Transaction.course_id)
    .where(Transaction.receipt_code == bindparam("code"))
)
_FIRST_PAYMENT = (
    select(func.min(Payment.id))
    .where(Payment.transaction_id == bindparam("key"), Payment.outcome.in_(USED_FOR_SALE))
    .scalar_subquery()
)
"""The payment that completed the transaction. Refunds of further payments are not on its receipt."""
_REFUNDS = (
    select(Refund.amount, func.coalesce(Refund.completed_at, Refund.created_at))
    .where(
        Refund.transaction_id == bindparam("key"),
        Refund.status == RefundStatus.SUCCEEDED,
        Refund.payment_id == _FIRST_PAYMENT,
    )
    .order_by(Refund.completed_at, Refund.id)
)


def receipt_by_code(session: Session, code: str) -> Receipt | None:
    """Return the receipt, to any actor: who knows the code may see it."""
    sales = fetch_rows(session, _SALE, {"code": code})
    if not sales:
        return None
    key, reference, method, amount, currency, paid_at, title, *name = sales[0]
    refunds = [
        ReceiptRefund(Money(units, currency), refunded_at)
        for units, refunded_at in fetch_rows(session, _REFUNDS, {"key": key})
    ]
    return Receipt(reference, full_name(*name), title, method, Money(amount, currency), paid_at, refunds)
