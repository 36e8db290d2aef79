"""Authors who change one course at the same moment: positions stay dense, totals right, and nobody's change is lost."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql import wiring
from lms_graphql.assessment.service.lectures import create_lecture, update_lecture
from lms_graphql.catalog.models import Course, CourseStatus, Lecture, LectureType, Section
from lms_graphql.catalog.service.lectures import delete_lecture, move_lecture, reorder_lectures
from lms_graphql.catalog.service.sections import create_section, delete_section, reorder_sections
from lms_graphql.core import ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.database import Database
from lms_graphql.core.errors import Refusal
from tests.authoring import drift
from tests.conftest import DATABASES, migrated
from tests.given import Given, GivenCourse, gid

CLIENTS = 10
Step = Callable[[Session, Actor], Any]

wiring.connect()


class Race:
    """Two processes' ways to one database, and threads that start together."""

    def __init__(self, url: Any, rounds: int) -> None:
        self.databases = [Database(url, pool_size=CLIENTS, threads=1) for _ in range(2)]
        self.database = self.databases[0]
        self.rounds = range(rounds)
        self.given = Given(self.database)
        self._threads = ThreadPoolExecutor(CLIENTS)

    def course(self, sections: int = 2, lectures: int = 3) -> GivenCourse:
        return self.given.course(sections=sections, lectures=lectures, status=CourseStatus.DRAFT)

    def run(self, course: GivenCourse, *steps: Step) -> Counter[str | None]:
        """How often each refusal was told, and None for what was done. Then the course must be sound."""
        actor, start = self.given.actor(course.instructor), Barrier(len(steps))

        def one(number: int, step: Step) -> str | None:
            start.wait(30)
            try:
                self.databases[number % 2].write_now(lambda session: step(session, actor))
            except Refusal as refusal:
                return refusal.code.value
            return None

        told = Counter(self._threads.map(one, range(len(steps)), steps))
        assert drift(self.database) == []
        assert self.version(course) == course.row.version + told[None]
        return told

    def version(self, course: GivenCourse) -> int:
        found = select(Course.version).where(Course.id == course.row.id)
        return self.database.read_now(lambda session: session.scalars(found).one())

    def titles(self, course: GivenCourse) -> dict[str, list[str]]:
        """The lectures' by their sections'."""
        sections = select(Section.id, Section.title).where(Section.course_id == course.row.id)
        lectures = select(Lecture.section_id, Lecture.title).where(Lecture.course_id == course.row.id)

        def read(session: Session) -> dict[str, list[str]]:
            there = dict(session.execute(sections.where(Section.deleted_at.is_(None)).order_by(Section.order_index)))
            found: dict[str, list[str]] = {title: [] for title in there.values()}
            for section, title in session.execute(
                lectures.where(Lecture.deleted_at.is_(None)).order_by(Lecture.order_index)
            ):
                found[there[section]].append(title)
            return found

        return self.database.read_now(read)

    def close(self) -> None:
        self._threads.shutdown()
        for database in self.databases:
            database.dispose()


@pytest.fixture(scope="module", params=DATABASES)
def race(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Race]:
    settings = migrated(request, tmp_path_factory, "lms_races")
    race = Race(settings.url, rounds=3 if request.param == "sqlite" else 60)
    yield race
    race.close()


def new(section: Section, title: str, position: int | None = 0, kind: LectureType = LectureType.TEXT) -> Step:
    said = {"title": title, "duration_seconds": 60}
    return lambda session, actor: create_lecture(session, actor, gid("Section", section), kind, said, position, None)


def new_section(course: GivenCourse, title: str) -> Step:
    return lambda session, actor: create_section(session, actor, course.gid, {"title": title}, 0)


def move(lecture: Lecture, section: Section, position: int = 0) -> Step:
    return lambda session, actor: move_lecture(
        session, actor, gid("Lecture", lecture), gid("Section", section), position
    )


def delete(lecture: Lecture) -> Step:
    return lambda session, actor: delete_lecture(session, actor, gid("Lecture", lecture))


def delete_whole(section: Section) -> Step:
    return lambda session, actor: delete_section(session, actor, gid("Section", section))


def test_of_two_orders_of_sections_made_of_one_version_one_counts(race: Race) -> None:
    for _ in race.rounds:
        course = race.course(sections=3, lectures=0)
        mine = [gid("Section", section) for section in course.sections]

        def turn(order: list[str], course: GivenCourse = course) -> Step:
            return lambda session, actor: reorder_sections(session, actor, course.gid, order, course.row.version)

        assert race.run(course, turn(mine[::-1]), turn(mine[1:] + mine[:1])) == {None: 1, "STALE_VERSION": 1}
        assert list(race.titles(course)) in [
            ["Section 2", "Section 1", "Section 0"],
            ["Section 1", "Section 2", "Section 0"],
        ]


def test_of_two_orders_of_lectures_made_of_one_version_one_counts(race: Race) -> None:
    for _ in race.rounds:
        course = race.course(sections=2)
        version = course.row.version

        def turn(place: int, course: GivenCourse = course, version: int = version) -> Step:
            section, lectures = course.sections[place], course.lectures[3 * place : 3 * place + 3]
            order = [gid("Lecture", lecture) for lecture in lectures][::-1]
            return lambda session, actor: reorder_lectures(session, actor, gid("Section", section), order, version)

        assert race.run(course, turn(0), turn(1), turn(0)) == {None: 1, "STALE_VERSION": 2}


def test_ten_lectures_that_are_put_first_at_once_are_all_there(race: Race) -> None:
    for _ in race.rounds:
        course = race.course()
        assert race.run(course, *(new(course.sections[0], f"New {n}") for n in range(10))) == {None: 10}
        first, second = race.titles(course).values()
        assert first[10:] == second == ["Lecture 0", "Lecture 1", "Lecture 2"]
        assert sorted(first[:10]) == [f"New {n}" for n in range(10)]


def test_ten_sections_that_are_put_first_at_once_are_all_there(race: Race) -> None:
    for _ in race.rounds:
        course = race.course(lectures=0)
        assert race.run(course, *(new_section(course, f"New {n}") for n in range(10))) == {None: 10}
        assert sorted(race.titles(course)) == [*(f"New {n}" for n in range(10)), "Section 0", "Section 1"]


def test_a_lecture_that_is_moved_and_deleted_at_once_is_gone(race: Race) -> None:
    for _ in race.rounds:
        course = race.course()
        lecture, target = course.lectures[1], course.sections[1]
        told = race.run(course, move(lecture, target), delete(lecture), move(lecture, target, 9), delete(lecture))
        assert told[None] + told["NOT_FOUND"] == 4
        assert race.titles(course) == {
            "Section 0": ["Lecture 0", "Lecture 2"],
            "Section 1": ["Lecture 0", "Lecture 1", "Lecture 2"],
        }


def test_two_lectures_that_change_places_at_once_are_both_there(race: Race) -> None:
    for _ in race.rounds:
        course = race.course()
        (first, second), there, back = course.sections, course.lectures[0], course.lectures[5]
        assert race.run(course, move(there, second), move(back, first), move(there, second, 3)) == {None: 3}
        assert sorted(race.titles(course)["Section 0"]) == ["Lecture 1", "Lecture 2", "Lecture 2"]


def test_a_section_takes_along_what_is_put_into_it_at_the_same_time(race: Race) -> None:
    for _ in race.rounds:
        course = race.course()
        first, second = course.sections
        steps = [delete_whole(first), *(new(first, f"New {n}") for n in range(3)), move(course.lectures[4], first)]
        told = race.run(course, *steps)
        assert set(told) <= {None, "NOT_FOUND"}
        assert race.titles(course)["Section 1"] in (
            ["Lecture 0", "Lecture 2"],
            ["Lecture 0", "Lecture 1", "Lecture 2"],
        )
        assert "Section 0" not in race.titles(course)


def test_one_quiz_that_two_lectures_are_given_at_once_hangs_on_one(race: Race) -> None:
    for _ in race.rounds:
        course = race.course(lectures=0)
        quiz = gid("Quiz", race.given.quiz(course))
        lectures = [
            race.given.lecture(course.sections[0], lecture_type=LectureType.QUIZ, order_index=n) for n in (0, 1)
        ]

        def give(lecture: Lecture, quiz: str = quiz) -> Step:
            return lambda session, actor: update_lecture(session, actor, gid("Lecture", lecture), {"quiz_id": quiz})

        assert race.run(course, *map(give, lectures)) == {None: 1, "IN_USE": 1}


def test_the_last_place_is_taken_once(race: Race) -> None:
    for _ in race.rounds[: len(race.rounds) // 4 or 1]:
        course = race.course(lectures=0)
        rows = [
            Lecture(
                section_id=course.sections[0].id,
                course_id=course.row.id,
                lecture_type=LectureType.TEXT,
                title="Full",
                order_index=n,
            )
            for n in range(198)
        ]
        race.database.write_now(lambda session, rows=rows: session.add_all(rows))
        told = race.run(course, *(new(course.sections[0], "New", None) for _ in range(5)))
        assert told == {None: 2, "LIMIT_REACHED": 3}


def test_authors_of_different_courses_do_not_wait_in_vain(race: Race) -> None:
    for _ in race.rounds:
        courses = [race.course(sections=1, lectures=0) for _ in range(5)]
        actors = [race.given.actor(course.instructor) for course in courses]
        steps: list[Step] = [
            lambda session, _, step=new(course.sections[0], f"New {n}"), actor=actor: step(session, actor)
            for course, actor in zip(courses, actors, strict=True)
            for n in range(2)
        ]
        actor_of_none = race.course(sections=0)
        told = race.run(actor_of_none, *steps[:0]) if False else _run_all(race, steps)
        assert told == {None: 10}
        assert drift(race.database) == []


def _run_all(race: Race, steps: list[Step]) -> Counter[str | None]:
    return Counter()


def test_ids(race: Race) -> None:
    assert ids
