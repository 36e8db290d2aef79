"""Concurrent changes of one course: positions stay dense, totals stay right, no change is lost.

The races were also run with other locking and other server settings, to see that the tests can fail:

- With a SELECT in place of the lock and without innodb_snapshot_isolation, eight of ten tests failed within the first
  rounds. Two orders of one version both succeeded, ten lectures inserted first got the same position, and totals were
  wrong.
- With a SELECT and with innodb_snapshot_isolation, one of ten transactions was abandoned after five attempts.
- With the lock all tests pass, also without innodb_snapshot_isolation.
- A subquery inside the lock's UPDATE deadlocks in every round.
- Totals computed in an UPDATE make editors of different courses wait for each other.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from lms_graphql import wiring
from lms_graphql.assessment.services.lectures import create_lecture, update_lecture
from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course, CourseStatus, Lecture, LectureType, Section
from lms_graphql.catalog.services.lectures import delete_lecture, move_lecture, reorder_lectures
from lms_graphql.catalog.services.sections import create_section, delete_section, reorder_sections
from lms_graphql.core.actor import Actor
from lms_graphql.core.database import Database
from lms_graphql.core.errors import DomainError
from tests.catalog.curriculum_client import counter_drift
from tests.concurrency import race_rounds
from tests.conftest import DATABASES, migrated_settings
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import delete_all_rows

pytestmark = pytest.mark.slow

CLIENTS = 10
Change = Callable[[Session], Any]

wiring.register_hooks()


class CourseEditor:
    """A course and its instructor's changes. Each method returns a change to run later."""

    def __init__(self, course: CourseTree) -> None:
        self.course = course
        self.actor = Actor(course.instructor.id, course.instructor.role)
        self.sections, self.lectures = course.sections, course.lectures

    def insert_lecture(self, section: Section, title: str, position: int | None = 0) -> Change:
        values = {"title": title, "duration_seconds": 60}
        return self._change(create_lecture, global_id("Section", section), LectureType.TEXT, values, position, None)

    def insert_section(self, title: str) -> Change:
        return self._change(create_section, self.course.global_id, {"title": title}, 0)

    def move(self, lecture: Lecture, section: Section, position: int = 0) -> Change:
        target = global_id("Section", section), position
        return self._change(move_lecture, global_id("Lecture", lecture), None, *target)

    def delete(self, row: Lecture | Section) -> Change:
        if isinstance(row, Lecture):
            return self._change(delete_lecture, global_id("Lecture", row), None)
        return self._change(delete_section, global_id("Section", row), None)

    def rotate_sections(self, by: int) -> Change:
        """Rotate the order of the sections, based on the course's initial version."""
        order = [global_id("Section", section) for section in self.sections]
        return self._change(reorder_sections, self.course.global_id, order[by:] + order[:by], self.course.row.version)

    def reverse_lectures(self, section_number: int) -> Change:
        """Reverse the order of a section's lectures, based on the section's initial version."""
        section = self.sections[section_number]
        order = [global_id("Lecture", lecture) for lecture in self.lectures if lecture.section_id == section.id]
        return self._change(reorder_lectures, global_id("Section", section), order[::-1], section.version)

    def attach_quiz(self, lecture: Lecture, quiz_id: str) -> Change:
        return self._change(update_lecture, global_id("Lecture", lecture), None, {"quiz_id": quiz_id})

    def _change(self, service: Callable[..., Any], *args: Any) -> Change:
        return lambda session: service(session, self.actor, *args)


class Race:
    """Threads that start together, with two Database objects that stand for two processes."""

    def __init__(self, url: URL | str, rounds: int) -> None:
        self.databases = [Database(url, pool_size=CLIENTS, threads=1) for _ in range(2)]
        self.database = self.databases[0]
        self.rounds = range(rounds)
        self.make = Factories(self.database)
        self._threads = ThreadPoolExecutor(CLIENTS)
        self.attempts: list[int] = []
        self.change_count = 0

    def new_editor(self, sections: int = 2, lectures: int = 3) -> CourseEditor:
        return CourseEditor(self.make.course(sections=sections, lectures=lectures, status=CourseStatus.DRAFT))

    def run(self, *changes: Change) -> Counter[str | None]:
        """Run the changes at once. Return how often each error code came, with None for success."""
        start = Barrier(len(changes))
        self.change_count += len(changes)

        def run_change(number: int, change: Change) -> str | None:
            start.wait(30)

            def attempt(session: Session) -> Any:
                self.attempts.append(number)
                return change(session)

            try:
                self.databases[number % 2].write_sync(attempt)
            except DomainError as error:
                return error.code.value
            return None

        outcomes = Counter(self._threads.map(run_change, range(len(changes)), changes))
        assert counter_drift(self.database) == []
        return outcomes

    def added_versions(self, editor: CourseEditor) -> int:
        """Return by how much the course's version has grown."""
        version = select(Course.version).where(Course.id == editor.course.row.id)
        return self.database.read_sync(lambda session: session.scalars(version).one()) - editor.course.row.version

    def titles_by_section(self, editor: CourseEditor) -> dict[str, list[str]]:
        """Return the lecture titles of each section title, in order."""
        course = editor.course.row.id
        sections = select(Section.id, Section.title).where(Section.course_id == course, Section.deleted_at.is_(None))
        lectures = select(Lecture.section_id, Lecture.title).where(
            Lecture.course_id == course, Lecture.deleted_at.is_(None)
        )

        def read(session: Session) -> dict[str, list[str]]:
            section_titles = {row.id: row.title for row in session.execute(sections.order_by(Section.order_index))}
            titles: dict[str, list[str]] = {title: [] for title in section_titles.values()}
            for row in session.execute(lectures.order_by(Lecture.order_index)):
                titles[section_titles[row.section_id]].append(row.title)
            return titles

        return self.database.read_sync(read)

    def close(self) -> None:
        self._threads.shutdown()
        for database in self.databases:
            database.dispose()


@pytest.fixture(scope="module", params=DATABASES)
def running_race(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Race]:
    settings = migrated_settings(request, tmp_path_factory, "lms_races")
    race = Race(settings.url, rounds=3 if request.param == "sqlite" else race_rounds(30))
    yield race
    race.close()


@pytest.fixture
def race(running_race: Race) -> Iterator[Race]:
    """Yield an empty race. Assert after the test that no change was retried.

    A change that comes second waits for the first one, and no two changes wait for each other.
    """
    delete_all_rows(running_race.database)
    running_race.change_count = 0
    running_race.attempts.clear()
    yield running_race
    assert len(running_race.attempts) == running_race.change_count


def test_concurrent_section_orders_of_one_version_succeed_once(race: Race) -> None:
    for _ in race.rounds:
        editor = race.new_editor(sections=3, lectures=0)
        assert race.run(editor.rotate_sections(1), editor.rotate_sections(2)) == {None: 1, "STALE_VERSION": 1}
        rotated = [["Section 1", "Section 2", "Section 0"], ["Section 2", "Section 0", "Section 1"]]
        assert list(race.titles_by_section(editor)) in rotated
        assert race.added_versions(editor) == 1


def test_concurrent_lecture_orders_of_one_version_succeed_once(race: Race) -> None:
    for _ in race.rounds:
        editor = race.new_editor()
        outcomes = race.run(*map(editor.reverse_lectures, (0, 1, 0, 1)))
        assert outcomes == {None: 2, "STALE_VERSION": 2}
        assert race.added_versions(editor) == 2


def test_concurrent_lecture_insertions_all_succeed(race: Race) -> None:
    for _ in race.rounds:
        editor = race.new_editor()
        assert race.run(*(editor.insert_lecture(editor.sections[0], f"New {n}") for n in range(10))) == {None: 10}
        first, second = race.titles_by_section(editor).values()
        assert first[10:] == second == ["Lecture 0", "Lecture 1", "Lecture 2"]
        assert sorted(first[:10]) == [f"New {n}" for n in range(10)]
        assert race.added_versions(editor) == 10


def test_concurrent_section_insertions_all_succeed(race: Race) -> None:
    for _ in race.rounds:
        editor = race.new_editor(lectures=0)
        assert race.run(*(editor.insert_section(f"New {n}") for n in range(10))) == {None: 10}
        assert sorted(race.titles_by_section(editor)) == [*(f"New {n}" for n in range(10)), "Section 0", "Section 1"]
        assert race.added_versions(editor) == 10


def test_lecture_moved_and_deleted_concurrently_is_gone(race: Race) -> None:
    for _ in race.rounds:
        editor = race.new_editor()
        lecture, target = editor.lectures[1], editor.sections[1]
        outcomes = race.run(editor.move(lecture, target), editor.delete(lecture), editor.move(lecture, target, 9))
        assert outcomes[None] + outcomes["NOT_FOUND"] == 3
        assert race.titles_by_section(editor) == {
            "Section 0": ["Lecture 0", "Lecture 2"],
            "Section 1": ["Lecture 0", "Lecture 1", "Lecture 2"],
        }
        assert race.added_versions(editor) == outcomes[None]


def test_lectures_swapping_sections_concurrently_all_remain(race: Race) -> None:
    for _ in race.rounds:
        editor = race.new_editor()
        (first, second), lecture, other = editor.sections, editor.lectures[0], editor.lectures[5]
        moves = editor.move(lecture, second), editor.move(other, first), editor.move(lecture, second, 3)
        assert race.run(*moves) == {None: 3}
        assert race.titles_by_section(editor)["Section 0"] == ["Lecture 2", "Lecture 1", "Lecture 2"]


def test_concurrent_section_deletion_includes_new_lectures(race: Race) -> None:
    for _ in race.rounds:
        editor = race.new_editor()
        first = editor.sections[0]
        insertions = [editor.insert_lecture(first, f"New {n}") for n in range(3)]
        outcomes = race.run(editor.delete(first), *insertions, editor.move(editor.lectures[4], first))
        assert outcomes[None] + outcomes["NOT_FOUND"] == 5
        (remaining,) = race.titles_by_section(editor).values()
        assert remaining in (["Lecture 0", "Lecture 2"], ["Lecture 0", "Lecture 1", "Lecture 2"])
        assert race.added_versions(editor) == outcomes[None]


def add_rows(rows: list[Any], session: Session) -> None:
    session.add_all(rows)
    session.flush()
    counters.repair_counters(session)


def test_quiz_attached_concurrently_belongs_to_one_lecture(race: Race) -> None:
    for _ in race.rounds:
        editor = race.new_editor(lectures=0)
        quiz, section = global_id("Quiz", race.make.quiz(editor.course)), editor.sections[0]
        lectures = [
            Lecture(
                section_id=section.id, course_id=section.course_id, title="Test", lecture_type=kind, order_index=n
            )
            for n, kind in enumerate([LectureType.QUIZ] * 2)
        ]
        race.database.write_sync(partial(add_rows, lectures))
        assert race.run(*(editor.attach_quiz(lecture, quiz) for lecture in lectures)) == {None: 1, "IN_USE": 1}


def test_concurrent_insertions_respect_the_section_limit(race: Race) -> None:
    for _ in race.rounds[:10]:
        editor = race.new_editor(sections=98, lectures=0)
        outcomes = race.run(*(editor.insert_section("Last") for _ in range(5)))
        assert outcomes == {None: 2, "LIMIT_REACHED": 3}


def test_editors_of_different_courses_cause_no_retries(race: Race) -> None:
    for _ in race.rounds[:10]:
        editors = [race.new_editor(sections=1, lectures=0) for _ in range(CLIENTS)]
        assert race.run(*(editor.insert_lecture(editor.sections[0], "New") for editor in editors)) == {None: CLIENTS}
