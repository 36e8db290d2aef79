"""Refresh of the stored analytics: staleness, concurrency, drift, failures."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import Executable, delete, select, update
from sqlalchemy.exc import OperationalError

from lms_graphql.analytics.models import CourseAnalytics, CourseRevenue, InstructorAnalytics, LectureAnalytics
from lms_graphql.analytics.services import refresh
from lms_graphql.catalog.models import Course, CourseStatus, Lecture
from lms_graphql.core.database import Database
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service

pytestmark = pytest.mark.usefixtures("no_maintenance")

ROUNDS = 20

ANALYTICS = """
query A($id: ID!) { node(id: $id) { ... on Course { analytics {
  asOf enrollmentCount activeCount grossRevenue { amount } lectures { lecture { id } averageWatchSeconds }
} } } }
"""


def analytics(client: Client, make: Factories, course: CourseTree) -> Any:
    return client.execute(ANALYTICS, as_=make.actor(course.instructor), id=course.global_id)["node"]["analytics"]


def statistics(client: Client, make: Factories, course: CourseTree) -> Any:
    """Return the analytics without `asOf`."""
    values = analytics(client, make, course)
    values.pop("asOf")
    return values


def execute(service: Service, *statements: Executable) -> None:
    service.database.write_sync(lambda session: [session.execute(statement) for statement in statements] and None)


def refresh_until_clean(service: Service, now: datetime) -> None:
    """Refresh twice: changes just before the first refresh are counted again, in case a commit came late."""
    for refresh_time in (now, now + 2 * refresh.COMMIT_LAG):
        with time_machine.travel(refresh_time):
            refresh.refresh_analytics(service.database)


def stored_courses(service: Service) -> list[int]:
    return service.database.read_sync(lambda session: list(session.scalars(select(CourseAnalytics.course_id))))


def drift(service: Service) -> list[str]:
    return service.database.read_sync(refresh.find_analytics_drift)


def test_as_of_advances_without_changes(client: Client, service: Service, make: Factories) -> None:
    course = make.course()
    make.enrollment(make.user(), course)
    times = []
    for hours in range(3):
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=hours)):
            refresh.refresh_analytics(service.database)
        times.append(datetime.fromisoformat(analytics(client, make, course)["asOf"]))
    assert times[1] - times[0] >= timedelta(minutes=59)
    assert times[2] - times[1] >= timedelta(minutes=59)


def test_expired_access_makes_course_stale(client: Client, service: Service, make: Factories) -> None:
    course, now = make.course(), datetime.now(UTC)
    make.enrollment(make.user(), course, access_expires_at=now + timedelta(minutes=30))
    refresh.refresh_analytics(service.database)
    assert analytics(client, make, course)["activeCount"] == 1
    refresh_until_clean(service, now + timedelta(minutes=5))
    with time_machine.travel(now + timedelta(minutes=10)):
        assert refresh.refresh_analytics(service.database) == 0
    with time_machine.travel(now + timedelta(minutes=40)):
        assert refresh.refresh_analytics(service.database) == 1
    assert analytics(client, make, course)["activeCount"] == 0


def test_refresh_covers_changed_courses_only(service: Service, make: Factories) -> None:
    courses = [make.course() for _ in range(6)]
    learner = make.user()
    enrollments = [make.enrollment(learner, course) for course in courses]
    refresh.refresh_analytics(service.database)
    later = datetime.now(UTC) + timedelta(hours=1)
    refresh_until_clean(service, later)
    changes: tuple[Callable[[], object], ...] = (
        lambda: make.enrollment(make.user(), courses[0]),
        lambda: make.progress(enrollments[1], total_lectures=2),
        lambda: make.lecture_progress(learner, courses[2].lectures[0]),
        lambda: make.transaction(learner, courses[3], amount=100),
        make.course,
    )
    for number, change in enumerate(changes, start=1):
        with time_machine.travel(later + timedelta(hours=number), tick=False):
            change()
            assert refresh.refresh_analytics(service.database) == 1
        refresh_until_clean(service, later + timedelta(hours=number, minutes=5))
        with time_machine.travel(later + timedelta(hours=number, minutes=30)):
            assert refresh.refresh_analytics(service.database) == 0


def test_change_committed_late_is_included(client: Client, service: Service, make: Factories) -> None:
    course = make.course()
    refresh.refresh_analytics(service.database)
    make.enrollment(make.user(), course, updated_at=datetime.now(UTC) - timedelta(seconds=50))
    refresh.refresh_analytics(service.database)
    assert analytics(client, make, course)["enrollmentCount"] == 1


def test_slow_refresh_does_not_overwrite_newer_result(
    client: Client, service: Service, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slow refresh computes before the other one and stores after it."""
    course = make.course()
    make.enrollment(make.user(), course)
    refresh.refresh_analytics(service.database)
    make.enrollment(make.user(), course)
    was_overtaken: list[bool] = []

    def slow_read(work: Any, **options: Any) -> Any:
        result = read_sync(work, **options)
        if isinstance(result, list) and result and isinstance(result[0], dict) and not was_overtaken:
            was_overtaken.append(True)
            make.enrollment(make.user(), course)
            refresh.refresh_analytics(service.database)
        return result

    read_sync = service.database.read_sync
    monkeypatch.setattr(service.database, "read_sync", slow_read)
    refresh.refresh_analytics(service.database)
    assert was_overtaken
    assert analytics(client, make, course)["enrollmentCount"] == 3


def test_course_deleted_during_refresh_is_skipped(
    service: Service, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, other = make.course(sections=0, status=CourseStatus.DRAFT), make.course()
    write_sync = service.database.write_sync
    is_deleted: list[bool] = []

    def delete_first(work: Any) -> Any:
        if not is_deleted:
            is_deleted.append(True)
            write_sync(lambda session: session.execute(delete(Course).where(Course.id == course.row.id)) and None)
        return write_sync(work)

    monkeypatch.setattr(service.database, "write_sync", delete_first)
    refresh.refresh_analytics(service.database)
    assert stored_courses(service) == [other.row.id]


def test_analytics_are_deleted_with_course(service: Service, make: Factories) -> None:
    course = make.course(sections=0, status=CourseStatus.DRAFT)
    refresh.refresh_analytics(service.database)
    execute(service, delete(Course).where(Course.id == course.row.id))
    assert stored_courses(service) == []


def test_deleted_lecture_is_not_in_analytics(client: Client, service: Service, make: Factories) -> None:
    course = make.course()
    for lecture in course.lectures:
        make.lecture_progress(make.user(), lecture, watch_time=30)
    refresh.refresh_analytics(service.database)
    deletion = update(Lecture).where(Lecture.id == course.lectures[0].id).values(deleted_at=datetime.now(UTC))
    execute(service, deletion)
    for _ in range(2):
        lectures = analytics(client, make, course)["lectures"]
        assert [lecture["lecture"]["id"] for lecture in lectures] == [global_id("Lecture", course.lectures[1])]
        assert drift(service) == []
        refresh.refresh_analytics(service.database)


def test_course_drift_is_found_and_repaired(service: Service, make: Factories, client: Client) -> None:
    course = make.course()
    learner = make.user()
    make.enrollment(learner, course)
    make.lecture_progress(learner, course.lectures[0], watch_time=10)
    make.transaction(learner, course, amount=500)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        refresh.refresh_analytics(service.database)
    expected = statistics(client, make, course)
    for corruption in (
        update(CourseAnalytics).values(active_count=7),
        update(LectureAnalytics).values(watch_total=7),
        delete(LectureAnalytics),
        update(CourseRevenue).values(gross=7),
        delete(CourseRevenue),
    ):
        execute(service, corruption)
        assert statistics(client, make, course) != expected
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
            assert drift(service) == ["analytics: wrong for 1 courses"]
            refresh.refresh_analytics(service.database, all_courses=True)
            assert drift(service) == []
        assert statistics(client, make, course) == expected


def test_instructor_drift_is_found_and_repaired(service: Service, make: Factories) -> None:
    make.enrollment(make.user(), make.course())
    refresh.refresh_analytics(service.database)
    execute(service, update(InstructorAnalytics).values(learner_count=7))
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        refresh.refresh_analytics(service.database)
        assert drift(service) == []  # refreshed together with the course
        execute(service, update(InstructorAnalytics).values(learner_count=7))
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
            assert drift(service) == ["analytics: wrong for 1 instructors"]
            refresh.refresh_analytics(service.database, all_courses=True)
            assert drift(service) == []


def test_failed_batch_does_not_stop_other_batches(
    client: Client, service: Service, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    courses = [make.course() for _ in range(3)]
    for course in courses:
        make.enrollment(make.user(), course)
    refresh.refresh_analytics(service.database)
    for course in courses:
        make.enrollment(make.user(), course)
    refresh_courses, before = refresh._refresh_courses, analytics(client, make, courses[0])["asOf"]

    def time_out(database: Database, keys: Sequence[int]) -> None:
        if courses[0].row.id in keys:
            raise OperationalError("SELECT", None, Exception(1969, "max_statement_time exceeded"))
        refresh_courses(database, keys)

    monkeypatch.setattr(refresh, "_refresh_courses", time_out)
    monkeypatch.setattr(refresh, "MAX_BATCH_COURSES", 1)
    with pytest.raises(OperationalError):
        refresh.refresh_analytics(service.database)
    results = [analytics(client, make, course) for course in courses]
    assert [result["enrollmentCount"] for result in results] == [1, 2, 2]
    assert results[0]["asOf"] == before  # not the time of the failed refresh
    monkeypatch.undo()
    refresh.refresh_analytics(service.database)
    assert analytics(client, make, courses[0])["enrollmentCount"] == 2


@pytest.mark.slow
def test_concurrent_refreshes_during_enrollments_stay_correct(
    service: Service, make: Factories, client: Client
) -> None:
    """The refreshes use connections of their own, like two processes."""
    courses = [make.course(lectures=3) for _ in range(8)]
    databases = [
        Database(service.database.url, pool_size=1, share_writer_lock_with=service.database) for _ in range(2)
    ]
    with ThreadPoolExecutor(2) as threads:
        for _ in range(ROUNDS):
            learner, barrier = make.user(), threading.Barrier(2)

            def run(database: Database, barrier: threading.Barrier = barrier) -> int:
                barrier.wait(60)
                return refresh.refresh_analytics(database)

            refreshes = [threads.submit(run, database) for database in databases]
            for course in courses:
                make.enrollment(learner, course)
                make.lecture_progress(learner, course.lectures[0])
                make.transaction(learner, course, amount=100)
            assert all(refreshed.result(60) >= 0 for refreshed in refreshes)
    for database in databases:
        database.dispose()
    refresh.refresh_analytics(service.database)
    for course in courses:
        values = analytics(client, make, course)
        assert values["enrollmentCount"] == ROUNDS
        assert values["grossRevenue"] == [{"amount": f"{ROUNDS}.00"}]
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        refresh_until_clean(service, datetime.now(UTC) + timedelta(hours=1))
    assert drift(service) == []
