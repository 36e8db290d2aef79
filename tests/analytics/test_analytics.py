"""A course's figures: what they count, for whom they are, and how the roll-up keeps them right."""

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
from tests.factories import START, CourseTree, Factories, global_id
from tests.live_service import Client, Service, Statements

pytestmark = pytest.mark.usefixtures("unswept")

ANALYTICS = """
query A($id: ID!) { node(id: $id) { ... on Course { analytics {
  id asOf enrollmentCount activeCount completionCount averageProgressPercent
  grossRevenue { amount currency } refundedRevenue { amount currency }
  lectures { lecture { id } startedCount completedCount averageWatchSeconds }
} } } }
"""


def analytics(client: Client, make: Factories, course: CourseTree) -> Any:
    return client.execute(ANALYTICS, as_=make.actor(course.instructor), id=course.global_id)["node"]["analytics"]


def figures(client: Client, make: Factories, course: CourseTree) -> Any:
    """Without the time of it."""
    found = analytics(client, make, course)
    found.pop("asOf")
    return found


class Model:
    """What the figures of a course must be, worked out of plain lists by plain Python."""

    def __init__(self, make: Factories, course: CourseTree) -> None:
        self.make = make
        self.course = course
        self.enrollments: list[Enrollment] = []
        self.progress: dict[int, CourseProgress] = {}
        self.watched: dict[int, list[LectureProgress]] = defaultdict(list)
        self.transactions: list[Transaction] = []

    def answer(self, now: datetime) -> dict[str, Any]:
        percents = [self._percent(self.progress.get(one.user_id)) for one in self.enrollments]
        gross: defaultdict[str, int] = defaultdict(int)
        refunded: defaultdict[str, int] = defaultdict(int)
        for one in self.transactions:
            if one.status.name in {"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"}:
                gross[one.currency] += one.amount
                refunded[one.currency] += one.refunded_amount
        return {
            "id": self.given_id,
            "enrollmentCount": len(self.enrollments),
            "activeCount": sum(
                one.status is EnrollmentStatus.ACTIVE
                and (one.access_expires_at is None or one.access_expires_at > now)
                for one in self.enrollments
            ),
            "completionCount": sum(one.completed_at is not None for one in self.enrollments),
            "averageProgressPercent": mean(percents),
            "grossRevenue": self._money(gross),
            "refundedRevenue": self._money(refunded),
            "lectures": [self._lecture(lecture) for lecture in self.course.lectures],
        }

    def _percent(self, progress: CourseProgress | None) -> Decimal:
        return Decimal(0) if progress is None else progress.completion_percentage

    def _lecture(self, lecture: Lecture) -> dict[str, Any]:
        opened = self.watched[lecture.id]
        return {
            "lecture": {"id": global_id("Lecture", lecture)},
            "startedCount": len(opened),
            "completedCount": sum(one.is_completed for one in opened),
            "averageWatchSeconds": mean([Decimal(one.watch_time) for one in opened]),
        }

    def _money(self, units: dict[str, int]) -> list[dict[str, str]]:
        places = {"JPY": 0, "USD": 2, "BHD": 3}
        return [
            {"amount": format(Decimal(number).scaleb(-places[currency]), "f"), "currency": currency}
            for currency, number in sorted(units.items())
            if number
        ]

    @property
    def given_id(self) -> str:
        return global_id("CourseAnalytics", self.course.row)


def mean(values: list[Decimal]) -> float:
    exact = sum(values, Decimal(0)) / len(values) if values else Decimal(0)
    return float(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))


def happen(rng: random.Random, make: Factories, model: Model, people: int) -> None:
    """Something of everything, by chance."""
    now = datetime.now(UTC)
    for _ in range(people):
        user, status = make.user(), rng.choice(list(EnrollmentStatus))
        expires = rng.choice([None, None, now - timedelta(days=1), now + timedelta(days=1)])
        completed = START if status is EnrollmentStatus.COMPLETED or rng.random() < 0.1 else None
        enrollment = make.enrollment(user, model.course, status, access_expires_at=expires, completed_at=completed)
        model.enrollments.append(enrollment)
        if rng.random() < 0.8:
            lectures, quizzes = rng.choice([0, 1, 3, 7, 999]), rng.choice([0, 0, 1, 7])
            counts = {"total_lectures": lectures, "total_quizzes": quizzes}
            done = {"completed_lectures": rng.randint(0, lectures), "passed_quizzes": rng.randint(0, quizzes)}
            model.progress[user.id] = make.progress(enrollment, **counts, **done)
        for lecture in model.course.lectures:
            if rng.random() < 0.4:
                values = {"watch_time": rng.randint(0, 60), "is_completed": rng.random() < 0.5}
                model.watched[lecture.id].append(make.lecture_progress(user, lecture, **values))
        for _ in range(rng.choice([0, 1, 1, 2])):
            status_of_it, amount = rng.choice(list(TransactionStatus)), rng.choice([0, 1999, 10**12])
            refunded = {TransactionStatus.REFUNDED: amount, TransactionStatus.PARTIALLY_REFUNDED: amount // 3}
            paid: dict[str, Any] = {"status": status_of_it, "refunded_amount": refunded.get(status_of_it, 0)}
            currency = rng.choice(["USD", "JPY", "BHD"])
            model.transactions.append(make.transaction(user, model.course, amount=amount, currency=currency, **paid))


@pytest.fixture
def models(make: Factories) -> list[Model]:
    teacher = make.user(Role.INSTRUCTOR)
    return [Model(make, make.course(instructor=teacher, sections=2)) for _ in range(3)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_figures_are_those_of_a_simple_model_before_and_after_each_sweep(
    client: Client, service: Service, make: Factories, models: list[Model], seed: int
) -> None:
    rng, first = random.Random(seed), 5
    for people in (first, 3, 0, 2):
        for model in models:
            happen(rng, make, model, rng.randint(0, people))
        if people == first:  # nothing is kept yet
            for model in models:
                assert figures(client, make, model.course) == model.answer(datetime.now(UTC)), seed
        refresh.refresh_analytics(service.database)
        for model in models:
            assert figures(client, make, model.course) == model.answer(datetime.now(UTC)), seed
    assert service.database.read_sync(refresh.find_analytics_drift) == []


def test_a_course_that_no_sweep_has_seen_yet_is_counted_at_once(
    client: Client, service: Service, make: Factories
) -> None:
    course = make.course()
    make.enrollment(make.user(), course)
    before = datetime.now(UTC)
    found = analytics(client, make, course)
    assert found["enrollmentCount"] == 1
    assert before <= datetime.fromisoformat(found["asOf"]) <= datetime.now(UTC)
    refresh.refresh_analytics(service.database)
    make.enrollment(make.user(), course)
    assert analytics(client, make, course)["enrollmentCount"] == 1  # as of the sweep
    refresh.refresh_analytics(service.database)
    assert analytics(client, make, course)["enrollmentCount"] == 2


@pytest.mark.parametrize("is_stored", [False, True])
def test_figures_are_for_course_staff(client: Client, service: Service, make: Factories, is_stored: bool) -> None:
    course, enrolled = make.course(), make.user()
    make.enrollment(enrolled, course)
    make.course(instructor=(rival := make.user(Role.INSTRUCTOR)))
    if is_stored:
        refresh.refresh_analytics(service.database)
    for actor in (ANONYMOUS, make.actor(enrolled), make.actor(make.user()), make.actor(rival)):
        answer = client.graphql(ANALYTICS, as_=actor, id=course.global_id)
        assert answer["data"]["node"] == {"analytics": None}
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        assert answer["errors"][0]["path"] == ["node", "analytics"]
    for actor in (make.actor(course.instructor), make.actor(make.user(Role.SUPER_ADMIN))):
        id = client.execute(ANALYTICS, as_=actor, id=course.global_id)["node"]["analytics"]["id"]
        assert client.execute("query N($id: ID!) { node(id: $id) { id } }", as_=actor, id=id) == {"node": None}


def test_figures_cost_the_same_for_one_course_and_for_many(
    client: Client, service: Service, make: Factories, statements: Statements
) -> None:
    document = """{ me { teaching { learnerCount } courses(first: 100) { nodes { title analytics {
      averageProgressPercent grossRevenue { amount } refundedRevenue { amount }
      lectures { startedCount lecture { title } }
    } } } } }"""
    teacher = make.user(Role.INSTRUCTOR)
    kept: set[int] = set()
    counted: set[int] = set()
    for number in (1, 7):
        for _ in range(number):
            course = make.course(instructor=teacher)
            make.enrollment(learner := make.user(), course)
            make.lecture_progress(learner, course.lectures[0])
        for costs in (counted, kept):
            with statements:
                client.execute(document, as_=make.actor(teacher))
            costs.add(statements.count)
            refresh.refresh_analytics(service.database)
        with service.engine.begin() as connection:
            for table in (CourseAnalytics, LectureAnalytics, CourseRevenue, InstructorAnalytics):
                connection.execute(delete(table))
    assert len(kept) == len(counted) == 1
    assert max(kept) == 7
