"""Recount of progress for many learners: left to maintenance when the curriculum changes."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Enrollment, EnrollmentSource, EnrollmentStatus, Lecture
from lms_graphql.certificates.models import Certificate
from lms_graphql.core import clock
from lms_graphql.core.database import Database
from lms_graphql.learning.models import CourseProgress, CourseRequirements, LectureProgress
from lms_graphql.learning.services import progress_recount, progress_repair
from lms_graphql.operations.maintenance import MAINTENANCE_TASKS, TaskContext, recount_progress
from tests.catalog.curriculum_client import CurriculumClient
from tests.factories import CourseTree, Factories, global_id
from tests.learning.progress_client import ProgressClient
from tests.live_service import Client, Service, StatementRecorder
from tests.row_writer import START

LEARNER_COUNT = progress_recount.MAX_INLINE_ENROLLMENTS + 30


class LargeCourse:
    """A course of two lectures with many learners, all of whom have completed the first one."""

    def __init__(self, service: Service, client: Client, make: Factories, users: Sequence[User]) -> None:
        self.service, self.make, self.users = service, make, users
        self.course: CourseTree = make.course()
        self.author = CurriculumClient(client, make.actor(self.course.instructor))
        self.first, self.second = self.course.lectures
        self.learner = ProgressClient(client, make.actor(users[-1]))
        self._enroll_users()

    def _enroll_users(self) -> None:
        course = {"course_id": self.course.row.id}
        values = {"source": EnrollmentSource.FREE, "enrolled_at": START, "status": EnrollmentStatus.ACTIVE}
        values["progress_hundredths"] = 5_000
        self.write(insert(Enrollment), [{"user_id": user.id, **course, **values} for user in self.users])
        counts = {"completed_lectures": 1, "total_lectures": 2, "updated_at": START}
        self.write(insert(CourseProgress), [{"user_id": user.id, **course, **counts} for user in self.users])
        completed = {"lecture_id": self.first.id, "is_completed": True, "started_at": START, "last_accessed": START}
        self.write(insert(LectureProgress), [{"user_id": user.id, **completed} for user in self.users])

    def write(self, statement: Any, rows: Any = None) -> None:
        self.service.database.write_sync(lambda session: session.execute(statement, rows) and None)

    def read(self, statement: Any) -> Sequence[Any]:
        return self.service.database.read_sync(lambda session: session.scalars(statement).all())

    def count(self, model: Any, *where: Any) -> int:
        return int(self.read(select(func.count()).select_from(model).where(*where))[0])

    def section_id(self) -> str:
        return global_id("Section", self.course.sections[0])

    def add_lecture(self) -> Any:
        values = {"title": "New", "type": "TEXT", "body": "Words"}
        return self.author.ok("createLecture", sectionId=self.section_id(), **values)

    def delete_lecture(self, lecture: Lecture) -> None:
        self.author.ok("deleteLecture", lectureId=global_id("Lecture", lecture))

    def percent(self) -> float:
        return float(self.learner.enrollment(self.course.global_id)["progress"]["percent"])

    def run_maintenance(self) -> list[str]:
        """Run the recount only: sending so many mails takes long."""
        return recount_progress(TaskContext(self.service.database, self.service.resources.settings, None))

    @property
    def recounted_to(self) -> Sequence[int | None]:
        return self.read(select(CourseRequirements.recounted_to))


def create_users(service: Service, number: int) -> Sequence[User]:
    """Create users in one statement, because so many take long with the factory."""
    names = [f"learner{index}" for index in range(number)]
    values = {"first_name": "A", "last_name": "B", "password_hash": "x"}
    users = [User(email=f"{name}@example.com", username=name, **values) for name in names]
    service.database.write_sync(lambda session: session.add_all(users))
    statement = select(User).where(User.username.in_(names)).order_by(User.id)
    return service.database.read_sync(lambda session: session.scalars(statement).all())


@pytest.fixture
def course(service: Service, client: Client, make: Factories, no_maintenance: None) -> LargeCourse:
    return LargeCourse(service, client, make, create_users(service, LEARNER_COUNT))


def test_progress_changes_only_with_recount(course: LargeCourse) -> None:
    course.add_lecture()
    assert course.percent() == 50, "as before the change"
    started_at = clock.now()
    assert MAINTENANCE_TASKS["progress"] is recount_progress
    assert course.run_maintenance() == [f"progress: recounted for {LEARNER_COUNT} enrollments"]
    assert course.percent() == 33.33
    changed = CourseProgress.updated_at >= started_at
    assert course.count(CourseProgress, changed) == LEARNER_COUNT, "analytics look for changed rows"
    assert course.recounted_to == [None]
    assert course.run_maintenance() == []


@pytest.mark.slow
def test_recount_completes_course_after_lecture_deletion(course: LargeCourse) -> None:
    course.delete_lecture(course.second)
    enrollment = course.learner.enrollment(course.course.global_id)
    assert (enrollment["progress"]["percent"], enrollment["status"]) == (50, "ACTIVE")
    course.run_maintenance()
    enrollment = course.learner.enrollment(course.course.global_id)
    assert (enrollment["progress"]["percent"], enrollment["status"]) == (100, "COMPLETED")
    assert course.count(Certificate) == LEARNER_COUNT
    assert course.count(Enrollment, Enrollment.status == EnrollmentStatus.COMPLETED) == LEARNER_COUNT


def test_completed_lecture_does_not_count_once_deleted(course: LargeCourse) -> None:
    """One of two lectures was completed and is deleted: none of one is completed, not one of one."""
    course.delete_lecture(course.first)
    assert course.percent() == 50
    course.run_maintenance()
    assert course.percent() == 0


def test_learner_with_new_progress_is_recounted_at_once(course: LargeCourse) -> None:
    lecture = course.add_lecture()
    course.learner.set_completed(lecture["id"])
    assert course.percent() == 66.67
    course.learner.set_completed(course.second)
    assert course.learner.enrollment(course.course.global_id)["status"] == "COMPLETED"
    course.run_maintenance()
    assert (course.percent(), course.count(Certificate)) == (100, 1)


def test_change_during_recount_restarts_it(course: LargeCourse) -> None:
    course.add_lecture()
    settings = course.service.resources.settings
    number = course.service.database.write_sync(
        lambda session: progress_recount._recount_batch(session, course.course.row.id, settings)
    )
    recounted = course.count(CourseProgress, CourseProgress.total_lectures == 3)
    assert number == recounted == progress_recount.BATCH_SIZE
    course.add_lecture()
    assert course.recounted_to == [0]
    course.run_maintenance()
    assert course.count(CourseProgress, CourseProgress.total_lectures == 4) == LEARNER_COUNT


def test_concurrent_recounts_share_batches(course: LargeCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run has a connection of its own, like another process. Each batch is counted once, without retries."""
    monkeypatch.setattr(progress_recount, "BATCH_SIZE", 20)
    calls, recount = [], progress_recount._recount

    def recorded(*arguments: Any) -> Any:
        calls.append(arguments)
        return recount(*arguments)

    monkeypatch.setattr(progress_recount, "_recount", recorded)
    database, settings = course.service.database, course.service.resources.settings
    databases = [Database(database.url, pool_size=1, share_writer_lock_with=database) for _ in range(3)]
    course.add_lecture()
    barrier = threading.Barrier(len(databases))

    def run(database: Database) -> int:
        barrier.wait(60)
        return progress_recount.recount_pending(database, settings)

    with ThreadPoolExecutor(len(databases)) as threads:
        futures = [threads.submit(run, each_database) for each_database in databases]
        numbers = [future.result(60) for future in futures]
    for each_database in databases:
        each_database.dispose()
    assert (sum(numbers), len(calls)) == (LEARNER_COUNT, LEARNER_COUNT // 20 + 1)
    assert course.count(CourseProgress, CourseProgress.total_lectures == 3) == LEARNER_COUNT
    assert course.recounted_to == [None]


@pytest.mark.query_budget
def test_change_cost_does_not_grow_with_learners(
    course: LargeCourse, service: Service, client: Client, make: Factories, statements: StatementRecorder
) -> None:
    def statement_count(changed: LargeCourse) -> int:
        with statements:
            changed.add_lecture()
        return statements.count

    course.add_lecture()
    course.run_maintenance()
    smaller = [LargeCourse(service, client, make, course.users[:number]) for number in (2, 150)]
    for large_course in smaller:
        large_course.add_lecture()
    counts = [statement_count(large_course) for large_course in smaller]
    assert counts[0] == counts[1]
    assert statement_count(course) <= counts[0]


def test_unchanged_requirements_need_no_recount(course: LargeCourse) -> None:
    course.add_lecture()
    course.run_maintenance()
    first = global_id("Lecture", course.first)
    course.author.ok("updateLecture", lectureId=first, title="Another")
    course.author.ok("moveLecture", lectureId=first, sectionId=course.section_id(), position=1)
    assert course.recounted_to == [None]


def test_drift_of_progress_is_found_and_repaired(course: LargeCourse) -> None:
    database = course.service.database

    def drift() -> list[str]:
        return database.read_sync(progress_repair.find_progress_drift)

    course.run_maintenance()
    assert drift() == []
    counts_update = update(CourseProgress).where(CourseProgress.user_id == course.users[0].id)
    course.write(counts_update.values(completed_lectures=2, total_lectures=7, total_watch_time=5))
    completed = {"lecture_id": course.second.id, "is_completed": True, "started_at": START, "last_accessed": START}
    course.write(insert(LectureProgress), [{"user_id": course.users[1].id, **completed}])
    ranges_update = update(LectureProgress).where(LectureProgress.user_id == course.users[2].id)
    course.write(ranges_update.values(watched_ranges=[[5, 9], [0, 6]], watch_time=3))
    assert drift() == [
        "course_progress: wrong in 3 rows",
        "enrollments: 1 have everything done but are not completed",
        "enrollments.progress_hundredths: wrong in 1 rows",
        "lecture_progress.watched_ranges: wrong in 1 rows",
    ]
    lines = database.write_sync(progress_repair.repair_progress)
    assert "course_progress: 3 rows repaired" in lines
    course.run_maintenance()
    assert drift() == []
    assert course.count(Certificate) == 1


def test_recount_creates_missing_progress(course: LargeCourse) -> None:
    user = course.make.user()
    course.make.enrollment(user, course.course)
    course.add_lecture()
    course.run_maintenance()
    (row,) = course.read(select(CourseProgress).where(CourseProgress.user_id == user.id))
    assert (row.completed_lectures, row.total_lectures) == (0, 3)
