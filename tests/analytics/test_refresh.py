"""The roll-up of figures: what it counts anew and when, and that nothing comes in its way."""

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

pytestmark = pytest.mark.usefixtures("unswept")

ROUNDS = 20

ANALYTICS = """
query A($id: ID!) { node(id: $id) { ... on Course { analytics {
  asOf enrollmentCount activeCount grossRevenue { amount } lectures { lecture { id } averageWatchSeconds }
} } } }
"""


def analytics(client: Client, make: Factories, course: CourseTree) -> Any:
    return client.execute(ANALYTICS, as_=make.actor(course.instructor), id=course.global_id)["node"]["analytics"]


def figures(client: Client, make: Factories, course: CourseTree) -> Any:
    """Without the time of it."""
    found = analytics(client, make, course)
    found.pop("asOf")
    return found


def execute(service: Service, *statements: Executable) -> None:
    service.database.write_sync(lambda session: [session.execute(one) for one in statements] and None)


def sweep_twice(service: Service, now: datetime) -> None:
    """What changed just before a sweep is counted once more by the next, in case something was still on its way."""
    for moment in (now, now + 2 * refresh.COMMIT_LAG):
        with time_machine.travel(moment):
            refresh.refresh_analytics(service.database)


def kept(service: Service) -> list[int]:
    return service.database.read_sync(lambda session: list(session.scalars(select(CourseAnalytics.course_id))))


def wrong(service: Service) -> list[str]:
    return service.database.read_sync(refresh.find_analytics_drift)


def test_as_of_moves_on_with_each_sweep_also_where_nothing_changed(
    client: Client, service: Service, make: Factories
) -> None:
    course = make.course()
    make.enrollment(make.user(), course)
    told = []
    for hours in range(3):
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=hours)):
            refresh.refresh_analytics(service.database)
        told.append(datetime.fromisoformat(analytics(client, make, course)["asOf"]))
    assert told[1] - told[0] >= timedelta(minutes=59)
    assert told[2] - told[1] >= timedelta(minutes=59)


def test_access_that_runs_out_is_noticed_though_no_row_changes(
    client: Client, service: Service, make: Factories
) -> None:
    course, now = make.course(), datetime.now(UTC)
    make.enrollment(make.user(), course, access_expires_at=now + timedelta(minutes=30))
    refresh.refresh_analytics(service.database)
    assert analytics(client, make, course)["activeCount"] == 1
    sweep_twice(service, now + timedelta(minutes=5))
    with time_machine.travel(now + timedelta(minutes=10)):
        assert refresh.refresh_analytics(service.database) == 0
    with time_machine.travel(now + timedelta(minutes=40)):
        assert refresh.refresh_analytics(service.database) == 1
    assert analytics(client, make, course)["activeCount"] == 0


def test_only_courses_where_something_changed_are_counted(service: Service, make: Factories) -> None:
    """By whichever table it was."""
    courses = [make.course() for _ in range(6)]
    learner = make.user()
    enrollments = [make.enrollment(learner, course) for course in courses]
    refresh.refresh_analytics(service.database)
    later = datetime.now(UTC) + timedelta(hours=1)
    sweep_twice(service, later)
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
        sweep_twice(service, later + timedelta(hours=number, minutes=5))
        with time_machine.travel(later + timedelta(hours=number, minutes=30)):
            assert refresh.refresh_analytics(service.database) == 0


def test_a_change_that_is_committed_late_is_counted_all_the_same(
    client: Client, service: Service, make: Factories
) -> None:
    course = make.course()
    refresh.refresh_analytics(service.database)
    make.enrollment(make.user(), course, updated_at=datetime.now(UTC) - timedelta(seconds=50))
    refresh.refresh_analytics(service.database)
    assert analytics(client, make, course)["enrollmentCount"] == 1


def test_of_two_countings_the_later_one_stays(
    client: Client, service: Service, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slower sweep has counted before the other, and writes after it."""
    course = make.course()
    make.enrollment(make.user(), course)
    refresh.refresh_analytics(service.database)
    make.enrollment(make.user(), course)
    was_overtaken: list[bool] = []

    def slow_read(work: Any) -> Any:
        counted = read_now(work)
        if isinstance(counted, list) and counted and isinstance(counted[0], dict) and not was_overtaken:
            was_overtaken.append(True)
            make.enrollment(make.user(), course)
            refresh.refresh_analytics(service.database)
        return counted

    read_now = service.database.read_sync
    monkeypatch.setattr(service.database, "read_sync", slow_read)
    refresh.refresh_analytics(service.database)
    assert was_overtaken
    assert analytics(client, make, course)["enrollmentCount"] == 3


def test_a_course_that_is_deleted_while_it_is_counted_is_no_fault(
    service: Service, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, other = make.course(sections=0, status=CourseStatus.DRAFT), make.course()
    write_now = service.database.write_sync
    gone: list[bool] = []

    def late(work: Any) -> Any:
        if not gone:
            gone.append(True)
            write_now(lambda session: session.execute(delete(Course).where(Course.id == course.row.id)) and None)
        return write_now(work)

    monkeypatch.setattr(service.database, "write_sync", late)
    refresh.refresh_analytics(service.database)
    assert kept(service) == [other.row.id]


def test_what_is_kept_goes_with_its_course(service: Service, make: Factories) -> None:
    course = make.course(sections=0, status=CourseStatus.DRAFT)
    refresh.refresh_analytics(service.database)
    execute(service, delete(Course).where(Course.id == course.row.id))
    assert kept(service) == []


def test_a_removed_lecture_is_in_no_figures(client: Client, service: Service, make: Factories) -> None:
    course = make.course()
    for lecture in course.lectures:
        make.lecture_progress(make.user(), lecture, watch_time=30)
    refresh.refresh_analytics(service.database)
    gone = update(Lecture).where(Lecture.id == course.lectures[0].id).values(deleted_at=datetime.now(UTC))
    execute(service, gone)
    for _ in range(2):
        found = analytics(client, make, course)["lectures"]
        assert [one["lecture"]["id"] for one in found] == [global_id("Lecture", course.lectures[1])]
        assert wrong(service) == []
        refresh.refresh_analytics(service.database)


def test_a_drift_is_found_and_mended(service: Service, make: Factories, client: Client) -> None:
    course = make.course()
    learner = make.user()
    make.enrollment(learner, course)
    make.lecture_progress(learner, course.lectures[0], watch_time=10)
    make.transaction(learner, course, amount=500)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        refresh.refresh_analytics(service.database)
    right = figures(client, make, course)
    for spoiled in (
        update(CourseAnalytics).values(active_count=7),
        update(LectureAnalytics).values(watch_total=7),
        delete(LectureAnalytics),
        update(CourseRevenue).values(gross=7),
        delete(CourseRevenue),
    ):
        execute(service, spoiled)
        assert figures(client, make, course) != right
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
            assert wrong(service) == ["figures for instructors: wrong for 1 courses"]
            refresh.refresh_analytics(service.database, everything=True)
            assert wrong(service) == []
        assert figures(client, make, course) == right


def test_a_drift_of_an_instructors_figures_is_found_and_mended(service: Service, make: Factories) -> None:
    make.enrollment(make.user(), make.course())
    refresh.refresh_analytics(service.database)
    execute(service, update(InstructorAnalytics).values(learner_count=7))
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        refresh.refresh_analytics(service.database)
        assert wrong(service) == []  # counted once more with its course
        execute(service, update(InstructorAnalytics).values(learner_count=7))
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
            assert wrong(service) == ["figures for instructors: wrong for 1 instructors"]
            refresh.refresh_analytics(service.database, everything=True)
            assert wrong(service) == []


def test_a_portion_that_fails_keeps_no_other_from_being_counted(
    client: Client, service: Service, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    courses = [make.course() for _ in range(3)]
    for course in courses:
        make.enrollment(make.user(), course)
    refresh.refresh_analytics(service.database)
    for course in courses:
        make.enrollment(make.user(), course)
    count, before = refresh._count_courses, analytics(client, make, courses[0])["asOf"]

    def too_long(database: Database, keys: Sequence[int]) -> None:
        if courses[0].row.id in keys:
            raise OperationalError("SELECT", None, Exception(1969, "max_statement_time exceeded"))
        count(database, keys)

    monkeypatch.setattr(refresh, "_count_courses", too_long)
    monkeypatch.setattr(refresh, "MAX_BATCH_COURSES", 1)
    with pytest.raises(OperationalError):
        refresh.refresh_analytics(service.database)
    found = [analytics(client, make, course) for course in courses]
    assert [one["enrollmentCount"] for one in found] == [1, 2, 2]
    assert found[0]["asOf"] == before  # and not the time of the sweep that failed
    monkeypatch.undo()
    refresh.refresh_analytics(service.database)
    assert analytics(client, make, courses[0])["enrollmentCount"] == 2


@pytest.mark.slow
def test_two_sweeps_at_once_while_people_enroll_do_no_harm(service: Service, make: Factories, client: Client) -> None:
    """On connections of their own, as two processes would."""
    courses = [make.course(lectures=3) for _ in range(8)]
    others = [Database(service.database.url, pool_size=1, in_line_with=service.database) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        for _ in range(ROUNDS):
            learner, barrier = make.user(), threading.Barrier(2)

            def sweep(database: Database, barrier: threading.Barrier = barrier) -> int:
                barrier.wait(10)
                return refresh.refresh_analytics(database)

            both = [threads.submit(sweep, database) for database in others]
            for course in courses:
                make.enrollment(learner, course)
                make.lecture_progress(learner, course.lectures[0])
                make.transaction(learner, course, amount=100)
            assert all(one.result(30) >= 0 for one in both)
    for database in others:
        database.dispose()
    refresh.refresh_analytics(service.database)
    for course in courses:
        found = analytics(client, make, course)
        assert found["enrollmentCount"] == ROUNDS
        assert found["grossRevenue"] == [{"amount": f"{ROUNDS}.00"}]
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        sweep_twice(service, datetime.now(UTC) + timedelta(hours=1))
    assert wrong(service) == []
