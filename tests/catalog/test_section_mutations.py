"""Sections: written, arranged, taken out."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql.catalog import hooks
from lms_graphql.catalog.models import CourseStatus, Lecture, Section
from lms_graphql.core import global_ids
from lms_graphql.core.actor import ANONYMOUS, Role
from lms_graphql.discussion.models import Note
from tests.catalog.curriculum_client import CurriculumClient, drift
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service, Statements

NOWHERE = global_ids.encode("Course", 10**6), global_ids.encode("Section", 10**6)


@pytest.fixture
def course(make: Factories, service: Service) -> Iterator[CourseTree]:
    """A draft of three sections with two lectures each. After each test its derived figures are right."""
    yield make.course(sections=3, status=CourseStatus.DRAFT)
    assert drift(service.database) == []


@pytest.fixture
def author(client: Client, make: Factories, course: CourseTree) -> CurriculumClient:
    return CurriculumClient(client, make.actor(course.instructor))


def section_ids(course: CourseTree) -> list[str]:
    return [global_id("Section", section) for section in course.sections]


@pytest.mark.parametrize(
    ("position", "order"),
    [
        (None, ["Section 0", "Section 1", "Section 2", "New"]),
        (0, ["New", "Section 0", "Section 1", "Section 2"]),
        (2, ["Section 0", "Section 1", "New", "Section 2"]),
        (3, ["Section 0", "Section 1", "Section 2", "New"]),
        (2**31 - 1, ["Section 0", "Section 1", "Section 2", "New"]),
    ],
)
def test_a_new_section_stands_where_it_is_asked_for(
    author: CurriculumClient, course: CourseTree, position: int | None, order: list[str]
) -> None:
    section = author.ok(
        "createSection", courseId=course.global_id, title="  New ", description=" *So* ", position=position
    )
    assert (section["title"], section["description"]) == ("New", " *So* ")
    assert section["position"] == order.index("New")
    assert (section["lectureCount"], section["durationSeconds"]) == (0, 0)
    assert list(author.titles(course.global_id)) == order


@pytest.mark.parametrize(
    ("input", "faults"),
    [
        ({"title": " "}, [("REQUIRED", "title")]),
        ({"title": "x" * 201}, [("TOO_LONG", "title")]),
        ({"title": "on two\nlines"}, [("INVALID", "title")]),
        ({"description": "x" * 10_001}, [("TOO_LONG", "description")]),
        ({"position": -1}, [("OUT_OF_RANGE", "position")]),
        (
            {"title": "", "description": "\0", "position": -(2**31)},
            [("REQUIRED", "title"), ("INVALID", "description"), ("OUT_OF_RANGE", "position")],
        ),
    ],
)
def test_all_faults_of_a_new_section_are_told_at_once_and_nothing_is_made(
    author: CurriculumClient, course: CourseTree, input: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    before = author.sees(course.global_id)
    assert author.user_errors("createSection", **{"courseId": course.global_id, "title": "New", **input}) == faults
    assert author.sees(course.global_id) == before


def test_what_is_left_out_of_a_section_stays_and_null_empties(author: CurriculumClient, course: CourseTree) -> None:
    id = section_ids(course)[1]
    assert author.ok("updateSection", sectionId=id, description="Why")["description"] == "Why"
    section = author.ok("updateSection", sectionId=id, title="Other")
    assert (section["title"], section["description"]) == ("Other", "Why")
    section = author.ok("updateSection", sectionId=id, description=None)
    assert (section["title"], section["description"], section["position"]) == ("Other", None, 1)
    faults = [("REQUIRED", "title"), ("TOO_LONG", "description")]
    assert author.user_errors("updateSection", sectionId=id, title=None, description="x" * 10_001) == faults
    assert author.sees(course.global_id)["version"] == course.row.version + 3
    assert author.ok("updateSection", sectionId=id)["course"]["version"] == course.row.version + 3


def test_a_section_goes_with_its_lectures_and_what_hangs_on_them_stays(
    author: CurriculumClient, course: CourseTree, service: Service
) -> None:
    gone, lecture = course.sections[1], course.lectures[2]
    note = Note(user_id=course.instructor.id, lecture_id=lecture.id, content="Mine")
    service.database.write_sync(lambda session: session.add(note))
    id = global_id("Section", gone)
    assert author.ok("deleteSection", sectionId=id) == id
    assert author.titles(course.global_id) == {
        name: ["Lecture 0", "Lecture 1"] for name in ("Section 0", "Section 2")
    }
    seen = author.sees(course.global_id)
    assert (seen["lectureCount"], seen["durationSeconds"], seen["sectionCount"]) == (4, 240, 2)
    assert author.sees(id) is author.sees(global_id("Lecture", lecture)) is None
    kept = service.database.read_sync(
        lambda session: (
            session.scalar(select(func.count()).select_from(Section)),
            session.scalar(select(func.count()).select_from(Lecture)),
            session.scalar(select(func.count()).select_from(Note)),
        )
    )
    assert kept == (3, 6, 1)
    again: dict[str, dict[str, Any]] = {
        "deleteSection": {},
        "updateSection": {"title": "Back"},
        "reorderLectures": {"lectureIds": []},
        "createLecture": {"title": "New", "type": "TEXT"},
    }
    for mutation, input in again.items():
        assert author.user_errors(mutation, sectionId=id, **input) == [("NOT_FOUND", "sectionId")]
    assert author.user_errors("deleteLecture", lectureId=global_id("Lecture", lecture)) == [
        ("NOT_FOUND", "lectureId")
    ]


def test_sections_come_in_any_order_that_names_each_once(author: CurriculumClient, course: CourseTree) -> None:
    first, second, third = section_ids(course)
    seen = author.ok("reorderSections", courseId=course.global_id, sectionIds=[third, first, second])
    assert [section["id"] for section in seen["sections"]] == [third, first, second]
    assert [section["position"] for section in seen["sections"]] == [0, 1, 2]
    assert seen["version"] == course.row.version + 1


def test_an_order_that_does_not_name_each_section_once_is_refused_whole(
    author: CurriculumClient, course: CourseTree, make: Factories
) -> None:
    mine = section_ids(course)
    gone = author.ok("createSection", courseId=course.global_id, title="Gone")["id"]
    author.ok("deleteSection", sectionId=gone)
    other = global_id("Section", make.course(instructor=course.instructor).sections[0])
    hidden = global_id("Section", make.course(status=CourseStatus.DRAFT).sections[0])
    lecture = global_id("Lecture", course.lectures[0])
    before, told = author.sees(course.global_id), []
    for strange in (other, hidden, gone, lecture, NOWHERE[1], "nonsense", ""):
        told += [[*mine[:2], strange], [*mine, strange]]
    for wrong in ([], mine[:2], [*mine, mine[0]], [mine[0], mine[0], mine[1]], *told):
        payload = author.payload("reorderSections", courseId=course.global_id, sectionIds=wrong)
        (error,) = payload["errors"]
        assert (error["code"], error["path"]) == ("INVALID", ["input", "sectionIds"])
        assert error["message"] == "The list is incomplete or has other ids in it. Name every section exactly once."
    assert author.sees(course.global_id) == before


def test_an_order_made_of_an_older_version_changes_nothing(author: CurriculumClient, course: CourseTree) -> None:
    turned = section_ids(course)[::-1]
    version = author.sees(course.global_id)["version"]
    order = {"courseId": course.global_id, "sectionIds": turned}
    for other in (version - 1, version + 1, -1):
        refused = author.user_errors("reorderSections", expectedVersion=other, **order)
        assert refused == [("STALE_VERSION", "expectedVersion")]
    assert author.ok("reorderSections", expectedVersion=version, **order)["version"] == version + 1
    assert author.user_errors("reorderSections", expectedVersion=version, **order) == [
        ("STALE_VERSION", "expectedVersion")
    ]


def test_a_course_has_at_most_a_hundred_sections(
    author: CurriculumClient, course: CourseTree, service: Service, make: Factories
) -> None:
    rows = [Section(course_id=course.row.id, title=f"Section {n}", order_index=n) for n in range(3, 100)]
    service.database.write_sync(lambda session: session.add_all(rows))
    assert author.user_errors("createSection", courseId=course.global_id, title="One more") == [
        ("LIMIT_REACHED", "courseId")
    ]
    author.ok("deleteSection", sectionId=section_ids(course)[0])
    assert author.ok("createSection", courseId=course.global_id, title="One more")["position"] == 99


def steps(course: CourseTree) -> dict[str, dict[str, Any]]:
    id = section_ids(course)[0]
    return {
        "createSection": {"courseId": course.global_id, "title": "New"},
        "updateSection": {"sectionId": id, "title": "New"},
        "reorderSections": {"courseId": course.global_id, "sectionIds": section_ids(course)},
        "deleteSection": {"sectionId": id},
    }


def nowhere(input: dict[str, Any]) -> dict[str, Any]:
    """The same with the id of something that is not there."""
    put = {"courseId": NOWHERE[0], "sectionId": NOWHERE[1]}
    return input | {name: put[name] for name in input if name in put}


@pytest.mark.parametrize("status", list(CourseStatus))
def test_nobody_else_changes_the_sections_of_a_course(
    client: Client, make: Factories, service: Service, status: CourseStatus
) -> None:
    course = make.course(sections=2, status=status)
    rival, learner = make.user(Role.INSTRUCTOR), make.user()
    make.enrollment(learner, course)
    before = CurriculumClient(client, make.actor(course.instructor)).sees(course.global_id)
    for mutation, input in steps(course).items():
        strangers = (
            CurriculumClient(client, make.actor(rival)),
            CurriculumClient(client, make.actor(learner)),
            CurriculumClient(client, ANONYMOUS),
        )
        (rivals, learners, anonymous) = (stranger.graphql(mutation, **input) for stranger in strangers)
        assert codes(anonymous) == ["UNAUTHENTICATED"]
        assert codes(learners) == ["FORBIDDEN"]
        if status is CourseStatus.PUBLISHED:
            assert codes(rivals) == ["FORBIDDEN"]
        else:
            assert rivals == strangers[0].graphql(mutation, **nowhere(input))
            assert rivals["data"][mutation]["errors"][0]["code"] == "NOT_FOUND"
    assert CurriculumClient(client, make.actor(course.instructor)).sees(course.global_id) == before


def codes(answer: Any) -> list[str]:
    assert list(answer["data"].values()) == [None]
    return [error["extensions"]["code"] for error in answer["errors"]]


def test_a_super_admin_changes_the_sections_of_any_course(
    client: Client, make: Factories, course: CourseTree
) -> None:
    admin = CurriculumClient(client, make.actor(make.user(Role.SUPER_ADMIN)))
    for mutation, input in steps(course).items():
        given_to = {**input, "sectionIds": [s["id"] for s in admin.sees(course.global_id)["sections"]]}
        admin.ok(mutation, **(given_to if mutation == "reorderSections" else input))
    assert list(admin.titles(course.global_id)) == ["Section 1", "Section 2", "New"]


def test_every_change_is_a_version_and_is_told_in_its_transaction(
    author: CurriculumClient, course: CourseTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int | None]] = []

    def note(session: Session, key: int) -> None:
        told.append((key, session.scalar(select(func.count()).where(Section.deleted_at.is_(None)))))

    monkeypatch.setattr(hooks, "curriculum_changed", [note])
    version = course.row.version
    for mutation, input in steps(course).items():
        if mutation == "reorderSections":
            input["sectionIds"] = [section["id"] for section in author.sees(course.global_id)["sections"]]
        author.ok(mutation, **input)
        version += 1
        assert author.sees(course.global_id)["version"] == version
    assert told == [(course.row.id, 4), (course.row.id, 4), (course.row.id, 4), (course.row.id, 3)]

    def fail(session: Session, key: int) -> None:
        raise LookupError

    before = author.sees(course.global_id)
    monkeypatch.setattr(hooks, "curriculum_changed", [fail])
    assert codes(author.graphql("createSection", courseId=course.global_id, title="New")) == ["INTERNAL_ERROR"]
    assert author.sees(course.global_id) == before


def test_a_course_of_a_hundred_sections_costs_as_many_statements_as_one_of_two(
    client: Client, make: Factories, statements: Statements
) -> None:
    costs = []
    for number in (2, 99):
        course = make.course(sections=number, lectures=1)
        author = CurriculumClient(client, make.actor(course.instructor))
        with statements:
            author.ok("createSection", courseId=course.global_id, title="First", position=0)
        inserting = statements.count
        turned = [section["id"] for section in author.sees(course.global_id)["sections"]][::-1]
        with statements:
            author.ok("reorderSections", courseId=course.global_id, sectionIds=turned)
        reordering = statements.count
        with statements:
            author.ok("deleteSection", sectionId=turned[0])
        costs.append((inserting, reordering, statements.count))
    assert costs[0] == costs[1]
    assert max(costs[0]) <= 20


def test_what_was_deleted_long_ago_stays_where_it_was(
    author: CurriculumClient, course: CourseTree, service: Service
) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    old = Section(course_id=course.row.id, title="Old", order_index=1, deleted_at=long_ago)
    service.database.write_sync(lambda session: session.add(old))
    author.ok("createSection", courseId=course.global_id, title="New", position=1)
    assert list(author.titles(course.global_id)) == ["Section 0", "New", "Section 1", "Section 2"]
    kept = service.database.read_sync(lambda session: session.get_one(Section, old.id))
    assert (kept.order_index, kept.deleted_at) == (1, long_ago)
