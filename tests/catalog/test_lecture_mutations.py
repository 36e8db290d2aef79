"""Mutations of lectures."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course, CourseStatus, Lecture, LectureType, Section
from lms_graphql.core import clock, global_ids
from lms_graphql.discussion.models import Note, QAQuestion
from lms_graphql.learning.models import LectureProgress
from tests.catalog.curriculum_client import CurriculumClient, counter_drift
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import ACTOR_HEADER, Client, Service, StatementRecorder

MARKDOWN = "  # Title\n\n<script>alert('x')</script>\t*so*  \n"
ALL_FIELDS = {
    "title": "New",
    "type": "VIDEO",
    "description": " It is *new*. ",
    "durationSeconds": 90,
    "isPreview": True,
    "isDownloadable": True,
    "videoUrl": " https://videos.example.com/1.mp4 ",
    "body": MARKDOWN,
    "resourceUrl": "http://files.example.com/1.pdf",
}
EXPECTED = {
    **{name: ALL_FIELDS[name] for name in ("title", "type", "description", "durationSeconds", "isPreview")},
    "isDownloadable": True,
    "content": {
        "videoUrl": "https://videos.example.com/1.mp4",
        "body": MARKDOWN,
        "resourceUrl": "http://files.example.com/1.pdf",
    },
}


@pytest.fixture
def course(make: Factories, service: Service) -> Iterator[CourseTree]:
    """Create a draft of two sections with three lectures each. Assert after the test that its counters are right."""
    yield make.course(sections=2, lectures=3, status=CourseStatus.DRAFT)
    assert counter_drift(service.database) == []


@pytest.fixture
def author(client: Client, make: Factories, course: CourseTree) -> CurriculumClient:
    return CurriculumClient(client, make.actor(course.instructor))


def section_ids(course: CourseTree) -> list[str]:
    return [global_id("Section", section) for section in course.sections]


def lecture_ids(course: CourseTree, section: int = 0) -> list[str]:
    return [global_id("Lecture", lecture) for lecture in course.lectures[3 * section : 3 * section + 3]]


def current_order(author: CurriculumClient, course: CourseTree) -> list[list[str]]:
    """Return the ids of the lectures, section by section. Asserts that positions have no gaps."""
    author.titles_by_section(course.global_id)
    return [
        [lecture["id"] for lecture in section["lectures"]] for section in author.node(course.global_id)["sections"]
    ]


def test_new_lecture_stores_all_fields(author: CurriculumClient, course: CourseTree) -> None:
    lecture = author.ok("createLecture", sectionId=section_ids(course)[1], **ALL_FIELDS)
    assert {name: lecture[name] for name in EXPECTED} == EXPECTED
    assert (lecture["position"], lecture["section"]["id"]) == (3, section_ids(course)[1])
    updated = lecture["course"]
    assert (updated["lectureCount"], updated["durationSeconds"]) == (7, 450)
    assert updated["version"] == course.row.version + 1
    section = updated["sections"][1]
    assert (section["lectureCount"], section["durationSeconds"]) == (4, 270)


@pytest.mark.parametrize("kind", ["VIDEO", "TEXT", "QUIZ", "ASSIGNMENT", "RESOURCE"])
def test_new_lecture_requires_only_a_title(author: CurriculumClient, course: CourseTree, kind: str) -> None:
    for empty in ({}, dict.fromkeys(("durationSeconds", "isPreview", "isDownloadable", "position", "quizId"))):
        lecture = author.ok("createLecture", sectionId=section_ids(course)[0], title="New", type=kind, **empty)
        assert (lecture["type"], lecture["durationSeconds"]) == (kind, 0)
        assert lecture["isPreview"] is lecture["isDownloadable"] is False
        assert lecture["content"] == {"videoUrl": None, "body": None, "resourceUrl": None}


@pytest.mark.parametrize(("position", "expected"), [(0, 0), (1, 1), (3, 3), (4, 3), (2**31 - 1, 3), (None, 3)])
def test_new_lecture_is_inserted_at_its_position(
    author: CurriculumClient, course: CourseTree, position: int | None, expected: int
) -> None:
    input = {"sectionId": section_ids(course)[0], "title": "New", "type": "TEXT", "position": position}
    id = author.ok("createLecture", **input)["id"]
    first, second = current_order(author, course)
    assert first.index(id) == expected
    assert [other for other in first if other != id] == lecture_ids(course, 0)
    assert second == lecture_ids(course, 1)


def scalar(service: Service, statement: Any) -> Any:
    return service.database.read_sync(lambda session: session.scalar(statement))


INVALID_FIELDS = [
    ("title", "", "REQUIRED"),
    ("title", "x" * 201, "TOO_LONG"),
    ("description", "x" * 10_001, "TOO_LONG"),
    ("body", "x" * 50_001, "TOO_LONG"),
    ("body", "\x07", "INVALID"),
    ("durationSeconds", -1, "OUT_OF_RANGE"),
    ("durationSeconds", 360_001, "OUT_OF_RANGE"),
    ("videoUrl", "ftp://example.com/1.mp4", "INVALID"),
    ("videoUrl", "javascript:alert(1)", "INVALID"),
    ("resourceUrl", "/files/1.pdf", "INVALID"),
    ("resourceUrl", "https://example.com/" + "x" * 2_000, "TOO_LONG"),
]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("field", "value", "code"), [*INVALID_FIELDS, ("position", -1, "OUT_OF_RANGE")])
def test_invalid_lecture_field_is_reported_and_nothing_changes(
    author: CurriculumClient, course: CourseTree, field: str, value: Any, code: str
) -> None:
    before = author.node(course.global_id)
    new = {"sectionId": section_ids(course)[0], "title": "New", "type": "TEXT", field: value}
    assert author.user_errors("createLecture", **new) == [(code, field)]
    if field != "position":
        assert author.user_errors("updateLecture", lectureId=lecture_ids(course)[0], **{field: value}) == [
            (code, field)
        ]
    assert author.node(course.global_id) == before


def test_all_lecture_errors_are_returned_together(
    author: CurriculumClient, course: CourseTree, make: Factories
) -> None:
    invalid = {field: value for field, value, _ in INVALID_FIELDS} | {"quizId": global_id("Quiz", make.quiz(course))}
    fields = {"title", "description", "body", "durationSeconds", "videoUrl", "resourceUrl", "quizId"}
    errors = author.user_errors(
        "createLecture", sectionId=section_ids(course)[0], type="TEXT", position=-5, **invalid
    )
    assert {field for _, field in errors} == fields | {"position"}
    assert ("INVALID", "quizId") in errors
    changes = {**invalid, "isPreview": None, "isDownloadable": None}
    errors = author.user_errors("updateLecture", lectureId=lecture_ids(course)[0], **changes)
    assert {field for _, field in errors} == fields | {"isPreview", "isDownloadable"}


def test_longest_values_are_accepted(author: CurriculumClient, course: CourseTree) -> None:
    longest = {"title": "x" * 200, "description": "ö" * 10_000, "body": "𝄞" * 50_000, "durationSeconds": 360_000}
    lecture = author.ok("createLecture", sectionId=section_ids(course)[0], type="TEXT", **longest)
    assert (lecture["title"], lecture["description"]) == (longest["title"], longest["description"])
    assert (lecture["content"]["body"], lecture["durationSeconds"]) == (longest["body"], 360_000)
    updated = author.ok("updateLecture", lectureId=lecture["id"], body="x" * 50_000, durationSeconds=0)
    assert (len(updated["content"]["body"]), updated["durationSeconds"]) == (50_000, 0)


@pytest.mark.parametrize("inline", [False, True])
def test_longest_lecture_is_accepted_in_any_encoding(
    client: Client, author: CurriculumClient, course: CourseTree, inline: bool
) -> None:
    """Each of these characters takes twelve bytes as ASCII JSON. Inline, the texts are literals in the document."""
    texts = {"title": "𝄞" * 200, "description": "𝄞" * 10_000, "body": "𝄞" * 50_000}
    texts |= dict.fromkeys(["videoUrl", "resourceUrl"], "https://example.com/" + "é" * 1_980)
    section = section_ids(course)[0]
    new = {"sectionId": section, "type": "VIDEO", **texts}
    request: dict[str, Any] = {"query": CurriculumClient.document("createLecture"), "variables": {"input": new}}
    if inline:
        fields = ", ".join(f'{name}: "{text}"' for name, text in texts.items())
        mutation = f'createLecture(input: {{sectionId: "{section}", type: VIDEO, {fields}}})'
        request = {"query": f"mutation {{ {mutation} {{ lecture {{ id }} errors {{ code }} }} }}"}
    headers = {ACTOR_HEADER: f"{author.actor.key}:{author.actor.role}", "content-type": "application/json"}
    body = client.send("POST", "/graphql", content=json.dumps(request).encode(), headers=headers).json()
    lecture = author.ok("updateLecture", lectureId=body["data"]["createLecture"]["lecture"]["id"])
    stored = {**lecture, **lecture["content"]}
    assert {name: stored[name] for name in texts} == texts


def test_update_keeps_omitted_fields_and_clears_nulls(author: CurriculumClient, course: CourseTree) -> None:
    id = author.ok("createLecture", sectionId=section_ids(course)[0], **ALL_FIELDS)["id"]
    lecture = author.ok("updateLecture", lectureId=id, title="Other", durationSeconds=30, isPreview=False)
    assert (lecture["title"], lecture["durationSeconds"], lecture["isPreview"]) == ("Other", 30, False)
    assert (lecture["content"], lecture["description"]) == (EXPECTED["content"], ALL_FIELDS["description"])
    assert (lecture["course"]["durationSeconds"], lecture["course"]["sections"][0]["durationSeconds"]) == (390, 210)
    cleared = dict.fromkeys(("description", "videoUrl", "body", "resourceUrl", "quizId"))
    lecture = author.ok("updateLecture", lectureId=id, **cleared)
    assert lecture["content"] == {"videoUrl": None, "body": None, "resourceUrl": None}
    assert (lecture["description"], lecture["title"], lecture["isDownloadable"]) == (None, "Other", True)
    required = ("title", "durationSeconds", "isPreview", "isDownloadable")
    errors = author.user_errors("updateLecture", lectureId=id, **dict.fromkeys(required))
    assert sorted(errors) == sorted(("REQUIRED", name) for name in required)


CONTENT = {
    "videoUrl": "https://videos.example.com/1.mp4",
    "body": "Words",
    "resourceUrl": "https://files.example.com/1.pdf",
}
FOREIGN_CONTENT = {
    "VIDEO": [],
    "TEXT": ["videoUrl"],
    "RESOURCE": ["videoUrl"],
    "ASSIGNMENT": ["videoUrl"],
    "QUIZ": ["videoUrl", "body", "resourceUrl"],
}


@pytest.mark.parametrize("kind", list(LectureType))
def test_content_of_other_lecture_types_is_invalid(
    author: CurriculumClient, course: CourseTree, kind: LectureType
) -> None:
    new = {"sectionId": section_ids(course)[0], "title": "New", "type": kind.name}
    foreign = FOREIGN_CONTENT[kind.name]
    errors = [("INVALID", name) for name in foreign]
    if foreign:
        assert author.user_errors("createLecture", **new, **CONTENT) == errors
        assert author.user_errors("createLecture", **new, videoUrl="nonsense") == [("INVALID", "videoUrl")]
    own = {name: None if name in foreign else value for name, value in CONTENT.items()}
    lecture = author.ok("createLecture", **new, **own)
    assert lecture["content"] == own
    if foreign:
        assert author.user_errors("updateLecture", lectureId=lecture["id"], **CONTENT) == errors
    blank = dict.fromkeys(foreign, " ")
    assert author.ok("updateLecture", lectureId=lecture["id"], **blank)["content"] == own


def test_foreign_content_of_older_lectures_stays_until_cleared(
    author: CurriculumClient, course: CourseTree, make: Factories
) -> None:
    row = make.lecture(make.section(course, order_index=2), lecture_type=LectureType.TEXT)
    id = global_id("Lecture", row)
    renamed = author.ok("updateLecture", lectureId=id, title="Other", body="New")
    assert (renamed["title"], renamed["content"]["videoUrl"]) == ("Other", row.video_url)
    assert author.ok("updateLecture", lectureId=id, videoUrl=None)["content"]["videoUrl"] is None


def test_lecture_type_cannot_be_changed(author: CurriculumClient, course: CourseTree) -> None:
    body = author.graphql("updateLecture", lectureId=lecture_ids(course)[0], type="TEXT")
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_deleted_lecture_leaves_no_gap_and_keeps_user_data(
    author: CurriculumClient, course: CourseTree, service: Service, position: int
) -> None:
    lecture, now = course.lectures[position], clock.now()
    common = {"user_id": course.instructor.id, "lecture_id": lecture.id}
    user_data = [
        Note(content="Mine", **common),
        QAQuestion(title="Why?", content="Really", course_id=lecture.course_id, **common),
        LectureProgress(started_at=now, last_accessed=now, watch_time=5, last_position=5, **common),
    ]
    service.database.write_sync(lambda session: session.add_all(user_data))
    id = global_id("Lecture", lecture)
    assert author.ok("deleteLecture", lectureId=id) == id
    assert current_order(author, course) == [
        [other for other in lecture_ids(course) if other != id],
        lecture_ids(course, 1),
    ]
    updated = author.node(course.global_id)
    assert (updated["lectureCount"], updated["durationSeconds"]) == (5, 300)
    assert updated["version"] == course.row.version + 1
    assert author.node(id) is None
    for table in (Note, QAQuestion, LectureProgress):
        assert scalar(service, select(func.count()).where(table.lecture_id == lecture.id)) == 1
    later_mutations: dict[str, dict[str, Any]] = {
        "deleteLecture": {},
        "updateLecture": {"title": "Back"},
        "moveLecture": {"sectionId": section_ids(course)[1], "position": 0},
    }
    for mutation, input in later_mutations.items():
        assert author.user_errors(mutation, lectureId=id, **input) == [("NOT_FOUND", "lectureId")]


@pytest.mark.parametrize("position", [0, 1, 2, 9])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_lecture_moves_within_its_section(
    author: CurriculumClient, course: CourseTree, number: int, position: int
) -> None:
    others = lecture_ids(course)
    id = others.pop(number)
    moved = author.ok("moveLecture", lectureId=id, sectionId=section_ids(course)[0], position=position)
    others.insert(position, id)
    assert current_order(author, course) == [others, lecture_ids(course, 1)]
    assert moved["position"] == min(position, 2)


@pytest.mark.parametrize("position", [0, 2, 3, 9])
def test_lecture_moves_to_another_section(author: CurriculumClient, course: CourseTree, position: int) -> None:
    id = lecture_ids(course)[1]
    moved = author.ok("moveLecture", lectureId=id, sectionId=section_ids(course)[1], position=position)
    second = lecture_ids(course, 1)
    second.insert(position, id)
    assert current_order(author, course) == [[lecture_ids(course)[0], lecture_ids(course)[2]], second]
    assert (moved["section"]["id"], moved["position"]) == (section_ids(course)[1], min(position, 3))
    counts = [(section["lectureCount"], section["durationSeconds"]) for section in moved["course"]["sections"]]
    assert counts == [(2, 120), (4, 240)]
    assert moved["course"]["version"] == course.row.version + 1


def test_lecture_cannot_move_outside_its_course(
    author: CurriculumClient, course: CourseTree, make: Factories
) -> None:
    before, id = author.node(course.global_id), lecture_ids(course)[0]
    own_course = make.course(instructor=course.instructor, status=CourseStatus.DRAFT)
    published, hidden = make.course(), make.course(status=CourseStatus.DRAFT)
    deleted = author.ok("createSection", courseId=own_course.global_id, title="Deleted")["id"]
    author.ok("deleteSection", sectionId=deleted)

    def move_errors(section_id: str, position: int = 0) -> list[tuple[str, str]]:
        return author.user_errors("moveLecture", lectureId=id, sectionId=section_id, position=position)

    for visible in (own_course, published):
        assert move_errors(global_id("Section", visible.sections[0])) == [("INVALID", "sectionId")]
    unknown = global_ids.encode("Section", 10**6)
    for invalid in (global_id("Section", hidden.sections[0]), deleted, unknown, id, "nonsense", ""):
        assert move_errors(invalid, -1) == [("NOT_FOUND", "sectionId")]
    assert move_errors(section_ids(course)[0], -1) == [("OUT_OF_RANGE", "position")]
    assert author.node(course.global_id) == before


def test_reordering_needs_each_lecture_exactly_once(
    author: CurriculumClient, course: CourseTree, make: Factories
) -> None:
    first, second, third = lecture_ids(course)
    section = section_ids(course)[0]
    version = author.node(course.global_id)["version"]
    author.ok("reorderLectures", sectionId=section, lectureIds=[third, first, second], expectedVersion=1)
    assert current_order(author, course) == [[third, first, second], lecture_ids(course, 1)]
    before = author.node(course.global_id)
    assert before["version"] == version + 1
    stale = {"lectureIds": [first, second, third], "expectedVersion": 1}
    assert author.user_errors("reorderLectures", sectionId=section, **stale) == [("STALE_VERSION", "expectedVersion")]
    hidden = global_id("Lecture", make.course(status=CourseStatus.DRAFT).lectures[0])
    invalid = [[], [first, second], [first, second, second], [first, second, third, third]]
    for other in (lecture_ids(course, 1)[0], hidden, section, "nonsense"):
        invalid += [[first, second, other], [first, second, third, other]]
    for ids in invalid:
        errors = author.user_errors("reorderLectures", sectionId=section, lectureIds=ids)
        assert errors == [("INVALID", "lectureIds")]
    assert author.node(course.global_id) == before


def add_lectures(service: Service, section: Section, number: int) -> None:
    """Append so many lectures to the section, without the service."""
    common = {"section_id": section.id, "course_id": section.course_id, "lecture_type": LectureType.TEXT}

    def add(session: Session) -> None:
        count = session.scalar(select(func.count()).where(Lecture.section_id == section.id)) or 0
        rows = [{**common, "title": "More", "order_index": count + n} for n in range(number)]
        session.execute(insert(Lecture), rows)
        course, sections = session.get_one(Course, section.course_id), [session.get_one(Section, section.id)]
        counters.refresh_totals(session, course, sections)

    service.database.write_sync(add)


def test_section_has_at_most_200_lectures(author: CurriculumClient, course: CourseTree, service: Service) -> None:
    full, other = section_ids(course)
    add_lectures(service, course.sections[0], 197)
    new = {"title": "New", "type": "TEXT"}
    assert author.user_errors("createLecture", sectionId=full, **new) == [("LIMIT_REACHED", "sectionId")]
    move = {"lectureId": lecture_ids(course, 1)[0], "sectionId": full, "position": 0}
    assert author.user_errors("moveLecture", **move) == [("LIMIT_REACHED", "sectionId")]
    assert author.ok("moveLecture", lectureId=lecture_ids(course)[0], sectionId=full, position=500)["position"] == 199
    author.ok("moveLecture", lectureId=lecture_ids(course)[0], sectionId=other, position=0)
    assert author.ok("createLecture", sectionId=full, **new)["position"] == 199


def test_course_has_at_most_1000_lectures(author: CurriculumClient, course: CourseTree, service: Service) -> None:
    last = author.ok("createSection", courseId=course.global_id, title="Last")["id"]
    new = {"sectionId": last, "title": "New", "type": "TEXT"}
    for _ in range(4):
        section = author.ok("createSection", courseId=course.global_id, title="Full")["id"]
        add_lectures(
            service,
            scalar(service, select(Section).where(Section.id == global_ids.decode_key("Section", section))),
            200,
        )
    for section in course.sections:
        add_lectures(service, section, 97)
    assert author.node(course.global_id)["lectureCount"] == 1_000
    assert author.user_errors("createLecture", **new) == [("LIMIT_REACHED", "sectionId")]
    author.ok("moveLecture", lectureId=lecture_ids(course)[0], sectionId=last, position=0)
    author.ok("deleteLecture", lectureId=lecture_ids(course)[1])
    assert author.ok("createLecture", **new)["course"]["lectureCount"] == 1_000


@pytest.mark.query_budget
def test_lecture_mutations_take_constant_statements(
    client: Client, make: Factories, service: Service, statements: StatementRecorder
) -> None:
    counts_by_size = []
    for number in (2, 198):
        course = make.course(sections=2, lectures=1)
        add_lectures(service, course.sections[0], number - 1)
        add_lectures(service, course.sections[1], number - 1)
        author = CurriculumClient(client, make.actor(course.instructor))
        first, second = section_ids(course)
        ids_by_section = [
            [lecture["id"] for lecture in section["lectures"]]
            for section in author.node(course.global_id)["sections"]
        ]
        counts = []
        for mutation, input in (
            ("createLecture", {"sectionId": first, "title": "New", "type": "TEXT", "body": "Words", "position": 0}),
            ("reorderLectures", {"sectionId": second, "lectureIds": ids_by_section[1][::-1]}),
            ("moveLecture", {"lectureId": ids_by_section[0][0], "sectionId": second, "position": 0}),
            ("updateLecture", {"lectureId": ids_by_section[0][0], "durationSeconds": 5}),
            ("deleteLecture", {"lectureId": ids_by_section[0][0]}),
            ("deleteSection", {"sectionId": first}),
        ):
            with statements:
                author.ok(mutation, **input)
            counts.append(statements.count)
        counts_by_size.append(counts)
    assert counts_by_size[0] == counts_by_size[1]
    assert max(counts_by_size[0]) <= 34
