"""A database error at each statement of each change of money, COMMIT included: it happens once, with the same answer.

A deadlock must not be noticed. After a lost connection, the client may get an error and repeats its request.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import pytest
from sqlalchemy import String, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.billing.gateways.interface import Event, EventKind
from lms_graphql.billing.ledger_models import Earning, EarningEntry, InstructorPayout, PayoutItem
from lms_graphql.billing.models import Dispute, FakePayment, FakeRefund, GatewayEvent, Payment, Refund, Transaction
from lms_graphql.catalog.models import Course, Enrollment
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.core.idempotency import IdempotencyKey
from lms_graphql.mail.models import Mail
from tests.billing.billing_client import FakeGatewayClient, dispute_event, purchase_input, settle_silently
from tests.billing.conftest import PRICE
from tests.billing.ledger_client import LedgerClient, refund_input
from tests.billing.ledger_factories import LedgerFactories, Sale
from tests.error_injection import DATABASE_ERRORS, MAX_STATEMENTS, ErrorInjector, InjectedError
from tests.factories import CourseTree, Factories
from tests.live_service import Client, Service

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True),
]
UNAVAILABLE = {"UNAVAILABLE", "UNKNOWN_OUTCOME", "503"}
"""Answers after which the client sends its request again."""
COUNTED = (
    Transaction.status,
    Transaction.refunded_amount,
    Transaction.reserved_amount,
    Payment.outcome,
    Refund.status,
    GatewayEvent.kind,
    Dispute.status,
    FakePayment.status,
    FakePayment.refunded_amount,
    FakeRefund.amount,
    Earning.amount,
    Earning.payout_id.is_(None),
    EarningEntry.amount,
    InstructorPayout.status,
    PayoutItem.amount,
    Enrollment.status,
    Course.enrollment_count,
    IdempotencyKey.operation,
    AuditEvent.action,
    Mail.kind,
)
TRANSACTION = "transaction { id reference status refundedAmount { amount } refunds { id status amount { amount } } }"
PAYOUT = "{ id reference status amount { amount currency } processedAt }"
SELECTIONS = {
    "purchaseCourse": f"{TRANSACTION} checkoutUrl",
    "runPayouts": f"payouts {PAYOUT}",
    "settlePayout": f"payout {PAYOUT}",
}
COMPARED = {"amount", "currency", "status"}
"""Fields whose values are the same in each round. Ids, references and times differ."""
_COUNTS = union_all(
    *(
        select(literal(str(column)).label("name"), cast(column, String(100)).label("value"), func.count()).group_by(
            column
        )
        for column in COUNTED
    )
)


class RetriedClient(LedgerClient):
    """One actor's mutations, which return what they change and little else, because each read is a statement, too."""

    documents: ClassVar[dict[str, tuple[str, str]]] = {
        mutation: (input_type, SELECTIONS.get(mutation, TRANSACTION))
        for mutation, (input_type, _) in LedgerClient.documents.items()
    }


class Answer(NamedTuple):
    """Answer to a request. `code` is that of the error; None after success."""

    code: str | None
    payload: Any = None


Request = Callable[[], Answer]
"""Sends the same request each time."""


class Scenario:
    """The people and the sales of one test. Each request is about new rows, so that nothing needs to be deleted."""

    def __init__(self, service: Service, client: Client, make: Factories, gateway: FakeGatewayClient) -> None:
        self.service, self.client, self.make, self.gateway = service, client, make, gateway
        self.ledger, self.admin = LedgerFactories(make, service.database), self.client_of(make.user(Role.SUPER_ADMIN))

    def pending(self, method: str) -> tuple[RetriedClient, str]:
        """Return a buyer, and the id of a transaction that is not paid."""
        course, buyer = self.course(), self.buyer()
        return buyer, buyer.purchase(course, paymentMethod=method)["transaction"]["id"]

    def buyer(self) -> RetriedClient:
        return self.client_of(self.make.user())

    def client_of(self, user: User) -> RetriedClient:
        return RetriedClient(self.client, self.make.actor(user))

    def course(self) -> CourseTree:
        return self.make.course(price=PRICE, sections=0)

    def sale(self) -> Sale:
        return self.ledger.sale(course=self.course())

    def key(self) -> str:
        return f"key {self.ledger.next_number()}"

    def mutation(self, client: RetriedClient, name: str, input: dict[str, Any]) -> Request:
        def send() -> Answer:
            body = client.graphql(name, **input)
            for error in body.get("errors", ()):
                return Answer(error["extensions"]["code"])
            assert body["data"][name]["errors"] == []
            return Answer(None, body["data"][name])

        return send

    def webhook(self, event: Event) -> Request:
        def send() -> Answer:
            status = self.gateway.send(event).status_code
            return Answer(None if status == 200 else str(status))

        return send

    def payout_input(self) -> dict[str, str]:
        """Return the input of a run that pays two instructors."""
        for _ in range(2):
            self.ledger.sale("100.00", course=self.course(), days_ago=31)
        return {"periodEnd": clock.now().isoformat(), "idempotencyKey": self.key()}


@pytest.fixture
def scenario(service: Service, client: Client, make: Factories, gateway: FakeGatewayClient) -> Scenario:
    return Scenario(service, client, make, gateway)


def purchase(scenario: Scenario) -> Request:
    return scenario.mutation(scenario.buyer(), "purchaseCourse", purchase_input(scenario.course()))


def payment_received(scenario: Scenario) -> Request:
    _, id = scenario.pending("FAKE")
    return scenario.webhook(settle_silently(scenario.service, id))


def partial_refund(scenario: Scenario) -> Request:
    input = refund_input(scenario.sale(), scenario.key(), amount="5.00")
    return scenario.mutation(scenario.admin, "refundTransaction", input)


def full_refund(scenario: Scenario) -> Request:
    sale = scenario.sale()
    return scenario.mutation(scenario.client_of(sale.buyer), "refundTransaction", refund_input(sale, scenario.key()))


def lost_dispute(scenario: Scenario) -> Request:
    sale = scenario.sale()
    return scenario.webhook(dispute_event(EventKind.DISPUTE_LOST, sale.payment.gateway_payment_id, sale.id))


def lost_dispute_before_its_payment(scenario: Scenario) -> Request:
    """Report the payment of a purchase whose dispute was lost before."""
    _, id = scenario.pending("FAKE")
    paid = settle_silently(scenario.service, id)
    lost = dispute_event(EventKind.DISPUTE_LOST, paid.payment_id, id)
    assert scenario.webhook(lost)().code is None
    return scenario.webhook(paid)


def confirmed_transfer(scenario: Scenario) -> Request:
    _, id = scenario.pending("BANK_TRANSFER")
    return scenario.mutation(scenario.admin, "confirmBankTransfer", {"transactionId": id})


def cancellation(scenario: Scenario) -> Request:
    buyer, id = scenario.pending("FAKE")
    return scenario.mutation(buyer, "cancelTransaction", {"transactionId": id})


def payout_run(scenario: Scenario) -> Request:
    return scenario.mutation(scenario.admin, "runPayouts", scenario.payout_input())


def settled_payout(outcome: str) -> Callable[[Scenario], Request]:
    def prepare(scenario: Scenario) -> Request:
        # The earnings of the payout that failed before are paid again. The last payout is of a new instructor.
        payout = scenario.admin.ok("runPayouts", **scenario.payout_input())[-1]
        input = {"payoutId": payout["id"], "outcome": outcome}
        return scenario.mutation(scenario.admin, "settlePayout", input)

    return prepare


REQUESTS: dict[str, Callable[[Scenario], Request]] = {
    "purchaseCourse": purchase,
    "webhook of a payment": payment_received,
    "refundTransaction, a part": partial_refund,
    "refundTransaction, all": full_refund,
    "webhook of a lost dispute": lost_dispute,
    "webhook of a payment after its lost dispute": lost_dispute_before_its_payment,
    "confirmBankTransfer": confirmed_transfer,
    "cancelTransaction": cancellation,
    "runPayouts": payout_run,
    "settlePayout PAID": settled_payout("PAID"),
    "settlePayout FAILED": settled_payout("FAILED"),
}


def state(session: Session) -> Counter[tuple[str, str]]:
    """Return counts of rows by values that differ if a change happens twice, in part or not at all."""
    return Counter({(name, value): number for name, value, number in session.execute(_COUNTS)})


def compared(value: Any) -> Any:
    """Return an answer without the values that differ in each round."""
    if isinstance(value, dict):
        return {
            key: part if key in COMPARED and isinstance(part, str) else compared(part) for key, part in value.items()
        }
    if isinstance(value, list):
        return [compared(part) for part in value]
    return "…" if isinstance(value, str) else value


def send_again(scenario: Scenario, request: Request, first: Answer) -> Answer:
    """Send a request again, as a client does after a lost connection. After a success, the answer is the same."""
    if first.code is not None:
        assert first.code in UNAVAILABLE
        assert scenario.ledger.problems() == []
        return request()
    assert request() == first
    return first


@pytest.mark.parametrize("error", DATABASE_ERRORS)
@pytest.mark.parametrize("name", REQUESTS)
def test_money_changes_once_after_error_at_any_statement(
    scenario: Scenario, no_background_commits: None, name: str, error: InjectedError
) -> None:
    is_deadlock, read, expected = error is InjectedError.DEADLOCK, scenario.service.database.read_sync, None
    injector = ErrorInjector(
        scenario.service.database, error, writes_only=is_deadlock
    )  # a plain SELECT cannot deadlock
    for number in range(MAX_STATEMENTS):  # round 0 has no error and shows the expected result
        request = REQUESTS[name](scenario)
        before = read(state)
        with injector.inject_at(number or MAX_STATEMENTS):
            answer = request()
        if not is_deadlock:
            answer = send_again(scenario, request, answer)
        changes = read(state)
        changes.subtract(before)
        result = answer.code, compared(answer.payload), {key: change for key, change in changes.items() if change}
        expected = expected or result
        assert result == expected, f"after {error.value} at {number}"
        if number and not injector.was_injected:
            break
    assert expected is not None
    assert expected[0] is None
    assert expected[2]
    assert scenario.ledger.problems() == []
    assert 1 < number < MAX_STATEMENTS - 1
