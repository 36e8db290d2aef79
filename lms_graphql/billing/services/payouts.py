"""Payouts: a run schedules them from available earnings, and a super admin records how each of them ended.

Lock order: docs/architecture.md. A run locks all earnings that it may pay before it reads them. A refund of one of
them waits, and then finds the payout.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, func, insert, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.billing.commission import weighted_rate
from lms_graphql.billing.ledger_models import Earning, InstructorPayout, PayoutItem, PayoutStatus
from lms_graphql.billing.references import new_payout_reference
from lms_graphql.billing.services.mails import enqueue_payout_statement
from lms_graphql.core import clock, global_ids, named_locks
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode, not_found
from lms_graphql.core.idempotency import IdempotentRequest, run_once
from lms_graphql.core.money import DECIMALS
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import Validator
from lms_graphql.settings import settings_of

PAYOUTS_LOCK = "payouts"
"""Named lock of payout runs, so that one runs at a time."""
MAX_EXTERNAL_REFERENCE_LENGTH = 255
UNSETTLED = (PayoutStatus.SCHEDULED, PayoutStatus.PROCESSING)
LIVE = (*UNSETTLED, PayoutStatus.PAID)
"""Statuses of payouts that hold their earnings."""


def run_payouts(session: Session, actor: Actor, period_end: datetime, idempotency_key: str) -> list[int]:
    """Schedule a payout for each instructor and currency. Return their keys.

    A payout takes all earnings that became available before `period_end` and that no payout holds. If their sum is
    below the minimum, they wait. Raise IDEMPOTENCY_MISMATCH if the key was used for another period.
    """
    assert actor.key is not None
    request = IdempotentRequest(actor.key, "runPayouts", idempotency_key, {"period_end": period_end.isoformat()})
    return run_once(session, request, lambda: _run(session, actor, period_end))


def settle_payout(
    session: Session, actor: Actor, payout_id: str, outcome: PayoutStatus, external_reference: str | None
) -> int:
    """Record that a payout was PAID, or that it FAILED or was CANCELLED. Return its key.

    FAILED and CANCELLED release its earnings for the next run. Recording the same outcome again changes nothing.
    Raise NOT_FOUND, or INVALID_TRANSITION for another outcome than before.
    """
    payout = _lock_payout(session, payout_id)
    validator = Validator()
    reference = None
    if external_reference and external_reference.strip():
        limit = MAX_EXTERNAL_REFERENCE_LENGTH
        reference = validator.single_line("external_reference", external_reference, max_length=limit)
    validator.raise_errors()
    if payout.status is outcome:
        return payout.id
    if payout.status not in UNSETTLED:
        message = f"This payout is {payout.status.name} already. Only an unsettled payout can be settled."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, ("payout_id",))
    payout.status, payout.external_payout_id, payout.processed_at = outcome, reference, clock.now()
    session.flush()
    if outcome not in LIVE:
        execute_dml(session, update(Earning).where(Earning.payout_id == payout.id).values(payout_id=None))
    if outcome is PayoutStatus.PAID:
        enqueue_payout_statement(session, payout)
    _audit(session, "payout.settled", actor, payout, outcome=outcome.value)
    return payout.id


def _lock_payout(session: Session, payout_id: str) -> InstructorPayout:
    key = global_ids.decode_key("InstructorPayout", payout_id)
    is_payout = InstructorPayout.id == key
    unchanged = {"updated_at": InstructorPayout.updated_at}
    if key is None or not execute_dml(session, update(InstructorPayout).where(is_payout).values(unchanged)):
        raise not_found("payout_id")
    return session.get_one(InstructorPayout, key, populate_existing=True)


def _run(session: Session, actor: Actor, period_end: datetime) -> list[int]:
    named_locks.lock(session, PAYOUTS_LOCK)
    is_payable = _is_payable(period_end, clock.now())
    execute_dml(session, update(Earning).where(*is_payable).values(updated_at=Earning.updated_at))
    minimum = settings_of(session).payout_minimum
    keys = []
    for (instructor_key, currency), rows in groupby(_sums(session, is_payable), key=lambda row: row[:2]):
        sums = list(rows)
        amount = sum(row.amount for row in sums)
        if amount > 0 and amount >= minimum_in_units(minimum, currency):
            payout = _new_payout(instructor_key, currency, amount, sums, period_end)
            session.add(payout)
            session.flush()
            number = _take_earnings(session, payout, is_payable)
            assert number == sum(row.number for row in sums)
            _audit(session, "payout.scheduled", actor, payout, earnings=number)
            keys.append(payout.id)
    return keys


def _is_payable(period_end: datetime, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return clauses for AVAILABLE earnings that no payout holds. A reversed one is worth nothing."""
    is_available = (Earning.available_at < period_end, Earning.available_at <= now)
    return (Earning.payout_id.is_(None), *is_available, Earning.net_amount != 0)


def _sums(session: Session, is_payable: Sequence[ColumnElement[bool]]) -> Sequence[Any]:
    """Return the sums of earnings by instructor, currency and rate, in this order."""
    by = (Earning.instructor_id, Earning.currency, Earning.commission_rate)
    statement = select(
        *by,
        cast(func.sum(Earning.net_amount), BigInteger).label("net"),
        cast(func.sum(Earning.amount), BigInteger).label("amount"),
        func.min(Earning.available_at).label("first_available_at"),
        func.count().label("number"),
    )
    return session.execute(statement.where(*is_payable).group_by(*by).order_by(*by)).all()


def _new_payout(
    instructor_key: int, currency: str, amount: int, sums: Sequence[Any], period_end: datetime
) -> InstructorPayout:
    return InstructorPayout(
        instructor_id=instructor_key,
        payout_id=new_payout_reference(),
        amount=amount,
        currency=currency,
        commission_rate=weighted_rate((row.net, row.commission_rate) for row in sums),
        period_start=min(row.first_available_at for row in sums),
        period_end=period_end,
        status=PayoutStatus.SCHEDULED,
    )


def _take_earnings(session: Session, payout: InstructorPayout, is_payable: Sequence[ColumnElement[bool]]) -> int:
    """Give the locked earnings of the payout's instructor and currency to it, and store them as its items."""
    of_payout = (Earning.instructor_id == payout.instructor_id, Earning.currency == payout.currency)
    number = execute_dml(session, update(Earning).where(*of_payout, *is_payable).values(payout_id=payout.id))
    columns = (Earning.payout_id, Earning.id, Earning.net_amount, Earning.amount)
    items = select(*columns).where(Earning.payout_id == payout.id)
    names = ["payout_id", "earning_id", "net_amount", "amount"]
    execute_dml(session, insert(PayoutItem).from_select(names, items))
    return number


def minimum_in_units(minimum: Decimal, currency: str) -> int:
    """Return the minimum in smallest units, rounded up: 50.50 is 51 yen."""
    return int(minimum.scaleb(DECIMALS[currency]).to_integral_value(ROUND_CEILING))


def _audit(session: Session, action: str, actor: Actor, payout: InstructorPayout, **details: str | int) -> None:
    facts: dict[str, Any] = {"amount": payout.amount, "currency": payout.currency, **details}
    audit.record(session, action, actor=actor.key, subject=payout.id, **facts)
