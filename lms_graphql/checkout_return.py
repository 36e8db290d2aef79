"""`GET /checkout/{reference}/return`: where Stripe and PayPal send the buyer back, on the way to the front end.

The gateway is asked at once how the payment ended, because a webhook may come later, or get lost. PayPal captures an
approved payment only then.
"""

import asyncio
from functools import partial

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from lms_graphql.billing.gateways.interface import GatewayRejectedError, GatewayUnavailableError
from lms_graphql.billing.models import TransactionStatus
from lms_graphql.billing.reads.checkouts import ReturnedCheckout, checkout_by_reference
from lms_graphql.billing.services import gateway_calls
from lms_graphql.billing.services.gateway_calls import PaymentResources
from lms_graphql.billing.services.gateway_events import apply_event
from lms_graphql.billing.urls import return_url
from lms_graphql.core import db_errors
from lms_graphql.graph.context import AppResources

HEADERS = {"cache-control": "no-store", "referrer-policy": "no-referrer"}

log = structlog.get_logger("lms_graphql.billing")


class CheckoutReturnEndpoint:
    """The endpoint. It redirects in any case: what the gateway does not say now, a webhook or maintenance finds."""

    def __init__(self, resources: AppResources) -> None:
        self._settings = resources.settings
        self._payments = PaymentResources.create(resources.database, resources.settings, resources.signer)
        self._asking: set[str] = set()
        """References about which the gateway is being asked, so that a buyer who reloads occupies one thread."""

    async def handle(self, request: Request) -> Response:
        reference = request.path_params["reference"]
        try:
            checkout = await self._payments.database.read(partial(checkout_by_reference, reference=reference))
            if checkout is None:
                return PlainTextResponse("There is no such purchase.\n", 404, HEADERS)
            if checkout.status is TransactionStatus.PENDING and reference not in self._asking:
                await self._settle(reference, checkout)
        except Exception as error:
            if db_errors.is_repeatable(error):
                return PlainTextResponse(
                    "The service is busy. Reload the page.\n", 503, {"retry-after": "1", **HEADERS}
                )
            raise
        return RedirectResponse(return_url(self._settings.public_url, checkout.transaction_id), 303, HEADERS)

    async def _settle(self, reference: str, checkout: ReturnedCheckout) -> None:
        """Ask the gateway, and apply what has happened to the checkout."""
        gateway = self._payments.gateways.get(checkout.method)
        if gateway is None or checkout.id is None:
            return
        self._asking.add(reference)
        try:
            async with asyncio.timeout(self._settings.limit_seconds):
                for event in await gateway_calls.call(gateway.fetch_checkout, checkout.id):
                    apply = partial(apply_event, method=checkout.method, event=event)
                    await self._payments.database.write(self._payments.with_settings(apply))
        except (GatewayRejectedError, GatewayUnavailableError, TimeoutError) as error:
            log.warning("checkout_not_fetched", transaction=reference, reason=str(error))
        finally:
            self._asking.discard(reference)
