"""What a change of the curriculum does to many: nothing in its transaction, all of it in the sweep."""

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
from tests.factories import START, CourseTree, Factories, global_id
from tests.learning.progress_client import Learner
from tests.live_service import Client, Service, Statements

MANY = progress_recount.MAX_INLINE_ENROLLMENTS + 30


class Crowd:
    """A course with very many in it, all of whom have done its first lecture."""

    def __init__(self, service: Service, client: Client, make: Factories, number: int = MANY) -> None:
        self.service, self.make = service, make
        self.course: CourseTree = make.course()
        self.author = CurriculumClient(client, make.actor(self.course.instructor))
        self.people = self._people(number)
        self.first, self.second = self.course.lectures
        self._plant()
        self.learner = Learner(client, make.actor(self.people[-1]))

    def _people(self, number: int) -> Sequence[User]:
        names = [f"crowd{place}" for place in range(number)]
        same = {"first_name": "A", "last_name": "B", "password_hash": "x"}
        rows = [User(email=f"{name}@example.com", username=name, **same) for name in names]
        self.service.database.write_sync(lambda session: session.add_all(rows))
        return self.reads(select(User).where(User.username.in_(names)).order_by(User.id))

    def _plant(self) -> None:
        course = {"course_id": self.course.row.id}
        source = {"source": EnrollmentSource.FREE, "enrolled_at": START, "status": EnrollmentStatus.ACTIVE}
        self.does(insert(Enrollment), [{"user_id": one.id, **course, **source} for one in self.people])
        counts = {"completed_lectures": 1, "total_lectures": 2, "updated_at": START}
        self.does(insert(CourseProgress), [{"user_id": one.id, **course, **counts} for one in self.people])
        done = {"lecture_id": self.first.id, "is_completed": True, "started_at": START, "last_accessed": START}
        self.does(insert(LectureProgress), [{"user_id": one.id, **done} for one in self.people])

    def does(self, statement: Any, rows: Any = None) -> None:
        self.service.database.write_sync(lambda session: session.execute(statement, rows) and None)

    def reads(self, statement: Any) -> Sequence[Any]:
        return self.service.database.read_sync(lambda session: session.scalars(statement).all())

    def count(self, model: Any, *where: Any) -> int:
        return int(self.reads(select(func.count()).select_from(model).where(*where))[0])

    def adds_a_lecture(self) -> Any:
        section = global_id("Section", self.course.sections[0])
        return self.author.ok("createLecture", sectionId=section, title="New", type="TEXT", body="Words")

    def removes(self, lecture: Lecture) -> None:
        self.author.ok("deleteLecture", lectureId=global_id("Lecture", lecture))

    def percent(self) -> float:
        return float(self.learner.enrollment(self.course.global_id)["progress"]["percent"])

    def sweep(self) -> list[str]:
        """But for the mail: to send so many takes long."""
        return recount_progress(TaskContext(self.service.database, self.service.resources.settings, None))

    @property
    def marks(self) -> Sequence[int | None]:
        return self.reads(select(CourseRequirements.recounted_to))


@pytest.fixture
def crowd(service: Service, client: Client, make: Factories, unswept: None) -> Crowd:
    return Crowd(service, client, make)


def test_many_are_counted_by_the_sweep_and_show_until_then_what_was(crowd: Crowd) -> None:
    crowd.adds_a_lecture()
    assert crowd.percent() == 50, "as it was"
    began = clock.now()
    assert MAINTENANCE_TASKS["progress"] is recount_progress
    assert crowd.sweep() == [f"progress: recounted for {MANY} enrollments"]
    assert crowd.percent() == 33.33
    assert crowd.count(CourseProgress, CourseProgress.updated_at >= began) == MANY, "the roll-up is to see it"
    assert crowd.marks == [None]
    assert crowd.sweep() == []


@pytest.mark.slow
def test_a_lecture_that_is_removed_completes_many_by_the_sweep(crowd: Crowd) -> None:
    crowd.removes(crowd.second)
    shown = crowd.learner.enrollment(crowd.course.global_id)
    assert (shown["progress"]["percent"], shown["status"]) == (50, "ACTIVE")
    crowd.sweep()
    shown = crowd.learner.enrollment(crowd.course.global_id)
    assert (shown["progress"]["percent"], shown["status"]) == (100, "COMPLETED")
    assert crowd.count(Certificate) == MANY
    assert crowd.count(Enrollment, Enrollment.status == EnrollmentStatus.COMPLETED) == MANY


def test_what_was_done_of_a_removed_lecture_is_never_taken_for_another(crowd: Crowd) -> None:
    """One of two done, and that one removed: nothing of one is done, and not one of one."""
    crowd.removes(crowd.first)
    assert crowd.percent() == 50
    crowd.sweep()
    assert crowd.percent() == 0


def test_whoever_gets_on_meanwhile_is_counted_at_once(crowd: Crowd) -> None:
    made = crowd.adds_a_lecture()
    crowd.learner.ticks(made["id"])
    assert crowd.percent() == 66.67
    crowd.learner.ticks(crowd.second)
    assert crowd.learner.enrollment(crowd.course.global_id)["status"] == "COMPLETED"
    crowd.sweep()
    assert (crowd.percent(), crowd.count(Certificate)) == (100, 1)


def test_a_change_while_the_sweep_counts_is_counted_from_the_start(crowd: Crowd) -> None:
    crowd.adds_a_lecture()
    settings = crowd.service.resources.settings
    portion = progress_recount._next_portion
    done = crowd.service.database.write_sync(lambda session: portion(session, crowd.course.row.id, settings))
    assert (done, crowd.count(CourseProgress, CourseProgress.total_lectures == 3)) == (
        progress_recount.BATCH_SIZE,
    ) * 2
    crowd.adds_a_lecture()
    assert crowd.marks == [0]
    crowd.sweep()
    assert crowd.count(CourseProgress, CourseProgress.total_lectures == 4) == MANY


def test_sweeps_that_come_at_once_share_the_work_and_none_does_what_another_does(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On connections of their own, as processes would. Each portion is counted once: none is tried again."""
    monkeypatch.setattr(progress_recount, "BATCH_SIZE", 20)
    tries, count = [], progress_recount._recount

    def noted(*said: Any) -> Any:
        tries.append(said)
        return count(*said)

    monkeypatch.setattr(progress_recount, "_recount", noted)
    database, settings = crowd.service.database, crowd.service.resources.settings
    others = [Database(database.url, pool_size=1, in_line_with=database) for _ in range(3)]
    crowd.adds_a_lecture()
    barrier = threading.Barrier(len(others))

    def sweep(database: Database) -> int:
        barrier.wait(10)
        return progress_recount.recount_pending(database, settings)

    with ThreadPoolExecutor(len(others)) as threads:
        counted = [one.result(60) for one in [threads.submit(sweep, other) for other in others]]
    for other in others:
        other.dispose()
    assert (sum(counted), len(tries)) == (MANY, MANY // 20 + 1)
    assert crowd.count(CourseProgress, CourseProgress.total_lectures == 3) == MANY
    assert crowd.marks == [None]


def test_the_change_itself_costs_the_same_for_two_and_for_many(
    crowd: Crowd, service: Service, client: Client, make: Factories, statements: Statements
) -> None:
    def counted(of: Crowd) -> int:
        with statements:
            of.adds_a_lecture()
        return statements.count

    crowd.adds_a_lecture()
    crowd.sweep()
    few = [Crowd.__new__(Crowd) for _ in range(2)]
    for number, one in zip((2, 150), few, strict=True):
        one.service, one.make, one.course = service, make, make.course()
        one.author = CurriculumClient(client, make.actor(one.course.instructor))
        one.people, (one.first, one.second) = crowd.people[:number], one.course.lectures
        one._plant()
        one.adds_a_lecture()
    costs = [counted(one) for one in few]
    assert costs[0] == costs[1]
    assert counted(crowd) <= costs[0]


def test_nothing_is_counted_where_the_same_is_required(crowd: Crowd) -> None:
    crowd.adds_a_lecture()
    crowd.sweep()
    crowd.author.ok("updateLecture", lectureId=global_id("Lecture", crowd.first), title="Another")
    crowd.author.ok("moveLecture", lectureId=global_id("Lecture", crowd.first), **{"position": 1, **section(crowd)})
    assert crowd.marks == [None]


def section(crowd: Crowd) -> dict[str, str]:
    return {"sectionId": global_id("Section", crowd.course.sections[0])}


def test_check_finds_what_is_wrong_and_repair_mends_it(crowd: Crowd) -> None:
    database = crowd.service.database

    def drift() -> list[str]:
        return database.read_sync(progress_repair.find_progress_drift)

    crowd.sweep()
    assert drift() == []
    mine = (CourseProgress.user_id == crowd.people[0].id,)
    crowd.does(update(CourseProgress).where(*mine).values(completed_lectures=2, total_lectures=7, total_watch_time=5))
    both = {"lecture_id": crowd.second.id, "is_completed": True, "started_at": START, "last_accessed": START}
    crowd.does(insert(LectureProgress), [{"user_id": crowd.people[1].id, **both}])
    tangled = update(LectureProgress).where(LectureProgress.user_id == crowd.people[2].id)
    crowd.does(tangled.values(watched_ranges=[[5, 9], [0, 6]], watch_time=3))
    assert drift() == [
        "course_progress: wrong in 3 rows",
        "enrollments: 1 have done everything and are not completed",
        "lecture_progress.watched_ranges: broken in 1 rows",
    ]
    told = database.write_sync(progress_repair.repair_progress)
    assert "course_progress: 3 rows mended" in told
    crowd.sweep()
    assert drift() == []
    assert crowd.count(Certificate) == 1


def test_an_enrollment_without_a_row_of_progress_gets_one(crowd: Crowd) -> None:
    other = crowd.make.user()
    crowd.make.enrollment(other, crowd.course)
    crowd.adds_a_lecture()
    crowd.sweep()
    (row,) = crowd.reads(select(CourseProgress).where(CourseProgress.user_id == other.id))
    assert (row.completed_lectures, row.total_lectures) == (0, 3)
