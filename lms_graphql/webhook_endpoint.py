"""`POST /webhooks/{gateway}`: events of payment gateways. The signature is checked over the raw body."""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from lms_graphql.billing.gateways.interface import (
    Event,
    EventKind,
    Gateway,
    GatewayRejectedError,
    GatewayUnavailableError,
    InvalidWebhookError,
)
from lms_graphql.billing.reads.checkouts import is_open
from lms_graphql.billing.services import gateway_calls
from lms_graphql.billing.services.gateway_calls import PaymentResources
from lms_graphql.billing.services.gateway_events import apply_event
from lms_graphql.core import clock, db_errors, metrics
from lms_graphql.graph.context import AppResources
from lms_graphql.request_body import read_body

MAX_BODY_BYTES = 262_144
"""Stripe's largest events have a tenth of this."""
READ_AT_ONCE = gateway_calls.MAX_CALLS // 2
"""Webhooks that are read at the same time. PayPal is asked about each, and forged ones must not delay purchases."""

log = structlog.get_logger("lms_graphql.billing")


class WebhookEndpoint:
    """The endpoint. `is_busy` returns whether work waits too long.

    | status | meaning for the gateway |
    |---|---|
    | 200 | stored, now or before |
    | 400 | not from the gateway, too old or malformed: nothing is stored |
    | 404 | this gateway is not switched on |
    | 413 | too large |
    | 503 | not stored: send it again |
    """

    def __init__(self, resources: AppResources, is_busy: Callable[[], bool]) -> None:
        self._settings = resources.settings
        self._payments = PaymentResources.create(resources.database, resources.settings, resources.signer)
        self._is_busy = is_busy
        self._slots = asyncio.Semaphore(READ_AT_ONCE)

    async def handle(self, request: Request) -> Response:
        gateway = self._gateway(request.path_params["gateway"])
        if gateway is None:
            return PlainTextResponse("There is no such gateway.\n", 404)
        response = await self._handle(gateway, request)
        metrics.WEBHOOKS.labels(gateway.method.value, str(response.status_code)).inc()
        return response

    async def _handle(self, gateway: Gateway, request: Request) -> Response:
        if self._is_busy():
            return _busy()
        try:
            async with asyncio.timeout(self._settings.limit_seconds):
                return await self._respond(gateway, request)
        except (TimeoutError, ClientDisconnect):
            return _busy()
        except Exception as error:
            if db_errors.is_repeatable(error):
                return _busy()
            raise

    async def _respond(self, gateway: Gateway, request: Request) -> Response:
        body = await read_body(request, MAX_BODY_BYTES)
        if body is None:
            return PlainTextResponse(f"Send at most {MAX_BODY_BYTES} bytes.\n", 413)
        try:
            async with self._slots:
                received = await gateway_calls.call(gateway.read_webhook, request.headers, body, clock.now())
            events = [event for event in received for event in await self._with_checkout(gateway, event)]
        except InvalidWebhookError as error:
            log.warning("webhook_invalid", gateway=gateway.method.value, reason=str(error))
            return PlainTextResponse("This webhook is invalid.\n", 400)
        except GatewayUnavailableError as error:
            log.warning("webhook_unavailable", gateway=gateway.method.value, reason=str(error))
            return _busy()
        for event in events:
            apply = partial(apply_event, method=gateway.method, event=event)
            await self._payments.database.write(self._payments.with_settings(apply))
        return PlainTextResponse("OK\n")

    async def _with_checkout(self, gateway: Gateway, event: Event) -> list[Event]:
        """Return the event, after those of its checkout if it only says that the checkout has changed.

        The checkout of a purchase that has ended is not fetched, because that captures what the buyer has approved.
        """
        if event.kind is not EventKind.CHECKOUT_CHANGED or event.checkout_id is None:
            return [event]
        find = partial(is_open, method=gateway.method, checkout_id=event.checkout_id)
        if not await self._payments.database.read(find):
            return [event]
        try:
            return [*await gateway_calls.call(gateway.fetch_checkout, event.checkout_id), event]
        except GatewayRejectedError as error:
            log.warning("webhook_rejected", gateway=gateway.method.value, reason=str(error))
            return [event]

    def _gateway(self, name: str) -> Gateway | None:
        return next((gateway for method, gateway in self._payments.gateways.items() if method.value == name), None)


def _busy() -> Response:
    return PlainTextResponse("The webhook was not stored. Send it again.\n", 503, headers={"retry-after": "5"})
