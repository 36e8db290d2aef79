"""Sales of the demo data: valid by the rules of billing, and worth looking at for the seed users."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.billing import refund_rules
from lms_graphql.billing.ledger_models import Earning, InstructorPayout, PayoutStatus
from lms_graphql.billing.models import Refund, RefundKind, Transaction, TransactionStatus
from lms_graphql.billing.services import expiration, ledger_repair, reconciliation
from lms_graphql.billing.services.refund_calls import reconcile_refunds
from lms_graphql.billing.transitions import SUCCESSFUL
from lms_graphql.catalog.models import Course, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.certificates.models import Certificate
from lms_graphql.demo.timeline import TODAY
from lms_graphql.learning.completion_percent import percent
from lms_graphql.learning.models import CourseProgress
from lms_graphql.settings import Settings
from tests.billing.ledger_client import payment_resources
from tests.demo_service import run_demo_service, seed_user_token
from tests.live_service import Client, Service

pytestmark = pytest.mark.slow

MONEY = "{ amount currency }"
TRANSACTIONS = f"""{{ transactions(first: 20) {{ nodes {{
  status paymentMethod netAmount {MONEY} receiptUrl course {{ slug }} refunds {{ status reason }} }} }} }}"""
TEACHING = f"""{{ me {{ teaching {{
  balances {{ currency pending {MONEY} available {MONEY} paid {MONEY} }}
  earnings(first: 30) {{ nodes {{ amount {MONEY} status commissionRate payout {{ status }} }} }}
  payouts {{ nodes {{ amount {MONEY} status commissionRate statementUrl }} }}
}} }}
course(slug: "web-development-with-django") {{ analytics {{
  grossRevenue {MONEY} refundedRevenue {MONEY} }} }} }}"""

REFUND = """mutation M($input: RefundTransactionInput!) { refundTransaction(input: $input) {
  transaction { refunds { status } } errors { code } } }"""


@pytest.fixture(scope="module")
def demo_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a service with a demo of the default size."""
    with run_demo_service(tmp_path_factory.mktemp("demo"), learners=40) as service:
        yield service


@pytest.fixture
def session(demo_service: Service) -> Iterator[Session]:
    with Session(demo_service.database.read_engine) as session:
        yield session


@pytest.fixture
def client(demo_service: Service) -> Iterator[Client]:
    with closing(Client(demo_service)) as client:
        yield client


def test_ledger_keeps_its_invariants(session: Session) -> None:
    assert ledger_repair.find_ledger_drift(session) == []
    assert ledger_repair.find_ledger_errors(session) == []


def test_every_kind_of_sale_exists(session: Session) -> None:
    assert set(session.scalars(select(Transaction.status))) == set(TransactionStatus)
    kinds = select(Refund.kind, func.count()).group_by(Refund.kind)
    counts = dict(session.execute(kinds).all())
    assert counts.keys() == {RefundKind.LEARNER, RefundKind.ADMIN, RefundKind.DISPUTE}
    assert counts[RefundKind.DISPUTE] == 1
    assert set(session.scalars(select(InstructorPayout.status))) == {PayoutStatus.PAID, PayoutStatus.SCHEDULED}
    assert session.scalar(select(func.count()).where(Earning.amount < 0))
    pending = session.scalars(select(Transaction).where(Transaction.status == TransactionStatus.PENDING)).all()
    assert len(pending) == 1


def test_purchases_match_enrollments(session: Session) -> None:
    statement = select(Enrollment, Course).join(Course, Course.id == Enrollment.course_id)
    enrollments = {
        (enrollment.user_id, course.id): (enrollment, course) for enrollment, course in session.execute(statement)
    }
    paid = select(Transaction).where(Transaction.completed_at.is_not(None))
    sales = {(sale.user_id, sale.course_id): sale for sale in session.scalars(paid)}
    assert sales.keys() == {
        key for key, (enrollment, _) in enrollments.items() if enrollment.source is EnrollmentSource.PURCHASE
    }
    for key, sale in sales.items():
        enrollment, course = enrollments[key]
        assert sale.amount == course.price > 0
        assert sale.completed_at == enrollment.enrolled_at
        assert (enrollment.status is EnrollmentStatus.REFUNDED) == (sale.status not in SUCCESSFUL)
        assert sale.status in SUCCESSFUL or sale.updated_at == enrollment.updated_at
    for sale in session.scalars(select(Transaction)).all():
        course = session.get_one(Course, sale.course_id)
        user = session.get_one(User, sale.user_id)
        assert course.published_at is not None
        if user.username != "learner":  # seed users are registered when the database is set up
            assert user.created_at < sale.created_at
        assert course.published_at < sale.created_at <= sale.updated_at <= TODAY


def test_refunds_of_learners_keep_the_rules(session: Session) -> None:
    settings = Settings()
    certified = set(session.execute(select(Certificate.user_id, Certificate.course_id)).all())
    refunds = (
        select(Refund, Transaction, CourseProgress)
        .join(Transaction, Transaction.id == Refund.transaction_id)
        .join(
            CourseProgress,
            (CourseProgress.user_id == Transaction.user_id) & (CourseProgress.course_id == Transaction.course_id),
        )
    )
    for refund, sale, progress in session.execute(refunds.where(Refund.kind == RefundKind.LEARNER)):
        assert refund.requested_by_id == sale.user_id
        assert sale.completed_at is not None
        done = progress.completed_lectures + progress.passed_quizzes
        share = percent(done, progress.total_lectures + progress.total_quizzes)
        is_certified = (sale.user_id, sale.course_id) in certified
        refund_rules.require_learner_may_refund(
            refund_rules.LearnerFacts(sale.completed_at, share, is_certified, has_refunded_before=False),
            refund.amount,
            sale.amount,
            refund.created_at,
            days=settings.refund_days,
            max_progress=settings.refund_max_progress,
        )


def test_maintenance_changes_no_sale(demo_service: Service) -> None:
    resources = payment_resources(demo_service)
    assert expiration.cancel_overdue(demo_service.database) == 0
    assert reconciliation.reconcile_checkouts(resources) == reconcile_refunds(resources) == 0


def test_seed_learner_sees_transactions(client: Client) -> None:
    nodes = client.execute(TRANSACTIONS, bearer=seed_user_token(client, "learner"))["transactions"]["nodes"]
    seen = [(node["status"], node["paymentMethod"], node["course"]["slug"].split("-")[0]) for node in nodes]
    assert sorted(seen) == [
        ("CANCELLED", "FAKE", "go"),
        ("COMPLETED", "BANK_TRANSFER", "net"),
        ("COMPLETED", "FAKE", "c"),
        ("FAILED", "FAKE", "c"),
        ("PARTIALLY_REFUNDED", "FAKE", "modern"),
        ("PENDING", "BANK_TRANSFER", "rust"),
        ("REFUNDED", "FAKE", "go"),
    ]
    for node in nodes:
        assert (node["receiptUrl"] is None) == (node["status"] in {"PENDING", "FAILED", "CANCELLED"})
        assert len(node["refunds"]) == ("REFUNDED" in node["status"])


def test_instructor_sees_money(client: Client) -> None:
    data = client.execute(TEACHING, bearer=seed_user_token(client, "instructor"))
    teaching, revenue = data["me"]["teaching"], data["course"]["analytics"]
    (balance,) = teaching["balances"]
    earnings, payouts = teaching["earnings"]["nodes"], teaching["payouts"]["nodes"]
    assert {earning["commissionRate"] for earning in earnings} == {"70.00", "75.00"}
    assert {earning["status"] for earning in earnings} == {"AVAILABLE", "PAID", "REVERSED"}
    assert any(Decimal(earning["amount"]["amount"]) < 0 for earning in earnings)
    assert {payout["status"] for payout in payouts} == {"PAID", "SCHEDULED"}
    assert all((payout["statementUrl"] is not None) == (payout["status"] == "PAID") for payout in payouts)
    amounts = [Decimal(earning["amount"]["amount"]) for earning in earnings]
    parts = [Decimal(balance[name]["amount"]) for name in ("pending", "available", "paid")]
    assert sum(amounts) == sum(parts) > 0
    assert parts[0] == 0 < min(parts[1:])
    (gross,), (refunded,) = (revenue[name] for name in ("grossRevenue", "refundedRevenue"))
    assert Decimal(gross["amount"]) > Decimal(refunded["amount"]) > 0


def test_sale_of_the_demo_can_be_refunded(client: Client) -> None:
    admin, learner = (seed_user_token(client, name) for name in ("admin", "learner"))
    nodes = client.execute("{ transactions { nodes { id status } } }", bearer=learner)["transactions"]["nodes"]
    (id,) = [node["id"] for node in nodes if node["status"] == "PARTIALLY_REFUNDED"]
    refund = {"transactionId": id, "reason": "A second part.", "idempotencyKey": "1", "amount": "1.00"}
    payload = client.execute(REFUND, bearer=admin, input=refund)["refundTransaction"]
    assert payload["errors"] == []
    assert [refund["status"] for refund in payload["transaction"]["refunds"]] == ["SUCCEEDED"] * 2
