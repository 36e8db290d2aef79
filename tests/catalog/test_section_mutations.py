"""Mutations of sections."""

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
from tests.catalog.curriculum_client import CurriculumClient, counter_drift
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service, StatementRecorder

UNKNOWN_COURSE, UNKNOWN_SECTION = global_ids.encode("Course", 10**6), global_ids.encode("Section", 10**6)


@pytest.fixture
def course(make: Factories, service: Service) -> Iterator[CourseTree]:
    """Create a draft of three sections with two lectures each. Assert after the test that its counters are right."""
    yield make.course(sections=3, status=CourseStatus.DRAFT)
    assert counter_drift(service.database) == []


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
def test_new_section_is_inserted_at_its_position(
    author: CurriculumClient, course: CourseTree, position: int | None, order: list[str]
) -> None:
    section = author.ok(
        "createSection", courseId=course.global_id, title="  New ", description=" *So* ", position=position
    )
    assert (section["title"], section["description"]) == ("New", " *So* ")
    assert section["position"] == order.index("New")
    assert (section["lectureCount"], section["durationSeconds"]) == (0, 0)
    assert list(author.titles_by_section(course.global_id)) == order


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("input", "errors"),
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
def test_invalid_section_returns_all_errors(
    author: CurriculumClient, course: CourseTree, input: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    before = author.node(course.global_id)
    assert author.user_errors("createSection", **{"courseId": course.global_id, "title": "New", **input}) == errors
    assert author.node(course.global_id) == before


def test_update_keeps_omitted_fields_and_clears_nulls(author: CurriculumClient, course: CourseTree) -> None:
    id = section_ids(course)[1]
    assert author.ok("updateSection", sectionId=id, description="Why")["description"] == "Why"
    section = author.ok("updateSection", sectionId=id, title="Other")
    assert (section["title"], section["description"]) == ("Other", "Why")
    section = author.ok("updateSection", sectionId=id, description=None)
    assert (section["title"], section["description"], section["position"]) == ("Other", None, 1)
    errors = [("REQUIRED", "title"), ("TOO_LONG", "description")]
    assert author.user_errors("updateSection", sectionId=id, title=None, description="x" * 10_001) == errors
    assert author.node(course.global_id)["version"] == course.row.version + 3
    assert author.ok("updateSection", sectionId=id)["course"]["version"] == course.row.version + 3


def test_deleted_section_hides_lectures_and_keeps_rows(
    author: CurriculumClient, course: CourseTree, service: Service
) -> None:
    section, lecture = course.sections[1], course.lectures[2]
    note = Note(user_id=course.instructor.id, lecture_id=lecture.id, content="Mine")
    service.database.write_sync(lambda session: session.add(note))
    id = global_id("Section", section)
    assert author.ok("deleteSection", sectionId=id) == id
    assert author.titles_by_section(course.global_id) == {
        name: ["Lecture 0", "Lecture 1"] for name in ("Section 0", "Section 2")
    }
    updated = author.node(course.global_id)
    assert (updated["lectureCount"], updated["durationSeconds"], updated["sectionCount"]) == (4, 240, 2)
    assert author.node(id) is author.node(global_id("Lecture", lecture)) is None
    row_counts = service.database.read_sync(
        lambda session: (
            session.scalar(select(func.count()).select_from(Section)),
            session.scalar(select(func.count()).select_from(Lecture)),
            session.scalar(select(func.count()).select_from(Note)),
        )
    )
    assert row_counts == (3, 6, 1)
    later_mutations: dict[str, dict[str, Any]] = {
        "deleteSection": {},
        "updateSection": {"title": "Back"},
        "reorderLectures": {"lectureIds": []},
        "createLecture": {"title": "New", "type": "TEXT"},
    }
    for mutation, input in later_mutations.items():
        assert author.user_errors(mutation, sectionId=id, **input) == [("NOT_FOUND", "sectionId")]
    assert author.user_errors("deleteLecture", lectureId=global_id("Lecture", lecture)) == [
        ("NOT_FOUND", "lectureId")
    ]


def test_sections_can_be_reordered(author: CurriculumClient, course: CourseTree) -> None:
    first, second, third = section_ids(course)
    updated = author.ok("reorderSections", courseId=course.global_id, sectionIds=[third, first, second])
    assert [section["id"] for section in updated["sections"]] == [third, first, second]
    assert [section["position"] for section in updated["sections"]] == [0, 1, 2]
    assert updated["version"] == course.row.version + 1


def test_reordering_needs_each_section_exactly_once(
    author: CurriculumClient, course: CourseTree, make: Factories
) -> None:
    ids = section_ids(course)
    deleted = author.ok("createSection", courseId=course.global_id, title="Deleted")["id"]
    author.ok("deleteSection", sectionId=deleted)
    other = global_id("Section", make.course(instructor=course.instructor).sections[0])
    hidden = global_id("Section", make.course(status=CourseStatus.DRAFT).sections[0])
    lecture = global_id("Lecture", course.lectures[0])
    before = author.node(course.global_id)
    invalid = [[], ids[:2], [*ids, ids[0]], [ids[0], ids[0], ids[1]]]
    for foreign in (other, hidden, deleted, lecture, UNKNOWN_SECTION, "nonsense", ""):
        invalid += [[*ids[:2], foreign], [*ids, foreign]]
    for order in invalid:
        payload = author.payload("reorderSections", courseId=course.global_id, sectionIds=order)
        (error,) = payload["errors"]
        assert (error["code"], error["path"]) == ("INVALID", ["input", "sectionIds"])
        assert error["message"] == "The list is incomplete or has other ids in it. Name every section exactly once."
    assert author.node(course.global_id) == before


def test_section_order_of_stale_version_is_rejected(author: CurriculumClient, course: CourseTree) -> None:
    reversed_ids = section_ids(course)[::-1]
    version = author.node(course.global_id)["version"]
    order = {"courseId": course.global_id, "sectionIds": reversed_ids}
    for other in (version - 1, version + 1, -1):
        errors = author.user_errors("reorderSections", expectedVersion=other, **order)
        assert errors == [("STALE_VERSION", "expectedVersion")]
    assert author.ok("reorderSections", expectedVersion=version, **order)["version"] == version + 1
    assert author.user_errors("reorderSections", expectedVersion=version, **order) == [
        ("STALE_VERSION", "expectedVersion")
    ]


def test_course_has_at_most_100_sections(
    author: CurriculumClient, course: CourseTree, service: Service, make: Factories
) -> None:
    rows = [Section(course_id=course.row.id, title=f"Section {n}", order_index=n) for n in range(3, 100)]
    service.database.write_sync(lambda session: session.add_all(rows))
    assert author.user_errors("createSection", courseId=course.global_id, title="One more") == [
        ("LIMIT_REACHED", "courseId")
    ]
    author.ok("deleteSection", sectionId=section_ids(course)[0])
    assert author.ok("createSection", courseId=course.global_id, title="One more")["position"] == 99


def mutation_inputs(course: CourseTree) -> dict[str, dict[str, Any]]:
    id = section_ids(course)[0]
    return {
        "createSection": {"courseId": course.global_id, "title": "New"},
        "updateSection": {"sectionId": id, "title": "New"},
        "reorderSections": {"courseId": course.global_id, "sectionIds": section_ids(course)},
        "deleteSection": {"sectionId": id},
    }


def with_unknown_id(input: dict[str, Any]) -> dict[str, Any]:
    """Return the input with an id that does not exist."""
    unknown = {"courseId": UNKNOWN_COURSE, "sectionId": UNKNOWN_SECTION}
    return input | {name: unknown[name] for name in input if name in unknown}


@pytest.mark.parametrize("status", list(CourseStatus))
def test_other_users_cannot_change_sections(
    client: Client, make: Factories, service: Service, status: CourseStatus
) -> None:
    course = make.course(sections=2, status=status)
    other_instructor, learner = make.user(Role.INSTRUCTOR), make.user()
    make.enrollment(learner, course)
    before = CurriculumClient(client, make.actor(course.instructor)).node(course.global_id)
    for mutation, input in mutation_inputs(course).items():
        assert CurriculumClient(client, ANONYMOUS).error_codes(mutation, **input) == ["UNAUTHENTICATED"]
        assert CurriculumClient(client, make.actor(learner)).error_codes(mutation, **input) == ["FORBIDDEN"]
        other_client = CurriculumClient(client, make.actor(other_instructor))
        if status is CourseStatus.PUBLISHED:
            assert other_client.error_codes(mutation, **input) == ["FORBIDDEN"]
        else:
            body = other_client.graphql(mutation, **input)
            assert body == other_client.graphql(mutation, **with_unknown_id(input))
            assert body["data"][mutation]["errors"][0]["code"] == "NOT_FOUND"
    assert CurriculumClient(client, make.actor(course.instructor)).node(course.global_id) == before


def test_super_admin_can_change_any_sections(client: Client, make: Factories, course: CourseTree) -> None:
    admin = CurriculumClient(client, make.actor(make.user(Role.SUPER_ADMIN)))
    for mutation, input in mutation_inputs(course).items():
        if mutation == "reorderSections":
            input["sectionIds"] = [section["id"] for section in admin.node(course.global_id)["sections"]]
        admin.ok(mutation, **input)
    assert list(admin.titles_by_section(course.global_id)) == ["Section 1", "Section 2", "New"]


def test_curriculum_hook_runs_in_same_transaction(
    author: CurriculumClient, course: CourseTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int | None]] = []

    def record(session: Session, key: int) -> None:
        calls.append((key, session.scalar(select(func.count()).where(Section.deleted_at.is_(None)))))

    monkeypatch.setattr(hooks, "curriculum_changed", [record])
    version = course.row.version
    for mutation, input in mutation_inputs(course).items():
        if mutation == "reorderSections":
            input["sectionIds"] = [section["id"] for section in author.node(course.global_id)["sections"]]
        author.ok(mutation, **input)
        version += 1
        assert author.node(course.global_id)["version"] == version
    assert calls == [(course.row.id, 4), (course.row.id, 4), (course.row.id, 4), (course.row.id, 3)]

    def fail(session: Session, key: int) -> None:
        raise LookupError

    before = author.node(course.global_id)
    monkeypatch.setattr(hooks, "curriculum_changed", [fail])
    assert author.error_codes("createSection", courseId=course.global_id, title="New") == ["INTERNAL_ERROR"]
    assert author.node(course.global_id) == before


@pytest.mark.query_budget
def test_section_mutations_take_constant_statements(
    client: Client, make: Factories, statements: StatementRecorder
) -> None:
    counts_by_size = []
    for number in (2, 99):
        course = make.course(sections=number, lectures=1)
        author = CurriculumClient(client, make.actor(course.instructor))
        with statements:
            author.ok("createSection", courseId=course.global_id, title="First", position=0)
        insert_count = statements.count
        reversed_ids = [section["id"] for section in author.node(course.global_id)["sections"]][::-1]
        with statements:
            author.ok("reorderSections", courseId=course.global_id, sectionIds=reversed_ids)
        reorder_count = statements.count
        with statements:
            author.ok("deleteSection", sectionId=reversed_ids[0])
        counts_by_size.append((insert_count, reorder_count, statements.count))
    assert counts_by_size[0] == counts_by_size[1]
    assert max(counts_by_size[0]) <= 28


def test_deleted_sections_keep_their_position(author: CurriculumClient, course: CourseTree, service: Service) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    deleted = Section(course_id=course.row.id, title="Deleted", order_index=1, deleted_at=long_ago)
    service.database.write_sync(lambda session: session.add(deleted))
    author.ok("createSection", courseId=course.global_id, title="New", position=1)
    assert list(author.titles_by_section(course.global_id)) == ["Section 0", "New", "Section 1", "Section 2"]
    stored = service.database.read_sync(lambda session: session.get_one(Section, deleted.id))
    assert (stored.order_index, stored.deleted_at) == (1, long_ago)
