"""`GET|POST /gateway/fake/checkout/{token}`: the checkout page of the fake gateway, which pays or declines.

It is served only if the fake gateway is switched on. The form needs no JavaScript: it posts `outcome=pay` or
`outcome=decline`. The page then sends a signed webhook to this service, as a real gateway does from outside. Then it
sends the browser back to the front end.

`GET /checkout/return` stands for the front end's return page, as long as `LMS_PUBLIC_URL` is that of this service.
"""

import asyncio
import http.client
from collections.abc import Mapping
from functools import partial
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlsplit

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from lms_graphql.billing.gateways import fake, fake_webhooks
from lms_graphql.billing.gateways.interface import Event
from lms_graphql.billing.models import FakePayment, FakePaymentStatus, PaymentMethod
from lms_graphql.billing.urls import webhook_path
from lms_graphql.core import clock, db_errors
from lms_graphql.core.money import Money
from lms_graphql.core.urls import join_url
from lms_graphql.graph.context import AppResources
from lms_graphql.request_body import read_body

PATH = "/gateway/fake/checkout/{token}"
RETURN_PATH = "/checkout/return"
PAGE = Template((Path(__file__).parent / "static" / "fake_checkout.html").read_text(encoding="utf-8"))
FORM = Template("""<h1>$description</h1>
        <p class="amount">$amount</p>
        <dl>
          <div><dt>Reference</dt><dd>$reference</dd></div>
          <div><dt>Pay until</dt><dd>$expires_at UTC</dd></div>
        </dl>
        <form method="post">
          <button class="pay" name="outcome" value="pay">Pay $amount</button>
          <button class="decline" name="outcome" value="decline">Decline the payment</button>
        </form>""")
ENDED = Template("""<h1>$title</h1>
        <p>$text</p>
        <a class="link" href="$return_url">Back to $site</a>""")
RETURNED = Template("""<h1>Back from the payment</h1>
        <p>Here your front end goes on: <code>LMS_PUBLIC_URL</code> leads there. It asks the API for the status of the
        transaction $transaction.</p>""")
NOT_FOUND = "<h1>There is no such payment</h1>\n        <p>Check the address, or start the purchase again.</p>"
ENDED_TEXTS = {
    FakePaymentStatus.PAID: ("This payment is done", "It was paid, so there is nothing left to do here."),
    FakePaymentStatus.DECLINED: ("This payment was declined", "Start the purchase again if you want to pay."),
    FakePaymentStatus.EXPIRED: ("This payment has expired", "Start the purchase again if you want to pay."),
}
OUTCOMES = {"pay": True, "decline": False}
MAX_FORM_BYTES = 1_000
MAX_ID_LENGTH = 100
WEBHOOK_TIMEOUT_SECONDS = 5

log = structlog.get_logger("lms_graphql.billing")


class FakeCheckoutPage:
    """The page. The token in its URL is a secret of the buyer."""

    def __init__(self, resources: AppResources) -> None:
        self._database = resources.database
        self._settings = resources.settings
        self._secret = fake_webhooks.secret_of(resources.signer)

    async def handle(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(self._settings.limit_seconds):
                if request.method == "POST":
                    return await self._settle(request)
                return await self._show(request.path_params["token"])
        except (TimeoutError, ClientDisconnect):
            return _busy()
        except Exception as error:
            if db_errors.is_repeatable(error):
                return _busy()
            raise

    async def handle_return(self, request: Request) -> Response:
        """Say what a front end does here. The status is left to the API, because this request has no login."""
        transaction = escape(request.query_params.get("transaction", "")[:MAX_ID_LENGTH])
        return self._page("Payment", RETURNED.substitute(transaction=f"<code>{transaction}</code>"))

    async def _show(self, token: str) -> Response:
        payment = await self._payment(token)
        if payment is None:
            return self._page("Payment", NOT_FOUND, 404)
        if payment.status is FakePaymentStatus.OPEN and payment.expires_at > clock.now():
            return self._page("Payment", FORM.substitute(_form_values(payment)), return_url=payment.return_url)
        return self._ended_page(payment)

    async def _settle(self, request: Request) -> Response:
        """Pay or decline. Sending the form twice has no second effect, but sends the webhook again."""
        token, outcome = request.path_params["token"], await _outcome(request)
        if outcome not in OUTCOMES:
            return PlainTextResponse("Send outcome=pay or outcome=decline as a form.\n", 400)
        settle = partial(fake.settle, token=token, is_paid=OUTCOMES[outcome])
        event = await self._database.write(settle)
        payment = await self._payment(token)
        if payment is None:
            return self._page("Payment", NOT_FOUND, 404)
        if event is None or payment.status is FakePaymentStatus.EXPIRED:
            return self._ended_page(payment, 410)
        await asyncio.to_thread(self._send_webhook, event)
        return RedirectResponse(payment.return_url, 303)

    async def _payment(self, token: str) -> FakePayment | None:
        return await self._database.read(partial(fake.payment_by_token, token=token))

    def _send_webhook(self, event: Event) -> None:
        """Send the event to this service. A failure is only logged: reconciliation asks for lost events."""
        body = fake_webhooks.write(event)
        headers = {
            "content-type": "application/json",
            fake_webhooks.SIGNATURE_HEADER: fake_webhooks.signature(self._secret, body, clock.now()),
        }
        url = join_url(self._settings.service_url, webhook_path(PaymentMethod.FAKE.value))
        try:
            status = _post(url, body, headers)
        except (OSError, http.client.HTTPException) as error:
            log.warning("fake_webhook_not_delivered", gateway_event=event.id, reason=type(error).__name__)
            return
        if status != 200:
            log.warning("fake_webhook_not_delivered", gateway_event=event.id, status=status)

    def _ended_page(self, payment: FakePayment, status_code: int = 200) -> Response:
        is_open = payment.status is FakePaymentStatus.OPEN
        title, text = ENDED_TEXTS[FakePaymentStatus.EXPIRED if is_open else payment.status]
        site, return_url = escape(self._settings.site_name), escape(payment.return_url)
        content = ENDED.substitute(title=title, text=text, return_url=return_url, site=site)
        return self._page(title, content, status_code)

    def _page(self, title: str, content: str, status_code: int = 200, return_url: str = "") -> Response:
        page = PAGE.substitute(title=title, site=escape(self._settings.site_name), content=content)
        return HTMLResponse(page, status_code, headers=_headers(return_url))


def _busy() -> Response:
    return PlainTextResponse("The service is busy. Reload the page.\n", 503, {"retry-after": "1"})


def _headers(return_url: str) -> dict[str, str]:
    """Return the headers of the page. Browsers apply `form-action` to the redirect after the form, too."""
    target = urlsplit(return_url)
    form_action = f"'self' {target.scheme}://{target.netloc}" if target.netloc else "'none'"
    return {
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
        f"form-action {form_action}; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }


def _form_values(payment: FakePayment) -> dict[str, str]:
    return {
        "description": escape(payment.description),
        "amount": str(Money(payment.amount, payment.currency)),
        "reference": escape(payment.reference),
        "expires_at": f"{payment.expires_at:%Y-%m-%d %H:%M}",
    }


async def _outcome(request: Request) -> str | None:
    """Return the field `outcome` of the posted form; None if it is missing or the form is too large."""
    body = await read_body(request, MAX_FORM_BYTES)
    return None if body is None else parse_qs(body.decode("latin-1")).get("outcome", [None])[0]


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a POST request and return the status of its response."""
    parts = urlsplit(url)
    is_https = parts.scheme == "https"
    connection_class = http.client.HTTPSConnection if is_https else http.client.HTTPConnection
    connection = connection_class(parts.netloc, timeout=WEBHOOK_TIMEOUT_SECONDS)
    try:
        connection.request("POST", parts.path, body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()
