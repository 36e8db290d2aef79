"""A double of PayPal: access tokens, orders, captures, refunds, disputes, and webhooks that it verifies."""

import copy
import hashlib
import hmac
import itertools
import zlib
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from tests.billing.doubles.http_double import HttpDouble, Request, Response

CLIENT_ID, CLIENT_SECRET = "client-double", "secret-double"
WEBHOOK_ID = "8PT597110X687430LKGECATA"
SIGNING_KEY = b"key of the double"
WITHOUT_DECIMALS = {"HUF", "JPY", "TWD"}

Object = dict[str, Any]


def problem(status: int, issue: str) -> Response:
    names = {404: "RESOURCE_NOT_FOUND", 409: "RESOURCE_CONFLICT", 422: "UNPROCESSABLE_ENTITY"}
    details = [{"issue": issue, "description": "jane@canary.example"}]
    return Response(status, {"name": names.get(status, "ERROR"), "details": details, "debug_id": "f0a1b2c3"})


@dataclass
class PayPalDouble(HttpDouble):
    """PayPal's API and its events. `capture_issue` makes captures fail; the statuses are those of new objects."""

    capture_issue: str | None = None
    capture_status: str = "COMPLETED"
    refund_status: str = "COMPLETED"
    token_seconds: int = 32_400
    tokens: list[str] = field(default_factory=list)
    orders: dict[str, Object] = field(default_factory=dict)
    captures: dict[str, Object] = field(default_factory=dict)
    refunds: dict[str, Object] = field(default_factory=dict)
    answers: dict[tuple[str, str], Response] = field(default_factory=dict)
    """Responses by path and request id."""
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def answer(self, request: Request) -> Response:
        if request.path == "/v1/oauth2/token":
            return self._token(request)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Response(
                401, {"error": "invalid_token", "error_description": "Token signature verification failed"}
            )
        request_id = request.headers.get("paypal-request-id")
        if request_id is None:
            return self._route(request)
        key = (request.path, request_id)
        if key not in self.answers:
            response = self._route(request)
            if response.status >= 300:
                return response
            self.answers[key] = response
        return copy.deepcopy(self.answers[key])

    def revoke_tokens(self) -> None:
        self.tokens.clear()

    def _token(self, request: Request) -> Response:
        credentials = b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        if credentials != f"{CLIENT_ID}:{CLIENT_SECRET}" or request.form != {"grant_type": "client_credentials"}:
            return Response(401, {"error": "invalid_client", "error_description": "Client Authentication failed"})
        self.tokens.append(f"A21AA-{next(self._numbers)}")
        content = {"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": self.token_seconds}
        return Response(200, content)

    def _route(self, request: Request) -> Response:
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["v2", "checkout", "orders"]:
                return self._create_order(orjson.loads(request.body))
            case "GET", ["v2", "checkout", "orders", order_id]:
                found = self.orders.get(order_id)
                return problem(404, "INVALID_RESOURCE_ID") if found is None else Response(200, copy.deepcopy(found))
            case "POST", ["v2", "checkout", "orders", order_id, "capture"]:
                return self.capture(order_id)
            case "POST", ["v2", "payments", "captures", capture_id, "refund"]:
                return self._refund(capture_id, orjson.loads(request.body))
            case "POST", ["v1", "notifications", "verify-webhook-signature"]:
                return Response(200, {"verification_status": "SUCCESS" if _is_own(request.body) else "FAILURE"})
        return problem(404, "INVALID_RESOURCE_ID")

    def _create_order(self, content: Object) -> Response:
        (unit,) = content["purchase_units"]
        amount = unit["amount"]
        if Decimal(amount["value"]) % 1 and amount["currency_code"] in WITHOUT_DECIMALS:
            return problem(422, "DECIMALS_NOT_SUPPORTED")
        order_id = f"5O1902{next(self._numbers):011}"
        link = {
            "href": f"https://www.paypal.com/checkoutnow?token={order_id}",
            "rel": "payer-action",
            "method": "GET",
        }
        self.orders[order_id] = {
            "id": order_id, "status": "PAYER_ACTION_REQUIRED", "intent": content["intent"], "purchase_units": [unit],
            "payment_source": content["payment_source"], "links": [link],
        }  # fmt: skip
        return Response(201, copy.deepcopy(self.orders[order_id]))

    def capture(self, order_id: str) -> Response:
        order = self.orders[order_id]
        if order["status"] == "COMPLETED":
            return problem(422, "ORDER_ALREADY_CAPTURED")
        if order["status"] != "APPROVED":
            return problem(422, "ORDER_NOT_APPROVED")
        if self.capture_issue is not None:
            return problem(422, self.capture_issue)
        (unit,) = order["purchase_units"]
        capture_id = f"3C679366HH{next(self._numbers):07}"
        self.captures[capture_id] = {
            "id": capture_id, "status": self.capture_status, "amount": unit["amount"], "final_capture": True,
            "custom_id": unit["custom_id"], "invoice_id": unit["invoice_id"],
            "supplementary_data": {"related_ids": {"order_id": order_id}},
        }  # fmt: skip
        unit["payments"] = {"captures": [self.captures[capture_id]]}
        order["status"] = "COMPLETED"
        return Response(201, copy.deepcopy(order))

    def _refund(self, capture_id: str, content: Object) -> Response:
        capture = self.captures.get(capture_id)
        if capture is None:
            return problem(404, "INVALID_RESOURCE_ID")
        made = [refund for refund in self.refunds.values() if refund["links"][0]["href"].endswith(capture_id)]
        total = sum(Decimal(refund["amount"]["value"]) for refund in made) + Decimal(content["amount"]["value"])
        if total > Decimal(capture["amount"]["value"]):
            return problem(422, "REFUND_AMOUNT_EXCEEDED")
        refund_id = f"1JU08902{next(self._numbers):09}"
        link = {"href": f"{self.url}/v2/payments/captures/{capture_id}", "rel": "up", "method": "GET"}
        self.refunds[refund_id] = {
            "id": refund_id, "status": self.refund_status, "amount": content["amount"],
            "custom_id": content["custom_id"], "links": [link],
        }  # fmt: skip
        return Response(201, copy.deepcopy(self.refunds[refund_id]))

    # What buyers and PayPal do. Each method returns the event that PayPal sends for it.

    def approve(self, order_id: str) -> Object:
        self.orders[order_id]["status"] = "APPROVED"
        return self._event("CHECKOUT.ORDER.APPROVED", "checkout-order", self.orders[order_id])

    def capture_event(self, capture_id: str, status: str = "COMPLETED") -> Object:
        self.captures[capture_id]["status"] = status
        return self._event(f"PAYMENT.CAPTURE.{status}", "capture", self.captures[capture_id])

    def refund_event(self, refund_id: str, status: str, kind: str = "PAYMENT.CAPTURE.REFUNDED") -> Object:
        self.refunds[refund_id]["status"] = status
        return self._event(kind, "refund", self.refunds[refund_id])

    def dispute(
        self, capture_id: str, outcome: str | None = None, stage: str = "CHARGEBACK", number: int = 1, kind: str = ""
    ) -> Object:
        """Return CREATED without an outcome, else RESOLVED; or the event of this kind."""
        resource = {
            "dispute_id": f"PP-D-{capture_id}-{number}", "dispute_life_cycle_stage": stage, "status": "OPEN",
            "dispute_amount": self.captures[capture_id]["amount"], "reason": "UNAUTHORISED",
            "disputed_transactions": [{"seller_transaction_id": capture_id, "buyer_transaction_id": "7KX"}],
        }  # fmt: skip
        if outcome is not None:
            resource |= {"status": "RESOLVED", "dispute_outcome": {"outcome_code": outcome}}
        kind = kind or ("CREATED" if outcome is None else "RESOLVED")
        return self._event(f"CUSTOMER.DISPUTE.{kind}", "dispute", resource)

    def _event(self, kind: str, resource_type: str, resource: Object) -> Object:
        return {
            "id": f"WH-{next(self._numbers)}", "event_version": "1.0", "create_time": datetime.now(UTC).isoformat(),
            "resource_type": resource_type, "resource_version": "2.0", "event_type": kind, "summary": "An event",
            "resource": copy.deepcopy(resource),
        }  # fmt: skip


def signed(event: Object, age: timedelta = timedelta(0)) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the webhook of an event."""
    body = orjson.dumps(event, option=orjson.OPT_INDENT_2)
    sent_at = (datetime.now(UTC) - age).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers = {
        "content-type": "application/json",
        "paypal-auth-algo": "SHA256withRSA",
        "paypal-cert-url": "https://api.paypal.com/v1/notifications/certs/CERT-360caa42",
        "paypal-transmission-id": event["id"],
        "paypal-transmission-sig": _signature(event["id"], sent_at, body),
        "paypal-transmission-time": sent_at,
    }
    return headers, body


def _is_own(verification: bytes) -> bool:
    """Return whether the signature is that of exactly these bytes, and the webhook is this account's."""
    content = orjson.loads(verification)
    body = verification.partition(b'"webhook_event":')[2][:-1]
    expected = _signature(content["transmission_id"], content["transmission_time"], body)
    return content["transmission_sig"] == expected and content["webhook_id"] == WEBHOOK_ID


def _signature(transmission_id: str, sent_at: str, body: bytes) -> str:
    text = f"{transmission_id}|{sent_at}|{WEBHOOK_ID}|{zlib.crc32(body)}"
    return hmac.new(SIGNING_KEY, text.encode(), hashlib.sha256).hexdigest()
