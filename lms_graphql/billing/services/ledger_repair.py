"""Check and repair of the ledger, for `db check` and `db repair`.

Derived columns are recomputed from the rows that are only added: refunds, entries and payout items. Everything else
must agree by itself. `find_ledger_errors` reports what does not, and nothing repairs it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    cast,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from lms_graphql.billing.ledger_models import Earning, EarningEntry, InstructorPayout, PayoutItem
from lms_graphql.billing.models import Payment, PaymentOutcome, Refund, RefundStatus, Transaction, TransactionStatus
from lms_graphql.billing.reads.disputes import UNAPPLIED_DISPUTES
from lms_graphql.billing.reads.sale_payments import PAYMENT_OF_SALE
from lms_graphql.billing.services.payouts import LIVE
from lms_graphql.billing.transitions import SUCCESSFUL
from lms_graphql.core.statements import execute_dml


class DerivedColumns(NamedTuple):
    """Columns of a model that follow from other rows. `wrong_rows` selects key and right values of wrong rows."""

    model: Any
    names: tuple[str, ...]
    wrong_rows: Select[Any]

    @property
    def label(self) -> str:
        return f"{self.model.__tablename__} ({', '.join(self.names)})"


def find_ledger_drift(session: Session) -> list[str]:
    """Return a line for each group of derived columns that is wrong, with the number of rows."""
    return [f"{derived.label}: wrong in {len(rows)} rows" for derived, rows in _drifts(session)]


def repair_ledger(session: Session) -> list[str]:
    """Correct all derived columns. Return a line for each group that was repaired."""
    lines = []
    for derived, rows in list(_drifts(session)):
        for key, *expected in rows:
            numbers = (None if value is None else int(value) for value in expected)
            values = dict(zip(derived.names, numbers, strict=True))
            execute_dml(session, update(derived.model).where(derived.model.id == key).values(values))
        lines.append(f"{derived.label}: {len(rows)} rows repaired")
    return lines


def find_ledger_errors(session: Session) -> list[str]:
    """Return a line for each rule of the ledger that some rows break, with their number.

    One statement checks all rules, so that a change at the same time is not seen in halves.
    """
    return [f"ledger: {number} {rule}" for rule, number in session.execute(BROKEN_RULES) if number]


def _drifts(session: Session) -> Iterator[tuple[DerivedColumns, Sequence[Any]]]:
    for derived in DERIVED_COLUMNS:
        if rows := session.execute(derived.wrong_rows).all():
            yield derived, rows


def _derived(model: Any, expected: Mapping[str, ColumnElement[Any]], *where: ColumnElement[bool]) -> DerivedColumns:
    differs = or_(*(getattr(model, name).is_distinct_from(value) for name, value in expected.items()))
    return DerivedColumns(model, tuple(expected), select(model.id, *expected.values()).where(differs, *where))


def _sum(column: Any, *where: ColumnElement[bool]) -> ColumnElement[Any]:
    """Return the sum over the rows of the column's table, for the row of another table."""
    total = cast(func.coalesce(func.sum(column), 0), BigInteger)
    return select(total).where(*where).correlate_except(column.class_).scalar_subquery()


_IS_LIVE = InstructorPayout.status.in_(LIVE)
_LIVE_PAYOUTS = (
    select(PayoutItem.payout_id)
    .join(InstructorPayout, InstructorPayout.id == PayoutItem.payout_id)
    .where(PayoutItem.earning_id == Earning.id, _IS_LIVE)
    .correlate(Earning)
)


def _refunds(status: RefundStatus) -> ColumnElement[Any]:
    return _sum(Refund.amount, Refund.payment_id == PAYMENT_OF_SALE, Refund.status == status)


def _entries(column: Any) -> ColumnElement[Any]:
    return _sum(column, EarningEntry.earning_id == Earning.id)


DERIVED_COLUMNS = (
    _derived(
        Transaction,
        {
            "refunded_amount": _refunds(RefundStatus.SUCCEEDED),
            "reserved_amount": _refunds(RefundStatus.PROCESSING),
        },
        PAYMENT_OF_SALE.is_not(None),  # payments of older versions have no row
    ),
    _derived(
        Earning,
        {
            "net_amount": _entries(EarningEntry.net_amount),
            "amount": _entries(EarningEntry.amount),
            "platform_amount": _entries(EarningEntry.platform_amount),
        },
    ),
    _derived(
        Earning,
        {"payout_id": _LIVE_PAYOUTS.with_only_columns(func.max(PayoutItem.payout_id)).scalar_subquery()},
    ),
)

_IS_BOOKED = exists().where(Payment.transaction_id == Transaction.id, Payment.outcome == PaymentOutcome.BOOKED)
_STATUS_OF_AMOUNTS = or_(
    and_(Transaction.status == TransactionStatus.COMPLETED, Transaction.refunded_amount == 0),
    and_(
        Transaction.status == TransactionStatus.PARTIALLY_REFUNDED,
        Transaction.refunded_amount > 0,
        Transaction.refunded_amount < Transaction.amount,
    ),
    and_(Transaction.status == TransactionStatus.REFUNDED, Transaction.refunded_amount == Transaction.amount),
)
_HAS_WRONG_STATUS = and_(Transaction.status.in_((*SUCCESSFUL, TransactionStatus.REFUNDED)), not_(_STATUS_OF_AMOUNTS))


def _split_errors() -> Select[Any]:
    """Return a SELECT of sales whose parts are not those of `commission.split`: off by more than a half."""
    amount, rate = func.sum(Earning.amount), type_coerce(func.max(Earning.commission_rate), BigInteger)
    doubled = func.sum(Earning.net_amount) * rate * 2 + 10_000
    is_exact = and_(amount * 20_000 <= doubled, doubled < (amount + 1) * 20_000)
    return select(Earning.transaction_id).group_by(Earning.transaction_id).having(not_(is_exact))


def _held_earnings() -> Select[Any]:
    """Return a SELECT of the earnings that live payouts hold."""
    items = select(Earning.id).join(PayoutItem, PayoutItem.earning_id == Earning.id)
    return items.join(InstructorPayout, and_(InstructorPayout.id == PayoutItem.payout_id, _IS_LIVE))


_LEFT = Transaction.amount - Transaction.refunded_amount
_BOOKED_PAYMENTS = select(Payment.transaction_id).where(Payment.outcome == PaymentOutcome.BOOKED)
_RULES: tuple[tuple[str, Select[Any]], ...] = (
    (
        "sales whose earnings do not add up to what is left of the payment",
        select(Transaction.id).where(
            _IS_BOOKED, _sum(Earning.net_amount, Earning.transaction_id == Transaction.id) != _LEFT
        ),
    ),
    ("sales whose earnings are not split by their rate", _split_errors()),
    (
        "transactions whose status does not fit their refunded amount",
        select(Transaction.id).where(PAYMENT_OF_SALE.is_not(None), _HAS_WRONG_STATUS),
    ),
    (
        "transactions with several booked payments",
        _BOOKED_PAYMENTS.group_by(Payment.transaction_id).having(func.count() > 1),
    ),
    (
        "payments of which more was refunded than paid",
        select(Payment.id).where(
            _sum(Refund.amount, Refund.payment_id == Payment.id, Refund.status == RefundStatus.SUCCEEDED)
            > Payment.amount
        ),
    ),
    ("sales that do not show the disputes about their payment", UNAPPLIED_DISPUTES.order_by(None)),
    (
        "payouts whose amount is not the sum of their earnings",
        select(InstructorPayout.id).where(
            InstructorPayout.amount != _sum(PayoutItem.amount, PayoutItem.payout_id == InstructorPayout.id)
        ),
    ),
    (
        "earnings in several live payouts",
        _held_earnings().group_by(Earning.id).having(func.count() > 1),
    ),
    (
        "earnings that changed while a payout held them, or are not its instructor's or currency's",
        _held_earnings().where(
            or_(
                Earning.amount != PayoutItem.amount,
                Earning.net_amount != PayoutItem.net_amount,
                Earning.instructor_id != InstructorPayout.instructor_id,
                Earning.currency != InstructorPayout.currency,
            )
        ),
    ),
)
"""Rules, each with a SELECT of the rows that break it."""

BROKEN_RULES = union_all(*(select(literal(rule), func.count()).select_from(rows.subquery()) for rule, rows in _RULES))
"""Selects each rule with the number of rows that break it."""
