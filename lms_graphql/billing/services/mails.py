"""Mails about money, and the codes of the PDFs to which they link.

Call each function in the transaction of its cause, after the row was changed and is locked.
"""

from sqlalchemy import Update, bindparam, select, update
from sqlalchemy.orm import Session

from lms_graphql.billing.ledger_models import InstructorPayout
from lms_graphql.billing.models import Refund, Transaction
from lms_graphql.core.codes import new_code
from lms_graphql.core.statements import execute_dml
from lms_graphql.mail.outbox import enqueue
from lms_graphql.settings import settings_of

RECEIPT_MAIL = "receipt"
REFUND_NOTICE_MAIL = "refund_notice"
TRANSFER_INSTRUCTIONS_MAIL = "transfer_instructions"
PAYOUT_STATEMENT_MAIL = "payout_statement"

_SET_RECEIPT_CODE = (
    update(Transaction)
    .where(Transaction.id == bindparam("key"), Transaction.receipt_code.is_(None))
    .values(receipt_code=bindparam("code"))
)
_SET_STATEMENT_CODE = (
    update(InstructorPayout)
    .where(InstructorPayout.id == bindparam("key"), InstructorPayout.statement_code.is_(None))
    .values(statement_code=bindparam("code"))
)
_BUYER = select(Transaction.user_id)


def enqueue_receipt(session: Session, transaction: Transaction) -> None:
    """Give a transaction that has just been paid its receipt, and enqueue the mail to the buyer.

    If it has a receipt already, change nothing. A purchase without a price has none.
    """
    if set_receipt_code(session, transaction):
        enqueue(session, RECEIPT_MAIL, user_key=transaction.user_id, transaction=transaction.id)


def set_receipt_code(session: Session, transaction: Transaction) -> bool:
    """Give a paid transaction its receipt, without a mail. Return False if it has one, or has no price."""
    return transaction.amount > 0 and _set_code(session, _SET_RECEIPT_CODE, transaction.id)


def enqueue_refund_notice(session: Session, refund: Refund) -> None:
    """Enqueue the mail to the buyer about a refund that has just SUCCEEDED."""
    buyer_key = session.scalar(_BUYER.where(Transaction.id == refund.transaction_id))
    enqueue(session, REFUND_NOTICE_MAIL, user_key=buyer_key, refund=refund.id)


def enqueue_transfer_instructions(session: Session, transaction: Transaction) -> None:
    """Enqueue the mail to the buyer on how to pay a PENDING transaction by bank transfer."""
    account = list(settings_of(session).bank_account)
    enqueue(
        session,
        TRANSFER_INSTRUCTIONS_MAIL,
        user_key=transaction.user_id,
        transaction=transaction.id,
        bank_account=account,
    )


def enqueue_payout_statement(session: Session, payout: InstructorPayout) -> None:
    """Give a payout that has just been PAID its statement, and enqueue the mail to the instructor.

    If it has a statement already, change nothing.
    """
    if _set_code(session, _SET_STATEMENT_CODE, payout.id):
        enqueue(session, PAYOUT_STATEMENT_MAIL, user_key=payout.instructor_id, payout=payout.id)


def _set_code(session: Session, statement: Update, key: int) -> bool:
    """Store a new code in a row, and return True. Return False if the row has one."""
    return execute_dml(session, statement, {"key": key, "code": new_code()}) == 1
