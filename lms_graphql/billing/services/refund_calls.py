"""Calls of gateways that return money: for a request, and by maintenance for refunds that stay PROCESSING.

A call is made between two transactions. If the process dies at any point, the repeated request, a webhook or
maintenance continues from what is stored.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import structlog
from sqlalchemy.orm import Session

from lms_graphql.billing.gateways.interface import (
    Gateway,
    GatewayRejectedError,
    GatewayUnavailableError,
    RefundRequest,
)
from lms_graphql.billing.models import PaymentMethod, RefundStatus
from lms_graphql.billing.reads.processing_refunds import RefundCall, due_refunds, processing_refund
from lms_graphql.billing.services.gateway_calls import PaymentResources, call
from lms_graphql.billing.services.refund_results import settle_refund
from lms_graphql.core import clock, db_errors

BATCH_SIZE = 100

log = structlog.get_logger("lms_graphql.billing")


class RefundAnswer(NamedTuple):
    """Answer of a gateway. PROCESSING: it has not returned the money yet, or it could not be reached."""

    status: RefundStatus
    gateway_refund_id: str | None = None
    is_reached: bool = True


async def make_refund(resources: PaymentResources, refund_key: int) -> None:
    """Let the gateway make a refund, and store its answer. A refund that has ended is left as it is."""
    refund = await resources.database.read(partial(processing_refund, refund_key=refund_key))
    if refund is not None:
        answer = await call(call_gateway, resources.gateways, refund)
        await resources.database.write(resources.with_settings(_store(refund, answer)))


def reconcile_refunds(resources: PaymentResources) -> int:
    """Make the refunds that are due, or ask for their state. Return the number of refunds that have ended.

    A gateway that does not answer is not asked again in this run, because each call waits for seconds. A call that
    fails unexpectedly does not stop the others. Its refund is due again at the next run.
    """
    now, last_key, total = clock.now(), 0, 0
    database, unreachable = resources.database, set[PaymentMethod]()
    while keys := database.read_sync(partial(due_refunds, now=now, after=last_key, limit=BATCH_SIZE)):
        for key in keys:
            try:
                total += _reconcile(resources, key, unreachable)
            except Exception as error:
                if db_errors.stops_all_work(error):
                    raise
                log.error("refund_reconciliation_failed", refund_key=key, exc_info=error)
        last_key = keys[-1]
    return total


def call_gateway(gateways: Mapping[PaymentMethod, Gateway], refund: RefundCall) -> RefundAnswer:
    """Make the refund, or ask for its state. The reference is the idempotency key, so that repeating it is safe."""
    gateway = gateways.get(refund.method)
    if gateway is None:
        log.error("refund_gateway_missing", refund=refund.reference, method=refund.method.value)
        return RefundAnswer(RefundStatus.PROCESSING)
    request = RefundRequest(refund.reference, refund.payment_id, refund.amount, refund.reason)
    try:
        result = gateway.refund(request)
    except GatewayRejectedError as error:
        log.error("refund_rejected", refund=refund.reference, reason=str(error))
        return RefundAnswer(RefundStatus.FAILED)
    except GatewayUnavailableError as error:
        log.warning("refund_unavailable", refund=refund.reference, reason=str(error))
        return RefundAnswer(RefundStatus.PROCESSING, is_reached=False)
    return RefundAnswer(result.status, result.gateway_refund_id)


def _reconcile(resources: PaymentResources, refund_key: int, unreachable: set[PaymentMethod]) -> bool:
    """Call the gateway for a refund and store its answer. Return whether the refund has ended by it.

    Gateways in `unreachable` are not called. One that does not answer is added to it.
    """
    refund = resources.database.read_sync(partial(processing_refund, refund_key=refund_key))
    if refund is None or refund.method in unreachable:
        return False
    answer = call_gateway(resources.gateways, refund)
    if not answer.is_reached:
        unreachable.add(refund.method)
    resources.database.write_sync(resources.with_settings(_store(refund, answer)))
    return answer.status is not RefundStatus.PROCESSING


def _store(refund: RefundCall, answer: RefundAnswer) -> Callable[[Session], None]:
    return partial(
        settle_refund,
        refund_key=refund.refund_key,
        status=answer.status,
        gateway_refund_id=answer.gateway_refund_id,
    )
