"""Read of a payout statement by its code: the payout and the earnings that it pays."""

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User, full_name
from lms_graphql.billing.ledger_models import Earning, InstructorPayout, PayoutItem
from lms_graphql.billing.models import Transaction
from lms_graphql.billing.receipts import Statement, StatementCourse, StatementEarning
from lms_graphql.catalog.models import Course
from lms_graphql.core.money import Money
from lms_graphql.core.statements import fetch_rows

MAX_EARNINGS = 1_000
"""Earnings that a statement lists. If there are more, it lists the sums of each course: rendering takes long."""

_PAYOUT = (
    select(
        InstructorPayout.id,
        InstructorPayout.payout_id,
        func.coalesce(InstructorPayout.processed_at, InstructorPayout.created_at),
        InstructorPayout.period_start,
        InstructorPayout.period_end,
        InstructorPayout.commission_rate,
        InstructorPayout.external_payout_id,
        InstructorPayout.amount,
        InstructorPayout.currency,
        User.first_name,
        User.last_name,
        User.deleted_at,
    )
    .join(User, User.id == InstructorPayout.instructor_id)
    .where(InstructorPayout.statement_code == bindparam("code"))
)
_ITEMS_OF_PAYOUT = (
    select(
        Earning.created_at,
        Course.title,
        Transaction.transaction_id,
        PayoutItem.net_amount,
        Earning.commission_rate,
        PayoutItem.amount,
    )
    .select_from(PayoutItem)
    .join(Earning, Earning.id == PayoutItem.earning_id)
    .join(Transaction, Transaction.id == Earning.transaction_id)
    .join(Course, Course.id == Transaction.course_id)
    .where(PayoutItem.payout_id == bindparam("key"))
)
_EARNINGS = _ITEMS_OF_PAYOUT.order_by(Earning.created_at, Earning.id).limit(MAX_EARNINGS + 1)
_COURSES = (
    _ITEMS_OF_PAYOUT.with_only_columns(
        Course.title, func.count(), func.sum(PayoutItem.net_amount), func.sum(PayoutItem.amount)
    )
    .group_by(Course.id, Course.title)
    .order_by(Course.title, Course.id)
)


def statement_by_code(session: Session, code: str) -> Statement | None:
    """Return the statement, to any actor: who knows the code may see it."""
    payouts = fetch_rows(session, _PAYOUT, {"code": code})
    if not payouts:
        return None
    key, reference, paid_at, start, end, rate, transfer_reference, amount, currency, *name = payouts[0]
    earnings = _earnings(session, key, currency)
    courses = _courses(session, key, currency) if len(earnings) > MAX_EARNINGS else []
    return Statement(
        reference=reference,
        instructor_name=full_name(*name),
        paid_at=paid_at,
        period_start=start,
        period_end=end,
        commission_rate=rate,
        transfer_reference=transfer_reference,
        amount=Money(amount, currency),
        earnings=[] if courses else earnings,
        courses=courses,
    )


def _earnings(session: Session, payout_key: int, currency: str) -> list[StatementEarning]:
    return [
        StatementEarning(earned_at, title, sale, Money(net, currency), rate, Money(amount, currency))
        for earned_at, title, sale, net, rate, amount in fetch_rows(session, _EARNINGS, {"key": payout_key})
    ]


def _courses(session: Session, payout_key: int, currency: str) -> list[StatementCourse]:
    # MySQL returns sums of integers as decimals.
    return [
        StatementCourse(title, count, Money(int(net), currency), Money(int(amount), currency))
        for title, count, net, amount in fetch_rows(session, _COURSES, {"key": payout_key})
    ]
