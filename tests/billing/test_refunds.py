"""Refunds: what learners and super admins may refund, in parts and whole, and what follows from it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from lms_graphql.accounts.models import AuditEvent
from lms_graphql.analytics.services.refresh import find_analytics_drift, refresh_analytics
from lms_graphql.billing.models import PaymentMethod, Refund, TransactionStatus
from lms_graphql.catalog.models import Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.certificates.models import Certificate, RevocationReason
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.mail.models import Mail
from tests.billing.ledger_client import LedgerClient, Refunds, refund_input
from tests.billing.ledger_factories import LedgerFactories
from tests.factories import Factories
from tests.live_service import Client, Service

REVENUE = """query Q($id: ID!) { node(id: $id) { ... on Course {
  analytics { grossRevenue { amount } refundedRevenue { amount } }
} } }"""
Prepare = Callable[["Refunds"], None]


def with_progress(completed: int) -> Prepare:
    def prepare(refunds: Refunds) -> None:
        counts = {"completed_lectures": completed, "total_lectures": 100}
        refunds.make.progress(refunds.enrollment(), **counts)

    return prepare


def with_certificate(refunds: Refunds) -> None:
    refunds.make.certificate(refunds.sale.buyer, refunds.sale.course)


def paid_days_ago(days: int) -> Prepare:
    return lambda refunds: refunds.set(completed_at=clock.now() - timedelta(days=days, minutes=-1))


def refunded_before(refunds: Refunds) -> None:
    """Let the buyer refund the course once, and buy it again."""
    refunds.buyer.refund(refunds.sale, "first")
    refunds.ledger.write(lambda session: session.execute(delete(Enrollment)) and None)
    refunds.sale = refunds.ledger.sale(buyer=refunds.sale.buyer, course=refunds.sale.course)


TRANSACTION, AMOUNT = "transactionId", "amount"
ALL: dict[str, str] = {}
PART, MORE = {"amount": "19.99"}, {"amount": "20.01"}
RULES: list[tuple[str, Prepare, dict[str, str], tuple[str, str] | None]] = [
    ("all", lambda refunds: None, ALL, None),
    ("all, by amount", lambda refunds: None, {"amount": "20"}, None),
    ("a part", lambda refunds: None, PART, ("NOT_REFUNDABLE", AMOUNT)),
    ("more than was paid", lambda refunds: None, MORE, ("OUT_OF_RANGE", AMOUNT)),
    ("on the last day", paid_days_ago(30), ALL, None),
    ("too late", lambda refunds: refunds.set(completed_at=clock.now() - timedelta(days=30, minutes=1)), ALL,
     ("NOT_REFUNDABLE", TRANSACTION)),
    ("29 % progress", with_progress(29), ALL, None),
    ("30 % progress", with_progress(30), ALL, ("NOT_REFUNDABLE", TRANSACTION)),
    ("certificate", with_certificate, ALL, ("NOT_REFUNDABLE", TRANSACTION)),
    ("once for a course", refunded_before, ALL, ("NOT_REFUNDABLE", TRANSACTION)),
    ("in dispute", lambda refunds: refunds.set(disputed_at=clock.now()), ALL, ("NOT_REFUNDABLE", TRANSACTION)),
    *(
        (status.value, lambda refunds, status=status: refunds.set(status=status), ALL,
         ("NOT_REFUNDABLE", TRANSACTION))
        for status in (TransactionStatus.PENDING, TransactionStatus.FAILED, TransactionStatus.CANCELLED)
    ),
]  # fmt: skip


@pytest.mark.parametrize(("prepare", "input", "error"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_learners_refund_under_rules(
    refunds: Refunds, prepare: Prepare, input: dict[str, str], error: tuple[str, str] | None
) -> None:
    prepare(refunds)
    if error is None:
        assert refunds.buyer.refund(refunds.sale, **input)["status"] == "REFUNDED"
    else:
        assert refunds.buyer.refund_errors(refunds.sale, **input) == [error]


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
@pytest.mark.parametrize("prepare", [paid_days_ago(400), with_progress(90), with_certificate, refunded_before])
def test_super_admins_refund_at_any_time(refunds: Refunds, prepare: Prepare) -> None:
    prepare(refunds)
    assert refunds.admin.refund(refunds.sale, amount="0.01")["status"] == "PARTIALLY_REFUNDED"


def test_only_buyer_and_super_admins_refund(refunds: Refunds) -> None:
    request = refund_input(refunds.sale, "a key")
    assert refunds.instructor.error_codes("refundTransaction", **request) == ["FORBIDDEN"]
    stranger = LedgerClient(refunds.client, refunds.make.actor(refunds.make.user(Role.INSTRUCTOR)))
    assert stranger.refund_errors(refunds.sale) == [("NOT_FOUND", TRANSACTION)]
    malformed = {**request, "transactionId": "nonsense"}
    assert refunds.buyer.user_errors("refundTransaction", **malformed) == [("NOT_FOUND", TRANSACTION)]
    assert refunds.amounts() == ("COMPLETED", "0.00", "20.00")


def test_complete_refund_ends_access_certificate_and_earning(refunds: Refunds) -> None:
    refunds.make.progress(refunds.enrollment(), completed_lectures=2, total_lectures=2)
    with_certificate(refunds)
    transaction = refunds.admin.refund(refunds.sale)
    assert (transaction["status"], transaction["refundedAmount"]["amount"]) == ("REFUNDED", "20.00")
    (refund,) = transaction["refunds"]
    assert refund.pop("id")
    assert refund.pop("createdAt") <= refund.pop("completedAt")
    amount = {"amount": "20.00", "currency": "USD"}
    assert refund == {"amount": amount, "status": "SUCCEEDED", "reason": "The course is not what I expected."}
    assert refunds.buyer.access(refunds.sale.course) == ("REFUNDED", "PURCHASE")
    assert refunds.instructor.earnings() == [("0.00", "0.00", "REVERSED")]
    assert refunds.instructor.balances() == [("USD", "0.00", "0.00", "0.00")]
    read = refunds.ledger.write
    certificate = read(lambda session: session.scalars(select(Certificate)).one())
    assert certificate.revocation_reason is RevocationReason.REFUND
    mails = select(Mail.kind, Mail.user_id)
    assert read(lambda session: [*map(tuple, session.execute(mails))]) == [("refund_notice", refunds.sale.buyer.id)]
    events = select(AuditEvent.action, AuditEvent.actor_id, AuditEvent.subject_id).order_by(AuditEvent.id)
    admin, key = refunds.admin.actor.key, refunds.sale.transaction.id
    assert read(lambda session: [*map(tuple, session.execute(events))]) == [
        ("refund.started", admin, key),
        ("certificate.revoked", admin, certificate.id),
        ("refund.succeeded", admin, key),
    ]
    assert refunds.ledger.problems() == []


def test_refund_without_amount_returns_the_rest(refunds: Refunds) -> None:
    """The case P13: a part before."""
    part = refunds.admin.refund(refunds.sale, "a part", amount="5.00")
    assert part["status"] == "PARTIALLY_REFUNDED"
    assert refunds.buyer.access(refunds.sale.course) == ("ACTIVE", "PURCHASE")
    assert refunds.instructor.earnings() == [("15.00", "10.50", "PENDING")]
    rest = refunds.admin.refund(refunds.sale, "the rest")
    assert [refund["amount"]["amount"] for refund in rest["refunds"]] == ["5.00", "15.00"]
    assert (rest["status"], rest["netAmount"]["amount"]) == ("REFUNDED", "0.00")
    assert refunds.buyer.access(refunds.sale.course) == ("REFUNDED", "PURCHASE")
    assert refunds.ledger.problems() == []


def test_refunds_in_thirds_leave_nothing(client: Client, make: Factories, ledger: LedgerFactories) -> None:
    """The case P15."""
    refunds = Refunds(client, make, ledger, amount="10.00")
    for number, amount in enumerate(("3.33", "3.33", None)):
        refunds.admin.refund(refunds.sale, f"third {number}", amount=amount)
    transaction = refunds.buyer.transaction(refunds.sale.id)
    assert [refund["amount"]["amount"] for refund in transaction["refunds"]] == ["3.33", "3.33", "3.34"]
    assert refunds.amounts() == ("REFUNDED", "10.00", "0.00")
    assert refunds.instructor.earnings() == [("0.00", "0.00", "REVERSED")]
    assert ledger.problems() == []
    assert refunds.admin.refund_errors(refunds.sale, "once more") == [("NOT_REFUNDABLE", TRANSACTION)]


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_wrong_amounts_and_reasons_are_refused(client: Client, make: Factories, ledger: LedgerFactories) -> None:
    for currency, amounts in {
        "USD": ["0", "-0.01", "1.001", "20.01", "9" * 400],
        "JPY": ["0.1", "0", "21", "-1"],
        "BHD": ["0.0001", "20.001"],
    }.items():
        refunds = Refunds(client, make, ledger, amount="20", currency=currency)
        for amount in amounts:
            errors = refunds.admin.refund_errors(refunds.sale, amount=amount)
            assert errors == [("OUT_OF_RANGE", AMOUNT)], (currency, amount)
        for malformed in (0.1, "NaN", "1e400", "-0", "1e1", "", "1,5", "Infinity"):
            request = refund_input(refunds.sale, "a key", amount=malformed)
            codes = refunds.admin.error_codes("refundTransaction", **request)
            assert codes == ["BAD_USER_INPUT"], malformed
        assert refunds.amounts()[0] == "COMPLETED"
    errors = refunds.admin.refund_errors(refunds.sale, amount="-1", reason=" ")
    assert errors == [("OUT_OF_RANGE", AMOUNT), ("REQUIRED", "reason")]
    assert refunds.admin.refund_errors(refunds.sale, reason="x" * 1001) == [("TOO_LONG", "reason")]
    assert ledger.count(Refund) == 0


def test_access_stays_if_something_else_gives_it(refunds: Refunds) -> None:
    granted = {"source": EnrollmentSource.GRANT}
    is_buyer = Enrollment.user_id == refunds.sale.buyer.id
    refunds.ledger.write(lambda session: session.execute(update(Enrollment).where(is_buyer).values(granted)) and None)
    assert refunds.admin.refund(refunds.sale)["status"] == "REFUNDED"
    assert refunds.buyer.access(refunds.sale.course) == ("ACTIVE", "GRANT")


def test_refund_ends_cancelled_enrollment(refunds: Refunds) -> None:
    """Otherwise the buyer could enroll again without paying."""
    is_buyer = Enrollment.user_id == refunds.sale.buyer.id
    cancelled = {"status": EnrollmentStatus.CANCELLED}
    refunds.ledger.write(
        lambda session: session.execute(update(Enrollment).where(is_buyer).values(cancelled)) and None
    )
    refunds.admin.refund(refunds.sale)
    assert refunds.buyer.user_errors("enroll", courseId=refunds.sale.course.global_id) == [
        ("PAYMENT_REQUIRED", "courseId")
    ]


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_payment_without_gateway_is_not_refundable(client: Client, make: Factories, ledger: LedgerFactories) -> None:
    refunds = Refunds(client, make, ledger, method=PaymentMethod.STRIPE)
    assert refunds.admin.refund_errors(refunds.sale) == [("NOT_REFUNDABLE", TRANSACTION)]
    assert ledger.problems() == []


def test_analytics_follow_refunds(refunds: Refunds, service: Service) -> None:
    """Each refund changes `transactions.updated_at`, by which the refresh finds the course."""

    def revenue() -> tuple[list[str], list[str]]:
        refresh_analytics(service.database)
        id = refunds.sale.course.global_id
        node = refunds.client.execute(REVENUE, as_=refunds.instructor.actor, id=id)["node"]["analytics"]
        gross, refunded = ([money["amount"] for money in node[name]] for name in ("grossRevenue", "refundedRevenue"))
        return gross, refunded

    assert revenue() == (["20.00"], [])
    refunds.admin.refund(refunds.sale, "a part", amount="5.00")
    assert revenue() == (["20.00"], ["5.00"])
    refunds.admin.refund(refunds.sale, "the rest")
    assert revenue() == (["20.00"], ["20.00"])
    assert refunds.ledger.write(find_analytics_drift) == []
