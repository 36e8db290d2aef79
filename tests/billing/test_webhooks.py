"""Webhooks: once for each event, in any order, signed over the raw body; and what is done with each payment."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select

from lms_graphql.billing.gateways import fake_webhooks
from lms_graphql.billing.gateways.interface import Event, EventKind
from lms_graphql.billing.ledger_models import Earning
from lms_graphql.billing.models import Dispute, GatewayEvent, Payment, PaymentOutcome, Refund, RefundKind
from lms_graphql.catalog.models import Enrollment, EnrollmentStatus
from lms_graphql.core import clock, global_ids
from lms_graphql.core.money import Money
from lms_graphql.core.orm import Model
from lms_graphql.settings import Settings
from tests.billing.billing_client import dispute_event, settle_silently
from tests.billing.conftest import PRICE, Shop
from tests.factories import global_id
from tests.live_service import Client, LogCapture, run_service


def count(shop: Shop, table: type[Model]) -> int:
    return (
        shop.service.database.read_sync(lambda session: session.scalar(select(func.count()).select_from(table))) or 0
    )


def outcomes(shop: Shop) -> list[PaymentOutcome]:
    statement = select(Payment.outcome).order_by(Payment.id)
    return shop.service.database.read_sync(lambda session: list(session.scalars(statement)))


def refund_kinds(shop: Shop) -> list[RefundKind]:
    statement = select(Refund.kind).order_by(Refund.id)
    return shop.service.database.read_sync(lambda session: list(session.scalars(statement)))


def status(shop: Shop, purchase: Any) -> str:
    text: str = shop.buyer.transaction(purchase["transaction"]["id"])["status"]
    return text


def paid_event(purchase: Any, id: str = "payment-1", amount: Money | None = None) -> Event:
    """Return an event of a payment for the purchase, with an event id of its own for each payment."""
    reference = purchase["transaction"]["reference"]
    amount = amount or Money(PRICE, "USD")
    return Event(f"event of {id}", EventKind.PAYMENT_RECEIVED, reference, payment_id=id, amount=amount)


def failed_event(purchase: Any) -> Event:
    return Event("failed", EventKind.PAYMENT_FAILED, purchase["transaction"]["reference"])


def earning_of(shop: Shop, transaction_key: int | None) -> Earning:
    return Earning(
        instructor_id=shop.course.instructor.id,
        transaction_id=transaction_key,
        sequence=0,
        currency="USD",
        net_amount=0,
        amount=0,
        platform_amount=0,
        commission_rate=Decimal(0),
        available_at=clock.now(),
    )


def test_repeated_event_has_one_effect(shop: Shop) -> None:
    purchase = shop.buyer.purchase(shop.course)
    event = settle_silently(shop.service, purchase["transaction"]["id"])
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(shop.gateway.send, [event] * 5))
    answers += [shop.gateway.send(event) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 10
    assert status(shop, purchase) == "COMPLETED"
    counts = [count(shop, table) for table in (GatewayEvent, Payment, Earning, Enrollment)]
    assert counts == [1, 1, 1, 1]


def test_purchase_stays_pending_until_the_webhook(shop: Shop) -> None:
    """The buyer returns before the webhook: the purchase has not failed."""
    purchase = shop.buyer.purchase(shop.course)
    event = settle_silently(shop.service, purchase["transaction"]["id"])
    assert status(shop, purchase) == "PENDING"
    assert shop.buyer.access(shop.course) is None
    assert shop.buyer.purchase(shop.course)["transaction"]["status"] == "PENDING"
    assert shop.gateway.send(event).status_code == 200
    assert status(shop, purchase) == "COMPLETED"
    assert shop.buyer.access(shop.course) == ("ACTIVE", "PURCHASE")


def test_failure_inside_the_payment_stores_nothing(shop: Shop) -> None:
    """A row that is in the way lets the transaction of the payment fail after the enrollment.

    The gateway sends the event again, which then completes the purchase and the enrollment.
    """
    purchase = shop.buyer.purchase(shop.course)
    event = settle_silently(shop.service, purchase["transaction"]["id"])
    key = global_ids.decode_key("Transaction", purchase["transaction"]["id"])
    in_the_way = earning_of(shop, key)
    shop.service.database.write_sync(lambda session: session.add(in_the_way))
    assert shop.gateway.send(event).status_code == 500
    assert (status(shop, purchase), shop.buyer.access(shop.course)) == ("PENDING", None)
    assert [count(shop, table) for table in (GatewayEvent, Payment, Enrollment)] == [0, 0, 0]
    shop.service.database.write_sync(lambda session: session.delete(in_the_way))
    assert shop.gateway.send(event).status_code == 200
    assert status(shop, purchase) == "COMPLETED"
    assert shop.buyer.access(shop.course) == ("ACTIVE", "PURCHASE")


def test_only_signed_and_recent_bodies_are_accepted(shop: Shop) -> None:
    purchase = shop.buyer.purchase(shop.course)
    body = fake_webhooks.write(settle_silently(shop.service, purchase["transaction"]["id"]))
    old, early = clock.now() - timedelta(minutes=6), clock.now() + timedelta(minutes=6)
    compact, other_order = body, orjson.dumps(dict(reversed(orjson.loads(body).items())), option=orjson.OPT_INDENT_2)
    without_ids = [dispute_event(EventKind.DISPUTE_LOST, *ids) for ids in ((None, "dispute"), ("payment", ""))]
    refused: list[tuple[bytes, dict[str, Any]]] = [
        (body, {"signed_body": body.replace(b"1999", b"1998")}),
        (body.replace(b"1999", b"1998"), {"signed_body": body}),
        (other_order, {"signed_body": compact}),
        (b"\xef\xbb\xbf" + body, {"signed_body": body}),
        (b"\xef\xbb\xbf" + body, {}),
        (body, {"now": old}),
        (body, {"now": early}),
        (b"{}", {}),
        (b'{"id": 1', {}),
        (body.replace(b'"paymentId"', b'"id"'), {}),
        (body.replace(b"USD", b"XXX"), {}),
        (body.replace(b"payment_received", b"paid"), {}),
        *((fake_webhooks.write(event), {}) for event in without_ids),
    ]
    for sent, changes in refused:
        assert shop.gateway.send_body(sent, **changes).status_code == 400, (sent, changes)
    assert shop.client.send("POST", "/webhooks/fake", content=body).status_code == 400
    malformed_header = {fake_webhooks.SIGNATURE_HEADER: "t=x,v1=\u00e9".encode()}
    assert shop.client.send("POST", "/webhooks/fake", content=body, headers=malformed_header).status_code == 400
    for path in ("/webhooks/stripe", "/webhooks/FAKE", "/webhooks/free"):
        assert shop.gateway.send_body(body, path=path).status_code == 404
    assert shop.gateway.send_body(body, path="/webhooks/bank_transfer").status_code == 400
    assert shop.client.get("/webhooks/fake").status_code == 405
    assert shop.gateway.send_body(b" " * 300_000).status_code == 413
    assert (count(shop, GatewayEvent), status(shop, purchase)) == (0, "PENDING")
    assert shop.gateway.send_body(other_order).status_code == 200
    assert status(shop, purchase) == "COMPLETED"


@pytest.mark.parametrize("amount", [Money(PRICE - 1, "USD"), Money(PRICE + 1, "USD"), Money(PRICE, "EUR")])
@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_payment_of_another_amount_is_recorded_but_not_booked(
    shop: Shop, amount: Money, captured_log: LogCapture
) -> None:
    purchase = shop.buyer.purchase(shop.course)
    assert shop.gateway.send(paid_event(purchase, amount=amount)).status_code == 200
    assert (status(shop, purchase), outcomes(shop)) == ("PENDING", [PaymentOutcome.MISMATCH])
    assert shop.buyer.access(shop.course) is None
    (line,) = [json.loads(line) for line in captured_log.text.splitlines() if "payment_mismatch" in line]
    assert len(line["request_id"]) == 32, "worker threads log with the request's id"
    assert shop.gateway.send(paid_event(purchase, "payment-2")).status_code == 200
    assert status(shop, purchase) == "COMPLETED"


def test_late_payments_are_recorded_and_refunded(shop: Shop) -> None:
    cancelled = shop.buyer.purchase(shop.course)
    shop.buyer.ok("cancelTransaction", transactionId=cancelled["transaction"]["id"])
    failed = shop.buyer.purchase(shop.course, idempotencyKey="failed")
    shop.gateway.send(failed_event(failed))
    for index, purchase in enumerate((cancelled, failed)):
        assert shop.gateway.send(paid_event(purchase, f"late-{index}")).status_code == 200
    assert (status(shop, cancelled), status(shop, failed)) == ("CANCELLED", "FAILED")
    assert outcomes(shop) == [PaymentOutcome.LATE] * 2
    assert refund_kinds(shop) == [RefundKind.LATE_PAYMENT] * 2
    assert shop.buyer.access(shop.course) is None
    assert count(shop, Earning) == 0


def test_second_payment_of_a_course_is_refunded(shop: Shop) -> None:
    """The second purchase is paid first. Then the payments of the first one are not needed."""
    first, second = (shop.buyer.purchase(shop.course, idempotencyKey=key) for key in ("first", "second"))
    for purchase, payment in ((second, "a"), (first, "b"), (first, "c"), (second, "d")):
        assert shop.gateway.send(paid_event(purchase, payment)).status_code == 200
    used, duplicate = PaymentOutcome.BOOKED, PaymentOutcome.DUPLICATE
    assert outcomes(shop) == [used, duplicate, duplicate, duplicate]
    assert refund_kinds(shop) == [RefundKind.DUPLICATE_PAYMENT] * 3
    assert status(shop, second) == "COMPLETED"
    assert status(shop, first) in {"COMPLETED", "REFUNDED"}  # the background of the service refunds it
    assert (count(shop, Earning), count(shop, Enrollment)) == (1, 1)


def test_events_out_of_order_are_harmless(shop: Shop) -> None:
    purchase = shop.buyer.purchase(shop.course)
    reference = purchase["transaction"]["reference"]
    for kind in (EventKind.REFUND_CHANGED, EventKind.CHECKOUT_CHANGED):
        assert shop.gateway.send(Event(f"early {kind}", kind, reference)).status_code == 200
    shop.gateway.send(paid_event(purchase))
    assert shop.gateway.send(failed_event(purchase)).status_code == 200
    assert status(shop, purchase) == "COMPLETED"
    unknown = Event("unknown", EventKind.PAYMENT_RECEIVED, "T-none", payment_id="p", amount=Money(1, "USD"))
    assert shop.gateway.send(unknown).status_code == 200
    assert outcomes(shop) == [PaymentOutcome.BOOKED]


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_only_amounts_of_payments_are_read(shop: Shop) -> None:
    dispute = orjson.loads(fake_webhooks.write(dispute_event(EventKind.DISPUTE_OPENED, "payment")))
    refund = {**dispute, "id": "refund", "kind": EventKind.REFUND_CHANGED.value}
    for values in (dispute, refund):
        body = orjson.dumps({**values, "amount": {"units": "all", "currency": "of them"}})
        assert shop.gateway.send_body(body).status_code == 200
    assert [count(shop, table) for table in (GatewayEvent, Dispute)] == [2, 1]


def test_gateway_cannot_pay_what_belongs_to_another_one(shop: Shop) -> None:
    transfer = shop.buyer.purchase(shop.course, paymentMethod="BANK_TRANSFER")
    assert shop.gateway.send(paid_event(transfer)).status_code == 200
    assert (status(shop, transfer), outcomes(shop)) == ("PENDING", [])


def test_payment_of_a_deleted_account_is_refunded(shop: Shop) -> None:
    purchase = shop.buyer.purchase(shop.course)
    delete = "mutation M($input: UserIdInput!) { deleteUser(input: $input) { errors { code } } }"
    shop.client.execute(delete, as_=shop.admin.actor, input={"userId": global_id("User", shop.buyer_user)})
    assert shop.gateway.send(paid_event(purchase)).status_code == 200
    transaction = shop.admin.transaction(purchase["transaction"]["id"])
    assert (transaction["status"], outcomes(shop)) == ("CANCELLED", [PaymentOutcome.LATE])
    assert count(shop, Enrollment) == 0


def test_payment_does_not_end_a_suspension(shop: Shop) -> None:
    purchase = shop.buyer.purchase(shop.course)
    shop.make.enrollment(shop.buyer_user, shop.course, EnrollmentStatus.SUSPENDED)
    assert shop.gateway.settle(purchase["checkoutUrl"]).status_code == 303
    assert (status(shop, purchase), refund_kinds(shop)) == ("CANCELLED", [RefundKind.LATE_PAYMENT])
    assert shop.buyer.access(shop.course) == ("SUSPENDED", "FREE")


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_gateway_that_is_off_has_no_urls(service_settings: Settings) -> None:
    off = service_settings.model_copy(update={"payment_gateways": ()})
    with run_service(off) as service:
        client = Client(service)
        assert client.send("POST", "/webhooks/fake").status_code == 404
        assert client.get("/gateway/fake/checkout/token").status_code == 404
        client.close()
