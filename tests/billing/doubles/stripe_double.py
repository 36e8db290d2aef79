"""A double of Stripe: checkout sessions, refunds, disputes, idempotency keys and signed events."""

import copy
import hashlib
import hmac
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.billing.doubles.http_double import HttpDouble, Request, Response

SECRET_KEY = "sk_test_double"
WEBHOOK_SECRET = "whsec_double"
MINIMUMS = {"usd": 50, "eur": 50, "jpy": 50, "isk": 10_000}
THREE_DECIMALS = {"bhd", "jod", "kwd", "omr", "tnd"}
WHOLE_AMOUNTS_IN_CENTS = {"isk", "ugx"}

Object = dict[str, Any]


def error(status: int, kind: str, code: str | None = None, param: str | None = None) -> Response:
    content = {"type": kind, "code": code, "param": param, "message": f"{code} by jane@canary.example"}
    return Response(status, {"error": content}, {"request-id": "req_double"})


@dataclass
class StripeDouble(HttpDouble):
    """Stripe's API and its events. `refund_status` is the state of new refunds."""

    refund_status: str = "succeeded"
    sessions: dict[str, Object] = field(default_factory=dict)
    intents: dict[str, Object] = field(default_factory=dict)
    refunds: dict[str, Object] = field(default_factory=dict)
    answers: dict[str, tuple[str, bytes, Response]] = field(default_factory=dict)
    """Path, body and response of requests by idempotency key."""
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {SECRET_KEY}":
            return error(401, "invalid_request_error")
        key = request.headers.get("idempotency-key")
        if request.method == "GET" or key is None:
            return self._route(request)
        if key in self.answers:
            path, body, response = self.answers[key]
            is_same = (path, body) == (request.path, request.body)
            return response if is_same else error(400, "idempotency_error")
        response = self._route(request)
        if response.status != 400:  # parameters that fail validation are not stored
            self.answers[key] = (request.path, request.body, copy.deepcopy(response))
        return response

    def forget_idempotency_keys(self) -> None:
        """Do what Stripe does after a day."""
        self.answers.clear()

    def _route(self, request: Request) -> Response:
        parts = request.path.partition("?")[0].strip("/").split("/")
        match request.method, parts:
            case "POST", ["v1", "checkout", "sessions"]:
                return self._create_session(request.form)
            case "GET", ["v1", "checkout", "sessions", session_id]:
                return self._session(session_id, expands=request.query.get("expand[0]") == "payment_intent")
            case "POST", ["v1", "checkout", "sessions", session_id, "expire"]:
                return self._expire_session(session_id)
            case "GET", ["v1", "refunds"]:
                payment = request.query["payment_intent"]
                found = [item for item in self.refunds.values() if item["payment_intent"] == payment]
                return Response(200, {"object": "list", "url": "/v1/refunds", "has_more": False, "data": found})
            case "POST", ["v1", "refunds"]:
                return self._create_refund(request.form)
        return error(404, "invalid_request_error", "resource_missing")

    def _create_session(self, form: dict[str, str]) -> Response:
        currency = form["line_items[0][price_data][currency]"]
        amount = int(form["line_items[0][price_data][unit_amount]"])
        if not time.time() + 1800 <= int(form["expires_at"]) <= time.time() + 86_400:
            return error(400, "invalid_request_error", None, "expires_at")
        if amount < MINIMUMS.get(currency, 0):
            return error(400, "invalid_request_error", "amount_too_small", "line_items")
        if (currency in THREE_DECIMALS and amount % 10) or (currency in WHOLE_AMOUNTS_IN_CENTS and amount % 100):
            return error(400, "invalid_request_error", "parameter_invalid_integer", "line_items")
        session_id = f"cs_test_{next(self._numbers)}"
        self.sessions[session_id] = {
            "id": session_id, "object": "checkout.session", "mode": form["mode"], "status": "open",
            "payment_status": "unpaid", "payment_intent": None, "amount_total": amount, "currency": currency,
            "client_reference_id": form["client_reference_id"], "customer_email": form.get("customer_email"),
            "metadata": {"reference": form["metadata[reference]"]}, "expires_at": int(form["expires_at"]),
            "success_url": form["success_url"], "cancel_url": form["cancel_url"], "livemode": False,
            "url": f"https://checkout.stripe.com/c/pay/{session_id}#fid",
        }  # fmt: skip
        return Response(200, copy.deepcopy(self.sessions[session_id]))

    def _session(self, session_id: str, expands: bool = False) -> Response:
        if session_id not in self.sessions:
            return error(404, "invalid_request_error", "resource_missing", "session")
        session = copy.deepcopy(self.sessions[session_id])
        if expands and session["payment_intent"]:
            session["payment_intent"] = self.intents[session["payment_intent"]]
        return Response(200, session)

    def _expire_session(self, session_id: str) -> Response:
        session = self.sessions.get(session_id)
        if session is None or session["status"] != "open":
            return error(400, "invalid_request_error")
        session["status"] = "expired"
        return self._session(session_id)

    def _create_refund(self, form: dict[str, str]) -> Response:
        payment, amount = form["payment_intent"], int(form["amount"])
        intent = self.intents.get(payment)
        if intent is None or intent["status"] != "succeeded":
            return error(400, "invalid_request_error", "resource_missing", "payment_intent")
        live = {"pending", "requires_action", "succeeded"}
        of_payment = [item for item in self.refunds.values() if item["payment_intent"] == payment]
        refunded = sum(item["amount"] for item in of_payment if item["status"] in live)
        if refunded + amount > intent["amount"]:
            return error(400, "invalid_request_error", "charge_already_refunded")
        refund_id = f"re_{next(self._numbers)}"
        metadata = {"refund_reference": form["metadata[refund_reference]"]}
        self.refunds[refund_id] = {
            "id": refund_id, "object": "refund", "amount": amount, "currency": intent["currency"],
            "payment_intent": payment, "charge": intent["latest_charge"], "metadata": metadata,
            "status": self.refund_status, "reason": None,
        }  # fmt: skip
        return Response(200, copy.deepcopy(self.refunds[refund_id]))

    # What buyers, banks and Stripe do. Each method returns the event that Stripe sends for it.

    def pay(self, session_id: str, kind: str = "checkout.session.completed") -> Object:
        """Pay as with a card, which takes no time; or let a payment that takes days arrive."""
        session = self.sessions[session_id]
        self._set_intent(session, "succeeded")
        session |= {"status": "complete", "payment_status": "paid"}
        return self._event(kind, session)

    def decline(self, session_id: str) -> None:
        """Decline a card. The checkout remains open for another one."""
        self._set_intent(self.sessions[session_id], "requires_payment_method")

    def promise(self, session_id: str) -> Object:
        """Complete the checkout with a payment that takes days."""
        session = self.sessions[session_id]
        self._set_intent(session, "processing")
        session |= {"status": "complete"}
        return self._event("checkout.session.completed", session)

    def break_promise(self, session_id: str) -> Object:
        session = self.sessions[session_id]
        self._set_intent(session, "requires_payment_method")
        return self._event("checkout.session.async_payment_failed", session)

    def expire(self, session_id: str) -> Object:
        self.sessions[session_id]["status"] = "expired"
        return self._event("checkout.session.expired", self.sessions[session_id])

    def refund_event(self, refund_id: str, status: str, kind: str = "refund.updated") -> Object:
        self.refunds[refund_id]["status"] = status
        return self._event(kind, self.refunds[refund_id])

    def dispute(
        self, payment: str, status: str, kind: str = "charge.dispute.closed", number: int = 1, **card: str
    ) -> Object:
        intent = self.intents[payment]
        dispute = {
            "id": f"du_{payment}_{number}", "object": "dispute",
            "amount": intent["amount"], "currency": intent["currency"],
            "charge": intent["latest_charge"], "payment_intent": payment, "status": status, "metadata": {},
            "reason": "fraudulent", "payment_method_details": {"type": "card", "card": {"brand": "visa", **card}},
        }  # fmt: skip
        return self._event(kind, dispute)

    def _set_intent(self, session: Object, status: str) -> None:
        number = session["id"].rpartition("_")[2]
        session["payment_intent"] = f"pi_{number}"
        self.intents[f"pi_{number}"] = {
            "id": f"pi_{number}", "object": "payment_intent", "amount": session["amount_total"],
            "currency": session["currency"], "status": status, "latest_charge": f"ch_{number}",
        }  # fmt: skip

    def _event(self, kind: str, item: Object) -> Object:
        return {
            "id": f"evt_{next(self._numbers)}", "object": "event", "api_version": "2026-10-28.endive",
            "created": int(time.time()), "data": {"object": copy.deepcopy(item)}, "livemode": False,
            "pending_webhooks": 1, "request": {"id": None, "idempotency_key": None}, "type": kind,
        }  # fmt: skip


def signed(event: Object, age_seconds: int = 0, secret: str = WEBHOOK_SECRET) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the webhook of an event."""
    body = orjson.dumps(event, option=orjson.OPT_INDENT_2)
    sent_at = int(time.time()) - age_seconds
    digest = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"stripe-signature": f"t={sent_at},v1={digest},v0=1", "content-type": "application/json; charset=utf-8"}
    return headers, body
