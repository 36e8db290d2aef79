"""`Course.analytics`: values, visibility, and agreement with a reference model before and after refreshes."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from sqlalchemy import delete

from lms_graphql.analytics.models import CourseAnalytics, CourseRevenue, InstructorAnalytics, LectureAnalytics
from lms_graphql.analytics.services import refresh
from lms_graphql.billing.models import Transaction, TransactionStatus
from lms_graphql.catalog.models import Enrollment, EnrollmentStatus, Lecture
from lms_graphql.core.actor import ANONYMOUS, Role
from lms_graphql.learning.models import CourseProgress, LectureProgress
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service, StatementRecorder
from tests.row_writer import START

pytestmark = pytest.mark.usefixtures("no_maintenance")

ANALYTICS = """
query A($id: ID!) { node(id: $id) { ... on Course { analytics {
  id asOf enrollmentCount activeCount completionCount averageProgressPercent
  grossRevenue { amount currency } refundedRevenue { amount currency }
  lectures { lecture { id } startedCount completedCount averageWatchSeconds }
} } } }
"""


def analytics(client: Client, make: Factories, course: CourseTree) -> Any:
    return client.execute(ANALYTICS, as_=make.actor(course.instructor), id=course.global_id)["node"]["analytics"]


def statistics(client: Client, make: Factories, course: CourseTree) -> Any:
    """Return the analytics without `asOf`."""
    values = analytics(client, make, course)
    values.pop("asOf")
    return values


class ReferenceModel:
    """The expected statistics of a course, computed from plain lists in plain Python."""

    def __init__(self, make: Factories, course: CourseTree) -> None:
        self.make = make
        self.course = course
        self.enrollments: list[Enrollment] = []
        self.progress: dict[int, CourseProgress] = {}
        self.lecture_progress: dict[int, list[LectureProgress]] = defaultdict(list)
        self.transactions: list[Transaction] = []

    def statistics(self, now: datetime) -> dict[str, Any]:
        percents = [self._percent(self.progress.get(enrollment.user_id)) for enrollment in self.enrollments]
        gross: defaultdict[str, int] = defaultdict(int)
        refunded: defaultdict[str, int] = defaultdict(int)
        for transaction in self.transactions:
            if transaction.status.name in {"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"}:
                gross[transaction.currency] += transaction.amount
                refunded[transaction.currency] += transaction.refunded_amount
        return {
            "id": self.analytics_id,
            "enrollmentCount": len(self.enrollments),
            "activeCount": sum(
                enrollment.status is EnrollmentStatus.ACTIVE
                and (enrollment.access_expires_at is None or enrollment.access_expires_at > now)
                for enrollment in self.enrollments
            ),
            "completionCount": sum(enrollment.completed_at is not None for enrollment in self.enrollments),
            "averageProgressPercent": mean(percents),
            "grossRevenue": self._money(gross),
            "refundedRevenue": self._money(refunded),
            "lectures": [self._lecture(lecture) for lecture in self.course.lectures],
        }

    def _percent(self, progress: CourseProgress | None) -> Decimal:
        return Decimal(0) if progress is None else progress.completion_percentage

    def _lecture(self, lecture: Lecture) -> dict[str, Any]:
        rows = self.lecture_progress[lecture.id]
        return {
            "lecture": {"id": global_id("Lecture", lecture)},
            "startedCount": len(rows),
            "completedCount": sum(row.is_completed for row in rows),
            "averageWatchSeconds": mean([Decimal(row.watch_time) for row in rows]),
        }

    def _money(self, units: dict[str, int]) -> list[dict[str, str]]:
        decimals = {"JPY": 0, "USD": 2, "BHD": 3}
        return [
            {"amount": format(Decimal(number).scaleb(-decimals[currency]), "f"), "currency": currency}
            for currency, number in sorted(units.items())
            if number
        ]

    @property
    def analytics_id(self) -> str:
        return global_id("CourseAnalytics", self.course.row)


def mean(values: list[Decimal]) -> float:
    exact = sum(values, Decimal(0)) / len(values) if values else Decimal(0)
    return float(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))


def add_random_activity(rng: random.Random, make: Factories, model: ReferenceModel, learners: int) -> None:
    """Add enrollments, progress and transactions of new learners to the database and to the model."""
    now = datetime.now(UTC)
    for _ in range(learners):
        user, status = make.user(), rng.choice(list(EnrollmentStatus))
        expires = rng.choice([None, None, now - timedelta(days=1), now + timedelta(days=1)])
        completed = START if status is EnrollmentStatus.COMPLETED or rng.random() < 0.1 else None
        enrollment = make.enrollment(user, model.course, status, access_expires_at=expires, completed_at=completed)
        model.enrollments.append(enrollment)
        if rng.random() < 0.8:
            lectures, quizzes = rng.choice([0, 1, 3, 7, 999]), rng.choice([0, 0, 1, 7])
            counts = {"total_lectures": lectures, "total_quizzes": quizzes}
            completed_counts = {
                "completed_lectures": rng.randint(0, lectures),
                "passed_quizzes": rng.randint(0, quizzes),
            }
            model.progress[user.id] = make.progress(enrollment, **counts, **completed_counts)
        for lecture in model.course.lectures:
            if rng.random() < 0.4:
                values = {"watch_time": rng.randint(0, 60), "is_completed": rng.random() < 0.5}
                model.lecture_progress[lecture.id].append(make.lecture_progress(user, lecture, **values))
        for _ in range(rng.choice([0, 1, 1, 2])):
            payment_status, amount = rng.choice(list(TransactionStatus)), rng.choice([0, 1999, 10**12])
            refunds = {TransactionStatus.REFUNDED: amount, TransactionStatus.PARTIALLY_REFUNDED: amount // 3}
            state: dict[str, Any] = {"status": payment_status, "refunded_amount": refunds.get(payment_status, 0)}
            currency = rng.choice(["USD", "JPY", "BHD"])
            model.transactions.append(make.transaction(user, model.course, amount=amount, currency=currency, **state))


@pytest.fixture
def models(make: Factories) -> list[ReferenceModel]:
    instructor = make.user(Role.INSTRUCTOR)
    return [ReferenceModel(make, make.course(instructor=instructor, sections=2)) for _ in range(3)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_analytics_match_reference_model_before_and_after_refreshes(
    client: Client, service: Service, make: Factories, models: list[ReferenceModel], seed: int
) -> None:
    rng, first = random.Random(seed), 5
    for max_learners in (first, 3, 0, 2):
        for model in models:
            add_random_activity(rng, make, model, rng.randint(0, max_learners))
        if max_learners == first:  # nothing is stored yet
            for model in models:
                assert statistics(client, make, model.course) == model.statistics(datetime.now(UTC)), seed
        refresh.refresh_analytics(service.database)
        for model in models:
            assert statistics(client, make, model.course) == model.statistics(datetime.now(UTC)), seed
    assert service.database.read_sync(refresh.find_analytics_drift) == []


def test_analytics_are_live_until_the_first_refresh(client: Client, service: Service, make: Factories) -> None:
    course = make.course()
    make.enrollment(make.user(), course)
    before = datetime.now(UTC)
    live = analytics(client, make, course)
    assert live["enrollmentCount"] == 1
    assert before <= datetime.fromisoformat(live["asOf"]) <= datetime.now(UTC)
    refresh.refresh_analytics(service.database)
    make.enrollment(make.user(), course)
    assert analytics(client, make, course)["enrollmentCount"] == 1  # the stored value
    refresh.refresh_analytics(service.database)
    assert analytics(client, make, course)["enrollmentCount"] == 2


@pytest.mark.parametrize("is_stored", [False, True])
def test_analytics_are_visible_to_course_staff_only(
    client: Client, service: Service, make: Factories, is_stored: bool
) -> None:
    course, enrolled = make.course(), make.user()
    make.enrollment(enrolled, course)
    make.course(instructor=(other_instructor := make.user(Role.INSTRUCTOR)))
    if is_stored:
        refresh.refresh_analytics(service.database)
    for actor in (ANONYMOUS, make.actor(enrolled), make.actor(make.user()), make.actor(other_instructor)):
        body = client.graphql(ANALYTICS, as_=actor, id=course.global_id)
        assert body["data"]["node"] == {"analytics": None}
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        assert body["errors"][0]["path"] == ["node", "analytics"]
    for actor in (make.actor(course.instructor), make.actor(make.user(Role.SUPER_ADMIN))):
        id = client.execute(ANALYTICS, as_=actor, id=course.global_id)["node"]["analytics"]["id"]
        assert client.execute("query N($id: ID!) { node(id: $id) { id } }", as_=actor, id=id) == {"node": None}


@pytest.mark.query_budget
def test_analytics_statement_count_is_constant(
    client: Client, service: Service, make: Factories, statements: StatementRecorder
) -> None:
    document = """{ me { teaching { learnerCount } courses(first: 100) { nodes { title analytics {
      averageProgressPercent grossRevenue { amount } refundedRevenue { amount }
      lectures { startedCount lecture { title } }
    } } } } }"""
    instructor = make.user(Role.INSTRUCTOR)
    stored_counts: set[int] = set()
    live_counts: set[int] = set()
    for number in (1, 7):
        for _ in range(number):
            course = make.course(instructor=instructor)
            make.enrollment(learner := make.user(), course)
            make.lecture_progress(learner, course.lectures[0])
        for counts in (live_counts, stored_counts):
            with statements:
                client.execute(document, as_=make.actor(instructor))
            counts.add(statements.count)
            refresh.refresh_analytics(service.database)
        with service.engine.begin() as connection:
            for table in (CourseAnalytics, LectureAnalytics, CourseRevenue, InstructorAnalytics):
                connection.execute(delete(table))
    assert len(stored_counts) == len(live_counts) == 1
    assert max(stored_counts) == 7
