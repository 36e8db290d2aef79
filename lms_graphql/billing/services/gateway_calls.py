"""Calls of gateways: between the transaction that stores an intent and the one that stores its outcome.

A call is made in a thread of its own and outside of any transaction. If the process dies at any point, the repeated
request, a webhook or reconciliation continues from what is stored.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import NamedTuple, ParamSpec, TypeVar

import structlog
from sqlalchemy.orm import Session

from lms_graphql.billing.gateways.interface import (
    CheckoutRequest,
    Gateway,
    GatewayRejectedError,
    GatewayUnavailableError,
)
from lms_graphql.billing.gateways.registry import create_gateways
from lms_graphql.billing.models import PaymentMethod, Transaction, TransactionStatus
from lms_graphql.billing.reads.checkouts import CheckoutFacts, is_rejected, missing_checkout, open_checkout_of
from lms_graphql.billing.services import purchases
from lms_graphql.billing.services.sales import lock_sale, peek_sale
from lms_graphql.billing.urls import checkout_return_path, return_url
from lms_graphql.core.database import Database
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.signing import Signer
from lms_graphql.core.urls import join_url
from lms_graphql.settings import SESSION_SETTINGS_KEY, Settings

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger("lms_graphql.billing")

MAX_CALLS = 8
"""Calls of gateways at the same time. Their threads are not those of the database, which must not wait for them."""
_EXECUTOR = ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="gateway")

REJECTED_MESSAGE = "The payment gateway rejected the purchase. Choose another payment method."
DISABLED_MESSAGE = "This payment method is not available any more. Choose another one."
UNAVAILABLE_MESSAGE = (
    "The payment gateway does not answer. Try again with the same idempotency key: the course is bought once."
)


class PaymentResources(NamedTuple):
    """The database, the settings and the gateways of the service, for calls of gateways."""

    database: Database
    settings: Settings
    gateways: Mapping[PaymentMethod, Gateway]

    @classmethod
    def create(cls, database: Database, settings: Settings, signer: Signer) -> "PaymentResources":
        return cls(database, settings, create_gateways(settings, database, signer))

    def with_settings(self, work: Callable[[Session], T]) -> Callable[[Session], T]:
        """Return the work of a transaction, which finds the settings by `settings_of`."""

        def run(session: Session) -> T:
            session.info[SESSION_SETTINGS_KEY] = self.settings
            return work(session)

        return run


async def call(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a method of a gateway in a thread for gateways."""
    run = copy_context().run  # so that log lines and spans of the thread belong to the request
    return await asyncio.get_running_loop().run_in_executor(_EXECUTOR, partial(run, function, *args, **kwargs))


async def open_checkout(resources: PaymentResources, transaction_key: int) -> None:
    """Open the checkout of a pending transaction and store it, unless it is stored already.

    Raise PAYMENT_FAILED if the gateway rejects it, which ends the transaction, or does not answer. A repeated request
    fails like the first one.
    """
    database = resources.database
    facts = await database.read(partial(missing_checkout, transaction_key=transaction_key))
    if facts is None:
        if await database.read(partial(is_rejected, transaction_key=transaction_key)):
            raise DomainError(ErrorCode.PAYMENT_FAILED, REJECTED_MESSAGE)
        return
    gateway = resources.gateways.get(facts.method)
    if gateway is None:  # it was switched off since the purchase began
        raise DomainError(ErrorCode.FEATURE_DISABLED, DISABLED_MESSAGE, ("payment_method",))
    try:
        checkout = await call(gateway.create_checkout, _checkout_request(facts, resources.settings))
    except GatewayRejectedError as error:
        log.warning("checkout_rejected", transaction=facts.reference, reason=str(error))
        await database.write(partial(_fail, transaction_key=transaction_key))
        raise DomainError(ErrorCode.PAYMENT_FAILED, REJECTED_MESSAGE) from None
    except GatewayUnavailableError as error:
        log.warning("checkout_unavailable", transaction=facts.reference, reason=str(error))
        raise DomainError(ErrorCode.PAYMENT_FAILED, UNAVAILABLE_MESSAGE) from None
    store = partial(purchases.store_checkout, transaction_key=transaction_key, checkout=checkout)
    if await database.write(store) is not TransactionStatus.PENDING:
        await close_checkout(resources, transaction_key)


async def close_checkout(resources: PaymentResources, transaction_key: int) -> None:
    """Close the checkout of a transaction that has ended, if there is one.

    A failure is only logged: a payment that comes in spite of it is refunded.
    """
    checkout = await resources.database.read(partial(open_checkout_of, transaction_key=transaction_key))
    gateway = None if checkout is None else resources.gateways.get(checkout.method)
    if checkout is None or gateway is None:
        return
    try:
        await call(gateway.expire_checkout, checkout.id)
    except (GatewayRejectedError, GatewayUnavailableError) as error:
        log.warning("checkout_not_closed", transaction=checkout.reference, reason=str(error))


def _checkout_request(facts: CheckoutFacts, settings: Settings) -> CheckoutRequest:
    return CheckoutRequest(
        reference=facts.reference,
        amount=facts.amount,
        description=facts.description,
        customer_email=facts.customer_email,
        return_url=_return_url(facts, settings),
        expires_at=facts.expires_at,
    )


def _return_url(facts: CheckoutFacts, settings: Settings) -> str:
    """Return where the gateway sends the buyer. The fake gateway has reported the result before."""
    if facts.method is PaymentMethod.FAKE:
        return return_url(settings.public_url, facts.transaction_id)
    return join_url(settings.service_url, checkout_return_path(facts.reference))


def _fail(session: Session, transaction_key: int) -> None:
    sale = peek_sale(session, Transaction.id == transaction_key)
    assert sale is not None
    purchases.fail_purchase(session, lock_sale(session, sale))
