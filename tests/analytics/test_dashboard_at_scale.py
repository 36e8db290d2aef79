"""Performance of the dashboard and the refresh for an instructor with 201 courses and 50,000 learners."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text, update

from lms_graphql.accounts.models import User
from lms_graphql.analytics.services import refresh
from lms_graphql.catalog.models import Course, Enrollment, Lecture, Section
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.core.engines import make_engine
from lms_graphql.core.global_ids import encode
from tests.conftest import disable_maintenance
from tests.factories import Factories
from tests.live_service import Client, Service, StatementRecorder
from tests.row_writer import START

pytestmark = [pytest.mark.slow, pytest.mark.alone]

COURSES, LEARNERS = 200, 50_000
LARGE_COURSE_LEARNERS = 20_000
"""Learners of one more course, so that one course is large."""
FIRST_LEARNER = 10_000_000
MAX_STATEMENT_SECONDS = 0.1

DIGITS = "(SELECT 0 AS d" + "".join(f" UNION ALL SELECT {digit}" for digit in range(1, 10)) + ")"
NUMBERS = f"""(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n
  FROM {DIGITS} a, {DIGITS} b, {DIGITS} c, {DIGITS} e, {DIGITS} f) numbers"""
INSERT_LEARNERS = f"""
INSERT INTO users (id, created_at, updated_at, username, username_key, first_name, last_name, name_key, role,
  is_active, is_verified)
SELECT {FIRST_LEARNER} + n, :at, :at, HEX(n), HEX(n), 'Ada', 'Learner', 'ada learner', 'learner', 1, 1
FROM {NUMBERS} WHERE n < {LEARNERS}
"""
INSERT_ENROLLMENTS = f"""
INSERT INTO enrollments (created_at, updated_at, user_id, course_id, status, source, enrolled_at, completed_at,
  access_expires_at)
SELECT :at, :at, {FIRST_LEARNER} + n, {{course}}, CASE WHEN n % 9 = 0 THEN 'completed' ELSE 'active' END, 'purchase',
  :at, CASE WHEN n % 9 = 0 THEN :at END, CASE WHEN n % 11 = 0 THEN :at END
FROM {NUMBERS} WHERE n < {LEARNERS} AND {{condition}}
"""
ONE_COURSE_EACH, SECOND_COURSE_FOR_SOME = ("n % 200 + 1", "1 = 1"), ("(n * 7 + 3) % 200 + 1", "n % 5 = 0")
LARGE_COURSE_FOR_MANY = (str(COURSES + 1), f"n < {LARGE_COURSE_LEARNERS}")
INSERT_ACTIVITY = """
INSERT INTO course_progress (created_at, updated_at, user_id, course_id, completed_lectures, total_lectures,
  passed_quizzes, total_quizzes, total_watch_time)
SELECT :at, :at, user_id, course_id, user_id % 11, 10, 0, 0, 100 FROM enrollments;
INSERT INTO lecture_progress (created_at, updated_at, user_id, lecture_id, is_completed, watched_ranges, watch_time,
  last_position, started_at, last_accessed)
SELECT :at, :at, user_id, lectures.id, order_index < 4, '[[0, 300]]', 300, 300, :at, :at
FROM enrollments JOIN lectures ON lectures.course_id = enrollments.course_id AND order_index < 5;
INSERT INTO transactions (created_at, updated_at, user_id, course_id, transaction_id, amount, refunded_amount,
  currency, status, payment_method)
SELECT :at, :at, user_id, course_id, id, 1999, 0, 'USD', 'completed', 'fake' FROM enrollments WHERE id % 2 = 0;
UPDATE courses SET enrollment_count = (SELECT COUNT(*) FROM enrollments WHERE course_id = courses.id)
"""
TABLES = ["users", "courses", "lectures", "enrollments", "course_progress", "lecture_progress", "transactions"]

DASHBOARD = """{ me {
  teaching { id courseCount learnerCount enrollmentCount completionCount }
  courses(first: 20) { nodes { title analytics {
    asOf enrollmentCount activeCount completionCount averageProgressPercent
    grossRevenue { amount } refundedRevenue { amount } lectures { startedCount completedCount averageWatchSeconds }
  } } }
} }"""
COURSE_ENROLLMENTS = """
query E($id: ID!, $status: EnrollmentStatus, $first: Int, $last: Int) { node(id: $id) { ... on Course {
  enrollments(status: $status, first: $first, last: $last) {
    totalCount pageInfo { endCursor } nodes { status user { fullName } progress { percent } }
  }
} } }
"""


class LargeDataset:
    """The instructor's courses, learners and activity, with a client of the instructor."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.client = Client(service)
        self.statements = StatementRecorder(service.database)
        make = Factories(service.database)
        user = make.user(Role.INSTRUCTOR)
        self.instructor = make.actor(user)
        insert_dataset(service, user)

    def execute(self, document: str, **variables: Any) -> Any:
        with self.statements:
            return self.client.execute(document, as_=self.instructor, **variables)


@pytest.fixture(scope="module")
def dataset(running_service: Service) -> Iterator[LargeDataset]:
    running_service.delete_all_rows()
    with pytest.MonkeyPatch.context() as patch:
        disable_maintenance(patch)
        dataset = LargeDataset(running_service)
        yield dataset
    dataset.client.close()
    with maintenance_connection(running_service) as connection:
        for table in ("lecture_progress", "course_progress", "enrollments", "transactions"):
            connection.execute(text(f"DELETE FROM {table}"))


@contextlib.contextmanager
def maintenance_connection(service: Service) -> Iterator[Connection]:
    """Yield a connection for statements that take longer than the service's time limits."""
    engine = make_engine(service.database.url, pool_size=1, for_maintenance=True)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def insert_dataset(service: Service, instructor: User) -> None:
    numbers = range(1, COURSES + 2)
    timestamps: dict[str, Any] = {"created_at": START, "updated_at": START}
    course: dict[str, Any] = {"description": "", "currency": "USD", "status": "published", "published_at": START}
    course |= {"instructor_id": instructor.id, **timestamps}
    courses = [{"id": n, "title": f"C{n}", "title_key": f"c{n}", "slug": f"c{n}", **course} for n in numbers]
    sections = [{"id": n, "course_id": n, "title": "S"} for n in numbers]
    lectures = [
        {"section_id": n, "course_id": n, "title": "L", "lecture_type": "video", "order_index": index}
        for n in numbers
        for index in range(10)
    ]
    statements = [INSERT_LEARNERS]
    for course_key, condition in (ONE_COURSE_EACH, SECOND_COURSE_FOR_SOME, LARGE_COURSE_FOR_MANY):
        statements.append(INSERT_ENROLLMENTS.format(course=course_key, condition=condition))
    at = {"at": START.replace(tzinfo=None)}
    with maintenance_connection(service) as connection:
        for model, rows in ((Course, courses), (Section, sections), (Lecture, lectures)):
            connection.execute(insert(model), [{**row, **timestamps} for row in rows])
        for statement in (*statements, *INSERT_ACTIVITY.split(";")):
            connection.execute(text(statement), at if ":at" in statement else {})
    with maintenance_connection(service) as connection:
        for table in TABLES:
            connection.execute(text(f"ANALYZE {table}" if service.database.is_sqlite else f"ANALYZE TABLE {table}"))


def assert_quick(dataset: LargeDataset, label: str) -> None:
    """Assert that each statement of the last query is fast, rows included: the best of five runs."""
    timings = []
    with dataset.service.database.read_engine.connect() as connection:
        for statement, parameters in zip(dataset.statements.texts, dataset.statements.parameters, strict=True):
            durations = []
            for _ in range(5):
                started = time.perf_counter()
                connection.exec_driver_sql(statement, parameters).all()
                durations.append(time.perf_counter() - started)
            timings.append((round(min(durations) * 1000, 1), statement))
    print(f"{label}: {[milliseconds for milliseconds, _ in timings]} ms")
    assert max(timings)[0] < MAX_STATEMENT_SECONDS * 1000, max(timings)


def timed_refresh(dataset: LargeDataset, label: str) -> tuple[int, float]:
    started = time.perf_counter()
    courses = refresh.refresh_analytics(dataset.service.database)
    seconds = time.perf_counter() - started
    print(f"{label}: {courses} courses in {seconds:.2f} s")
    return courses, seconds


@pytest.mark.query_budget
def test_dashboard_and_refresh_are_fast_at_scale(dataset: LargeDataset) -> None:
    courses, seconds = timed_refresh(dataset, "first refresh")
    assert courses == COURSES + 1
    assert seconds < 60
    statement_counts = []
    for first in ("first: 1)", "first: 20)", "first: 100)"):
        me = dataset.execute(DASHBOARD.replace("first: 20)", first))["me"]
        statement_counts.append(dataset.statements.count)
        assert_quick(dataset, f"dashboard, {first}")
    assert len(set(statement_counts)) == 1
    assert me["teaching"]["learnerCount"] > LEARNERS * 0.9
    assert me["teaching"]["enrollmentCount"] == sum(enrollment_counts(dataset))
    timed_refresh(dataset, "nothing changed")
    with dataset.service.engine.begin() as connection:
        connection.execute(update(Enrollment).where(Enrollment.course_id == 7).values(updated_at=clock.now()))
    assert timed_refresh(dataset, "one course changed")[0] == 1
    assert dataset.service.database.read_sync(refresh.find_analytics_drift) == []


def enrollment_counts(dataset: LargeDataset) -> list[int]:
    statement = "SELECT COUNT(*) FROM enrollments GROUP BY course_id"
    with dataset.service.database.read_engine.connect() as connection:
        return list(connection.scalars(text(statement)))


def test_enrollments_of_large_course_use_index(dataset: LargeDataset) -> None:
    id = encode("Course", COURSES + 1)
    enrollments = dataset.execute(COURSE_ENROLLMENTS, id=id, first=20)["node"]["enrollments"]
    assert enrollments["totalCount"] > LARGE_COURSE_LEARNERS * 0.9
    assert_quick(dataset, "enrollments")
    dataset.execute(COURSE_ENROLLMENTS, id=id, last=100)
    assert_quick(dataset, "enrollments, the last 100")
    for status in ("ACTIVE", "COMPLETED", "EXPIRED", "CANCELLED"):
        filtered = dataset.execute(COURSE_ENROLLMENTS, id=id, first=20, status=status)["node"]["enrollments"]
        assert (filtered["totalCount"] > 0) is (status != "CANCELLED")
        assert_quick(dataset, f"enrollments, {status}")
