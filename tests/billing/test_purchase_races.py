"""Races of purchases and payments on two processes of the service.

These races can be lost, as was tried within ten rounds:

- Without the idempotency key, ten equal purchases make ten transactions.
- Without the old status in the UPDATE, a purchase that is cancelled is completed by a payment at the same time.
- Without the locks of the sale, one of ten confirmations of a bank transfer fails.
- Without the lock of missing disputes, a payment and its lost dispute do not see each other in half of the rounds.

Repeated events and payments cannot be lost, because of their unique keys. Two payments of one buyer were not lost
without the lock of the course: both create the enrollment, so that one transaction starts again.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import pytest
from sqlalchemy import func, select, update

from lms_graphql import wiring
from lms_graphql.accounts.models import User
from lms_graphql.billing.gateways.interface import Event, EventKind
from lms_graphql.billing.ledger_models import Earning
from lms_graphql.billing.models import Payment, PaymentOutcome, Refund, RefundStatus, Transaction, TransactionStatus
from lms_graphql.billing.services import reconciliation
from lms_graphql.billing.services.disputes import apply_stored_disputes
from lms_graphql.billing.services.gateway_calls import PaymentResources
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Role
from lms_graphql.core.database import Database
from lms_graphql.core.money import Money
from lms_graphql.core.orm import Model
from lms_graphql.core.signing import Signer
from tests.billing.billing_client import FakeGatewayClient, dispute_event, purchase_request
from tests.concurrency import RaceClients, RaceRequest, code_counts, race_clients, race_rounds, run_at_once
from tests.factories import CourseTree, Factories
from tests.live_service import plain_http
from tests.processes import SECRET, Cluster

pytestmark = pytest.mark.slow

CLIENTS = 10
ROUNDS = race_rounds(10)
"""Run 300 rounds after a change of purchases or payments."""
PRICE = 1999
ACT = "mutation M($input: %s!) { %s(input: $input) { errors { code path } } }"


class Processes(NamedTuple):
    """Two processes with clients of both, and what the tests read from the database."""

    cluster: Cluster
    clients: RaceClients
    gateways: list[FakeGatewayClient]
    make: Factories

    def buyer(self) -> tuple[User, str]:
        user = self.make.user()
        return user, self.cluster.access_token(user)

    def course(self) -> CourseTree:
        return self.make.course(price=PRICE)

    def purchase(self, course: CourseTree, bearer: str, key: str = "key", **input: Any) -> Any:
        """Start a purchase and return its payload."""
        response = self.clients.execute(purchase_request(course, bearer, idempotencyKey=key, **input))
        assert response.payload["errors"] == [], response.payload
        return response.payload

    def send(self, event: Event, number: int) -> int:
        """Send an event by one of the gateways, and return the status."""
        return self.gateways[number].send(event).status_code

    def code(self, request: RaceRequest) -> str | None:
        return self.clients.execute(request).code

    def run(self, task: Callable[[PaymentResources], int]) -> int:
        """Run a task of maintenance on connections of its own, which end with the thread."""
        database = Database(self.cluster.settings.url)
        try:
            return task(PaymentResources.create(database, self.cluster.settings, Signer(SECRET)))
        finally:
            database.dispose()

    def write(self, statement: Any) -> None:
        with self.cluster.database.engine.begin() as connection:
            connection.execute(statement)

    def scalars(self, statement: Any) -> list[Any]:
        return self.cluster.database.read_sync(lambda session: list(session.scalars(statement)))

    def count(self, table: type[Model]) -> int:
        return int(self.scalars(select(func.count()).select_from(table))[0])

    def statuses(self) -> list[TransactionStatus]:
        return self.scalars(select(Transaction.status).order_by(Transaction.id))

    def outcomes(self) -> list[PaymentOutcome]:
        return sorted(self.scalars(select(Payment.outcome)))

    def clear(self) -> None:
        self.cluster.delete_all_rows()


@pytest.fixture
def processes(two_processes: Cluster) -> Iterator[Processes]:
    wiring.register_hooks()
    urls = two_processes.urls
    gateways = [FakeGatewayClient(plain_http(urls[index % 2]), Signer(SECRET)) for index in range(CLIENTS)]
    with race_clients(urls, CLIENTS) as clients:
        yield Processes(two_processes, clients, gateways, Factories(two_processes.database))
    for gateway in gateways:
        gateway.close()


def paid_event(processes: Processes, transaction_id: str, payment: str = "payment") -> Event:
    key = global_ids.decode_key("Transaction", transaction_id)
    (reference,) = processes.scalars(select(Transaction.transaction_id).where(Transaction.id == key))
    id = f"{payment} of {reference}"
    return Event(id, EventKind.PAYMENT_RECEIVED, reference, payment_id=id, amount=Money(PRICE, "USD"))


def test_equal_purchases_make_one_transaction_and_equal_answers(processes: Processes) -> None:
    for _ in range(ROUNDS):
        _, bearer = processes.buyer()
        request = purchase_request(processes.course(), bearer)
        responses = processes.clients.race(*[request] * CLIENTS)
        payloads = [response.payload for response in responses]
        assert payloads == [payloads[0]] * CLIENTS
        assert payloads[0]["errors"] == []
        assert payloads[0]["checkoutUrl"] is not None
        assert processes.statuses() == [TransactionStatus.PENDING]
        processes.clear()


def test_payment_is_booked_once_by_webhooks_and_reconciliation(processes: Processes) -> None:
    """The form is sent, webhooks arrive and maintenance asks the gateway, all at once."""
    for _ in range(ROUNDS):
        _, bearer = processes.buyer()
        purchase = processes.purchase(processes.course(), bearer)
        event = paid_event(processes, purchase["transaction"]["id"], "fake")
        processes.write(update(Transaction).values(next_check_at=clock.now()))
        run_at_once(
            partial(processes.gateways[0].settle, purchase["checkoutUrl"]),
            partial(processes.gateways[1].settle, purchase["checkoutUrl"]),
            partial(processes.gateways[2].send, event),
            partial(processes.gateways[3].send, event),
            partial(processes.run, reconciliation.reconcile_checkouts),
        )
        # The webhook has an id of its own, as if the gateway had reported a second payment.
        assert processes.outcomes() == [PaymentOutcome.BOOKED, PaymentOutcome.DUPLICATE]
        assert processes.statuses() == [TransactionStatus.COMPLETED]
        assert [processes.count(table) for table in (Enrollment, Earning, Refund)] == [1, 1, 1]
        processes.clear()


def test_repeated_webhooks_have_one_effect(processes: Processes) -> None:
    for _ in range(ROUNDS):
        _, bearer = processes.buyer()
        purchase = processes.purchase(processes.course(), bearer)
        event = paid_event(processes, purchase["transaction"]["id"])
        statuses = run_at_once(*(partial(processes.send, event, number) for number in range(CLIENTS)))
        assert statuses == [200] * CLIENTS
        assert processes.statuses() == [TransactionStatus.COMPLETED]
        assert [processes.count(table) for table in (Payment, Enrollment, Earning)] == [1, 1, 1]
        processes.clear()


def test_one_of_two_payments_for_a_course_is_refunded(processes: Processes) -> None:
    for _ in range(ROUNDS):
        _, bearer = processes.buyer()
        course = processes.course()
        ids = [processes.purchase(course, bearer, key)["transaction"]["id"] for key in ("first", "second")]
        events = [paid_event(processes, id) for id in ids]
        statuses = run_at_once(*(partial(processes.send, event, number) for number, event in enumerate(events)))
        assert statuses == [200, 200]
        assert processes.outcomes() == [PaymentOutcome.BOOKED, PaymentOutcome.DUPLICATE]
        assert [processes.count(table) for table in (Enrollment, Earning, Refund)] == [1, 1, 1]
        processes.clear()


def test_lost_dispute_and_its_payment_at_once_refund_once(processes: Processes) -> None:
    """Two events of the dispute arrive with the payment."""
    for _ in range(ROUNDS):
        _, bearer = processes.buyer()
        paid = paid_event(processes, processes.purchase(processes.course(), bearer)["transaction"]["id"])
        lost = [dispute_event(EventKind.DISPUTE_LOST, paid.payment_id, number=number) for number in range(2)]
        events = enumerate((paid, *lost))
        assert run_at_once(*(partial(processes.send, event, number) for number, event in events)) == [200, 200, 200]
        assert processes.statuses() == [TransactionStatus.REFUNDED]
        assert processes.run(apply_stored_disputes) == 0
        assert processes.scalars(select(Refund.status)) == [RefundStatus.SUCCEEDED]
        processes.clear()


def test_cancellation_and_payment_at_once_agree(processes: Processes) -> None:
    """Either the purchase is completed and the cancellation refused, or it is cancelled and the payment refunded."""
    for _ in range(ROUNDS):
        _, bearer = processes.buyer()
        id = processes.purchase(processes.course(), bearer)["transaction"]["id"]
        document = ACT % ("TransactionIdInput", "cancelTransaction")
        cancel = RaceRequest(document, {"input": {"transactionId": id}}, bearer)
        answers: list[Any] = run_at_once(
            partial(processes.code, cancel), partial(processes.send, paid_event(processes, id), number=1)
        )
        result = (answers, processes.statuses(), processes.outcomes(), processes.count(Enrollment))
        completed = [TransactionStatus.COMPLETED], [PaymentOutcome.BOOKED], 1
        cancelled = [TransactionStatus.CANCELLED], [PaymentOutcome.LATE], 0
        assert result in ((["INVALID_TRANSITION", 200], *completed), ([None, 200], *cancelled))
        processes.clear()


def test_course_is_not_unpublished_while_it_is_bought(processes: Processes) -> None:
    for _ in range(ROUNDS):
        _, bearer = processes.buyer()
        course = processes.course()
        instructor = processes.cluster.access_token(course.instructor)
        unpublish = RaceRequest(
            ACT % ("CourseIdInput", "unpublishCourse"), {"input": {"courseId": course.global_id}}, instructor
        )
        responses = processes.clients.race(purchase_request(course, bearer), unpublish)
        codes = [response.code for response in responses]
        (status,) = processes.scalars(select(Course.status))
        assert (codes, status) in (
            ([None, "IN_USE"], CourseStatus.PUBLISHED),
            (["NOT_FOUND", None], CourseStatus.DRAFT),
        )
        processes.clear()


def test_bank_transfer_is_confirmed_once(processes: Processes) -> None:
    """Ten super admins confirm it. Then one reference confirms one of two transactions."""
    confirm = ACT % ("ConfirmBankTransferInput", "confirmBankTransfer")

    def request(id: str, bearer: str, reference: str | None) -> RaceRequest:
        input = {"transactionId": id, "externalReference": reference}
        return RaceRequest(confirm, {"input": input}, bearer)

    for _ in range(ROUNDS):
        admin = processes.cluster.access_token(processes.make.user(Role.SUPER_ADMIN))
        course = processes.course()
        ids = []
        for _ in range(3):
            _, bearer = processes.buyer()
            ids.append(processes.purchase(course, bearer, paymentMethod="BANK_TRANSFER")["transaction"]["id"])
        responses = processes.clients.race(*[request(ids[0], admin, None)] * CLIENTS)
        assert code_counts(responses) == {None: CLIENTS}
        responses = processes.clients.race(*[request(id, admin, "BANK-1") for id in ids[1:]])
        assert code_counts(responses) == {None: 1, "ALREADY_EXISTS": 1}
        assert processes.outcomes() == [PaymentOutcome.BOOKED] * 2
        assert sorted(processes.statuses()) == ["completed", "completed", "pending"]
        processes.clear()
