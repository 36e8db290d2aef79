"""Clients for money: the mutations of one actor, the page of the fake gateway, and its webhooks."""

from typing import Any, ClassVar

import httpx
from sqlalchemy import select

from lms_graphql.billing.gateways import fake, fake_webhooks
from lms_graphql.billing.gateways.interface import Event, EventKind
from lms_graphql.billing.models import FakePayment, Transaction
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.signing import Signer
from tests.concurrency import RaceRequest
from tests.factories import CourseTree
from tests.live_service import Client, Service, plain_http
from tests.mutation_client import MutationClient

MONEY = "{ amount currency }"
TRANSACTION = f"""transaction {{
  id reference status paymentMethod description amount {MONEY} refundedAmount {MONEY} netAmount {MONEY}
  createdAt completedAt user {{ id }} course {{ id }}
  refunds {{ id amount {MONEY} reason status createdAt completedAt }}
}}"""
PURCHASE = f"{TRANSACTION} checkoutUrl enrollment {{ id status source }}"
TRANSACTION_BY_ID = f"query Q($id: ID!) {{ node(id: $id) {{ ... on Transaction {{ {TRANSACTION[13:-1]} }} }} }}"
ACCESS = "query Q($id: ID!) { node(id: $id) { ... on Course { viewerEnrollment { status source } } } }"
FORM = "application/x-www-form-urlencoded"


class BillingClient(MutationClient):
    """One actor's mutations of money."""

    documents: ClassVar[dict[str, tuple[str, str]]] = {
        "purchaseCourse": ("PurchaseCourseInput", PURCHASE),
        "cancelTransaction": ("TransactionIdInput", TRANSACTION),
        "confirmBankTransfer": ("ConfirmBankTransferInput", TRANSACTION),
        "cancelEnrollment": ("EnrollmentIdInput", "enrollment { id status }"),
        "enroll": ("EnrollInput", "enrollment { id status source }"),
    }

    def __init__(self, client: Client, actor: Actor) -> None:
        super().__init__(client, actor)
        self._service_client = client

    def purchase(self, course: CourseTree, **input: Any) -> Any:
        """Start a purchase, and return its payload without `errors`, which must be empty."""
        payload = self.payload("purchaseCourse", **purchase_input(course, **input))
        assert payload.pop("errors") == []
        return payload

    def purchase_error(self, course: CourseTree, **input: Any) -> tuple[str, str | None]:
        """Return the code and the input field of the only error of a purchase."""
        payload = self.payload("purchaseCourse", **purchase_input(course, **input))
        (error,) = payload["errors"]
        assert payload["transaction"] is payload["checkoutUrl"] is payload["enrollment"] is None
        return error["code"], None if error["path"] is None else error["path"][1]

    def transaction(self, id: str) -> Any:
        """Return the transaction as this actor sees it; None if it is not visible."""
        return self._service_client.execute(TRANSACTION_BY_ID, as_=self.actor, id=id)["node"]

    def access(self, course: CourseTree) -> tuple[str, str] | None:
        """Return the status and the source of the actor's enrollment."""
        node = self._service_client.execute(ACCESS, as_=self.actor, id=course.global_id)["node"]
        enrollment = node["viewerEnrollment"]
        return None if enrollment is None else (enrollment["status"], enrollment["source"])


def purchase_input(course: CourseTree, **input: Any) -> dict[str, Any]:
    """Return the input of a purchase with the fake gateway at today's price, with a key for each course."""
    price = course.row.price
    defaults = {
        "courseId": course.global_id,
        "paymentMethod": "FAKE" if price else "FREE",
        "expectedPrice": price_text(course),
        "idempotencyKey": f"key of {course.slug}",
    }
    return {**defaults, **input}


def price_text(course: CourseTree) -> str:
    """Return the price as the API does, with the currency's decimals, computed without the service's own code."""
    decimals = {"USD": 2, "JPY": 0, "KRW": 0, "BHD": 3}[course.row.currency]
    digits = str(course.row.price).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


def purchase_request(course: CourseTree, bearer: str, **input: Any) -> RaceRequest:
    selection = "transaction { id status } checkoutUrl enrollment { id } errors { code path }"
    document = f"mutation M($input: PurchaseCourseInput!) {{ purchaseCourse(input: $input) {{ {selection} }} }}"
    return RaceRequest(document, {"input": purchase_input(course, **input)}, bearer)


class FakeGatewayClient:
    """A buyer's browser on the page of the fake gateway, and its webhooks. `signer` is the service's."""

    def __init__(self, http: httpx.Client, signer: Signer) -> None:
        self._http = http
        self._secret = fake_webhooks.secret_of(signer)

    @classmethod
    def of(cls, service: Service) -> "FakeGatewayClient":
        return cls(plain_http(service.url), service.resources.signer)

    def settle(self, checkout_url: str, outcome: str = "pay") -> httpx.Response:
        """Send the form of the page. The service sends its webhook before it answers."""
        return self._http.post(checkout_url, data={"outcome": outcome})

    def page(self, checkout_url: str) -> httpx.Response:
        return self._http.get(checkout_url)

    def send(self, event: Event) -> httpx.Response:
        """Send an event as a signed webhook."""
        return self.send_body(fake_webhooks.write(event))

    def send_body(self, body: bytes, **changes: Any) -> httpx.Response:
        """Send a body with its signature. `changes` are other values for `signed_body`, `now` and `path`."""
        signed, now = changes.get("signed_body", body), changes.get("now", clock.now())
        headers = {fake_webhooks.SIGNATURE_HEADER: fake_webhooks.signature(self._secret, signed, now)}
        return self._http.post(changes.get("path", "/webhooks/fake"), content=body, headers=headers)

    def close(self) -> None:
        self._http.close()


def dispute_event(kind: EventKind, payment_id: str | None, dispute_id: str = "dispute-1", number: int = 1) -> Event:
    """Return an event as Stripe and PayPal send it: it names the payment, but not the transaction."""
    return Event(f"{dispute_id} {kind.value} {number}", kind, payment_id=payment_id, dispute_id=dispute_id)


def settle_silently(service: Service, transaction_id: str, *, is_paid: bool = True) -> Event:
    """Pay or decline at the fake gateway without its webhook, as if it was lost. Return its event."""
    key = global_ids.decode_key("Transaction", transaction_id)
    statement = select(FakePayment.token).join(Transaction, Transaction.transaction_id == FakePayment.reference)

    def settle(session: Any) -> Event | None:
        token = session.scalars(statement.where(Transaction.id == key)).one()
        return fake.settle(session, token, is_paid=is_paid)

    event = service.database.write_sync(settle)
    assert event is not None
    return event
