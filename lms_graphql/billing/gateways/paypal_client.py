"""HTTP client of PayPal's REST API: access token, timeouts, and errors as those of the interface."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import orjson

from lms_graphql.billing.gateways.interface import GatewayRejectedError, GatewayUnavailableError
from lms_graphql.billing.gateways.time_budget import TOTAL_SECONDS, TimeBudget
from lms_graphql.core import tracing

AUTHORIZATION_PATH = "/v1/oauth2/token"
TOKEN_MARGIN_SECONDS = 60
"""A token is renewed this long before it expires."""
REJECTED_STATUS_CODES = {400, 404, 422}
"""Status codes of a request that PayPal understood and rejected. All others say nothing about what it did."""
CONFLICTS = {"DUPLICATE_REQUEST_ID", "PAYPAL_REQUEST_ID_PREVIOUSLY_USED", "PREVIOUS_REQUEST_IN_PROGRESS"}
"""Issues of a request whose id belongs to an earlier one, which may have had its effect."""

Response = Mapping[str, Any]


class PayPalRejectedError(GatewayRejectedError):
    """PayPal rejected the request for these reasons, such as INSTRUMENT_DECLINED."""

    def __init__(self, issues: frozenset[str], message: str) -> None:
        super().__init__(message)
        self.issues = issues


class PayPalAccount:
    """A merchant's account, with the access token that its operations share. Threads share the account."""

    def __init__(self, client_id: str, client_secret: str, api_url: str, seconds: float = TOTAL_SECONDS) -> None:
        self.credentials = (client_id, client_secret)
        self.api_url = api_url
        self.token = ""
        self.token_ends_at = 0.0
        self._seconds = seconds
        self._certificates = httpx.create_ssl_context()  # because loading them takes longer than a call

    @contextmanager
    def operation(self) -> Iterator["PayPalOperation"]:
        """Yield the client of one operation, which has its own connection and its own time."""
        budget = TimeBudget(self._seconds)
        with httpx.Client(base_url=self.api_url, verify=self._certificates) as http:
            yield PayPalOperation(self, http, budget)


class PayPalOperation:
    """Calls of one operation."""

    def __init__(self, account: PayPalAccount, http: httpx.Client, budget: TimeBudget) -> None:
        self._account = account
        self._http = http
        self._budget = budget

    def get(self, path: str) -> Response:
        return self._call("GET", path, b"", {})

    def post(self, path: str, body: bytes, request_id: str | None = None) -> Response:
        """Send JSON. With a request id, repeating the call has no further effect."""
        headers = {"content-type": "application/json", "prefer": "return=representation"}
        if request_id is not None:
            headers["paypal-request-id"] = request_id
        return self._call("POST", path, body, headers)

    def _call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Return the response to a request with a token. If PayPal has revoked the token, send it with another."""
        response = self._send(method, path, body, {**headers, "authorization": self._bearer()})
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._account.token_ends_at = 0.0
            response = self._send(method, path, body, {**headers, "authorization": self._bearer()})
        return _content(response)

    def _bearer(self) -> str:
        """Return the token as a header. Threads that need a new one at the same time get one each."""
        account = self._account
        if time.monotonic() >= account.token_ends_at:
            headers = {"content-type": "application/x-www-form-urlencoded"}
            body = b"grant_type=client_credentials"
            response = self._send("POST", AUTHORIZATION_PATH, body, headers, auth=account.credentials)
            if response.status_code in REJECTED_STATUS_CODES:  # wrong credentials must not make refunds fail for ever
                raise GatewayUnavailableError(f"PayPal rejects the credentials: {response.status_code}.")
            content = _content(response)
            account.token = str(content["access_token"])
            account.token_ends_at = time.monotonic() + int(content["expires_in"]) - TOKEN_MARGIN_SECONDS
        return f"Bearer {account.token}"

    def _send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], auth: tuple[str, str] | None = None
    ) -> httpx.Response:
        connect, read = self._budget.timeouts()
        timeout = httpx.Timeout(read, connect=connect)
        try:
            with tracing.call_span(method, self._account.api_url) as span:
                response = self._http.request(method, path, content=body, headers=headers, auth=auth, timeout=timeout)
                span.set({"http.response.status_code": response.status_code})
                return response
        except httpx.HTTPError as error:
            raise GatewayUnavailableError(f"PayPal does not answer: {type(error).__name__}.") from None


def _content(response: httpx.Response) -> Response:
    """Return the JSON of a response, or raise the error that its status means."""
    try:
        content = orjson.loads(response.content or b"{}")
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise GatewayUnavailableError(f"PayPal answered {response.status_code} without a JSON object.")
    if response.is_success:
        return content
    details = content.get("details")
    issues = frozenset(str(detail["issue"]) for detail in details if "issue" in detail) if details else frozenset()
    reasons = ", ".join(sorted(issues)) or content.get("name", "")
    message = f"PayPal answered {response.status_code} {reasons} ({content.get('debug_id')})."
    if response.status_code in REJECTED_STATUS_CODES and not issues & CONFLICTS:
        raise PayPalRejectedError(issues, message)
    raise GatewayUnavailableError(message)
