"""Reconciliation: maintenance asks gateways about payments whose webhook may have been lost."""

from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from lms_graphql.billing.gateways.interface import (
    Event,
    Gateway,
    GatewayRejectedError,
    GatewayUnavailableError,
)
from lms_graphql.billing.models import Transaction, TransactionStatus
from lms_graphql.billing.reads.checkouts import DueCheckout, due_checkouts
from lms_graphql.billing.services.gateway_calls import PaymentResources
from lms_graphql.billing.services.gateway_events import apply_event
from lms_graphql.core import clock, db_errors
from lms_graphql.core.statements import execute_dml

log = structlog.get_logger("lms_graphql.billing")

BATCH_SIZE = 100
"""Checkouts of a gateway in one run. The rest follows in the next one, so that other tasks do not wait long."""
MIN_INTERVAL = timedelta(minutes=10)
ENDED_INTERVAL = timedelta(hours=1)
ENDED_DAYS = 3
"""Days after the end of a purchase in which a gateway that does not answer is asked again."""


def reconcile_checkouts(resources: PaymentResources) -> int:
    """Ask the gateways about the checkouts that are due, and apply what has happened. Return the number of events.

    The checkout of a cancelled purchase is closed. A gateway that does not answer is not asked again in this run. A
    checkout that fails unexpectedly does not stop the others. It is due again later.
    """
    return sum(_reconcile(resources, gateway) for gateway in resources.gateways.values())


def _reconcile(resources: PaymentResources, gateway: Gateway) -> int:
    now, total = clock.now(), 0
    for due in resources.database.read_sync(partial(due_checkouts, method=gateway.method, now=now, limit=BATCH_SIZE)):
        try:
            if resources.database.write_sync(partial(_claim, due=due, now=now)):
                total += _reconcile_one(resources, gateway, due)
        except GatewayUnavailableError as error:
            log.warning("reconciliation_unavailable", transaction=due.reference, reason=str(error))
            break
        except Exception as error:
            if db_errors.stops_all_work(error):
                raise
            log.error("reconciliation_failed", transaction=due.reference, exc_info=error)
    return total


def _reconcile_one(resources: PaymentResources, gateway: Gateway, due: DueCheckout) -> int:
    events = _ask(gateway, due)
    for event in events:
        apply = partial(apply_event, method=due.method, event=event)
        resources.database.write_sync(resources.with_settings(apply))
    if due.status is not TransactionStatus.PENDING:
        resources.database.write_sync(partial(_finish, due=due))
    return len(events)


def _ask(gateway: Gateway, due: DueCheckout) -> list[Event]:
    """Return the events of the checkout. If its purchase has ended, close it, or return the payment that came before.

    A checkout that could be closed is not fetched, because that captures what the buyer has approved.
    """
    if due.checkout_id is None:
        return []  # the process died before it opened one, or before it stored it: no one has the URL of its page
    if due.status is not TransactionStatus.PENDING:
        try:
            gateway.expire_checkout(due.checkout_id)
            return []
        except GatewayRejectedError as error:
            log.info("checkout_not_closed", transaction=due.reference, reason=str(error))  # paid before, for example
    try:
        return list(gateway.fetch_checkout(due.checkout_id))
    except GatewayRejectedError as error:
        log.warning("reconciliation_rejected", transaction=due.reference, reason=str(error))
        return []


def next_check(due: DueCheckout, now: datetime) -> datetime | None:
    """Return when to ask again, unless the answer is final.

    The interval grows with the age of the purchase. The last check comes when the purchase expires, before it is
    cancelled.
    """
    if due.status is not TransactionStatus.PENDING:
        return now + ENDED_INTERVAL if now < due.updated_at + timedelta(days=ENDED_DAYS) else None
    next_check_at = now + max(MIN_INTERVAL, now - due.created_at)
    if due.expires_at is not None and now < due.expires_at:
        return min(next_check_at, due.expires_at)
    return next_check_at


def _claim(session: Session, due: DueCheckout, now: datetime) -> bool:
    """Set the time of the next check. Return False if another process was first, or the status has changed."""
    is_due = Transaction.next_check_at == due.next_check_at
    return _set_next_check(session, due, next_check(due, now), is_due)


def _finish(session: Session, due: DueCheckout) -> bool:
    """Ask no more about a purchase that has ended."""
    return _set_next_check(session, due, None)


def _set_next_check(
    session: Session, due: DueCheckout, next_check_at: datetime | None, *conditions: ColumnElement[bool]
) -> bool:
    """Set the time of the next check. `updated_at` remains: it is when the status changed."""
    is_unchanged = (Transaction.id == due.key, Transaction.status == due.status, *conditions)
    values = {"next_check_at": next_check_at, "updated_at": Transaction.updated_at}
    return execute_dml(session, update(Transaction).where(*is_unchanged).values(values)) == 1
