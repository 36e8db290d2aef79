"""Lectures: written, arranged, moved, taken out."""

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
from tests.catalog.curriculum_client import CurriculumClient, drift
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import ACTOR_HEADER, Client, Service, Statements

MARKDOWN = "  # Title\n\n<script>alert('x')</script>\t*so*  \n"
FULL = {
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
SHOWN = {
    **{name: FULL[name] for name in ("title", "type", "description", "durationSeconds", "isPreview")},
    "isDownloadable": True,
    "content": {
        "videoUrl": "https://videos.example.com/1.mp4",
        "body": MARKDOWN,
        "resourceUrl": "http://files.example.com/1.pdf",
    },
}


@pytest.fixture
def course(make: Factories, service: Service) -> Iterator[CourseTree]:
    """A draft of two sections with three lectures each. After each test its derived figures are right."""
    yield make.course(sections=2, lectures=3, status=CourseStatus.DRAFT)
    assert drift(service.database) == []


@pytest.fixture
def author(client: Client, make: Factories, course: CourseTree) -> CurriculumClient:
    return CurriculumClient(client, make.actor(course.instructor))


def sections(course: CourseTree) -> list[str]:
    return [global_id("Section", section) for section in course.sections]


def lectures(course: CourseTree, place: int = 0) -> list[str]:
    return [global_id("Lecture", lecture) for lecture in course.lectures[3 * place : 3 * place + 3]]


def order(author: CurriculumClient, course: CourseTree) -> list[list[str]]:
    """The lectures' ids, section by section."""
    author.titles(course.global_id)
    return [
        [lecture["id"] for lecture in section["lectures"]] for section in author.sees(course.global_id)["sections"]
    ]


def test_a_lecture_is_kept_as_it_was_written(author: CurriculumClient, course: CourseTree) -> None:
    lecture = author.ok("createLecture", sectionId=sections(course)[1], **FULL)
    assert {name: lecture[name] for name in SHOWN} == SHOWN
    assert (lecture["position"], lecture["section"]["id"]) == (3, sections(course)[1])
    seen = lecture["course"]
    assert (seen["lectureCount"], seen["durationSeconds"], seen["version"]) == (7, 450, course.row.version + 1)
    assert (seen["sections"][1]["lectureCount"], seen["sections"][1]["durationSeconds"]) == (4, 270)


@pytest.mark.parametrize("kind", ["VIDEO", "TEXT", "QUIZ", "ASSIGNMENT", "RESOURCE"])
def test_a_lecture_of_any_type_begins_with_a_title_alone(
    author: CurriculumClient, course: CourseTree, kind: str
) -> None:
    for empty in ({}, dict.fromkeys(("durationSeconds", "isPreview", "isDownloadable", "position", "quizId"))):
        lecture = author.ok("createLecture", sectionId=sections(course)[0], title="New", type=kind, **empty)
        assert (lecture["type"], lecture["durationSeconds"]) == (kind, 0)
        assert lecture["isPreview"] is lecture["isDownloadable"] is False
        assert lecture["content"] == {"videoUrl": None, "body": None, "resourceUrl": None}


@pytest.mark.parametrize(("asked", "place"), [(0, 0), (1, 1), (3, 3), (4, 3), (2**31 - 1, 3), (None, 3)])
def test_a_new_lecture_stands_where_it_is_asked_for(
    author: CurriculumClient, course: CourseTree, asked: int | None, place: int
) -> None:
    id = author.ok("createLecture", sectionId=sections(course)[0], title="New", type="TEXT", position=asked)["id"]
    first, second = order(author, course)
    assert first.index(id) == place
    assert [other for other in first if other != id] == lectures(course, 0)
    assert second == lectures(course, 1)


def scalar(service: Service, statement: Any) -> Any:
    return service.database.read_sync(lambda session: session.scalar(statement))


FAULTS = [
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


@pytest.mark.parametrize(("field", "value", "code"), [*FAULTS, ("position", -1, "OUT_OF_RANGE")])
def test_a_fault_in_a_lecture_makes_and_changes_nothing(
    author: CurriculumClient, course: CourseTree, field: str, value: Any, code: str
) -> None:
    before = author.sees(course.global_id)
    new = {"sectionId": sections(course)[0], "title": "New", "type": "TEXT", field: value}
    assert author.user_errors("createLecture", **new) == [(code, field)]
    if field != "position":
        assert author.user_errors("updateLecture", lectureId=lectures(course)[0], **{field: value}) == [(code, field)]
    assert author.sees(course.global_id) == before


def test_all_faults_of_a_lecture_are_told_at_once(
    author: CurriculumClient, course: CourseTree, make: Factories
) -> None:
    bad = {field: value for field, value, _ in FAULTS} | {"quizId": global_id("Quiz", make.quiz(course))}
    named = {"title", "description", "body", "durationSeconds", "videoUrl", "resourceUrl", "quizId"}
    refused = author.user_errors("createLecture", sectionId=sections(course)[0], type="TEXT", position=-5, **bad)
    assert {field for _, field in refused} == named | {"position"}
    assert ("INVALID", "quizId") in refused
    changed = {**bad, "isPreview": None, "isDownloadable": None}
    refused = author.user_errors("updateLecture", lectureId=lectures(course)[0], **changed)
    assert {field for _, field in refused} == named | {"isPreview", "isDownloadable"}


def test_what_lies_at_the_bounds_is_taken(author: CurriculumClient, course: CourseTree) -> None:
    most = {"title": "x" * 200, "description": "ö" * 10_000, "body": "𝄞" * 50_000, "durationSeconds": 360_000}
    lecture = author.ok("createLecture", sectionId=sections(course)[0], type="TEXT", **most)
    assert (lecture["title"], lecture["description"]) == (most["title"], most["description"])
    assert (lecture["content"]["body"], lecture["durationSeconds"]) == (most["body"], 360_000)
    long = author.ok("updateLecture", lectureId=lecture["id"], body="x" * 50_000, durationSeconds=0)
    assert (len(long["content"]["body"]), long["durationSeconds"]) == (50_000, 0)


@pytest.mark.parametrize("inline", [False, True])
def test_the_longest_lecture_arrives_however_it_is_written_down(
    client: Client, author: CurriculumClient, course: CourseTree, inline: bool
) -> None:
    """Twelve bytes a letter, as JSON without a letter beyond ASCII has it; or as a literal of the document."""
    texts = {"title": "𝄞" * 200, "description": "𝄞" * 10_000, "body": "𝄞" * 50_000}
    texts |= dict.fromkeys(["videoUrl", "resourceUrl"], "https://example.com/" + "é" * 1_980)
    section = sections(course)[0]
    new = {"sectionId": section, "type": "TEXT", **texts}
    request: dict[str, Any] = {"query": CurriculumClient.document("createLecture"), "variables": {"input": new}}
    if inline:
        fields = ", ".join(f'{name}: "{text}"' for name, text in texts.items())
        chosen = f'createLecture(input: {{sectionId: "{section}", type: TEXT, {fields}}})'
        request = {"query": f"mutation {{ {chosen} {{ lecture {{ id }} errors {{ code }} }} }}"}
    headers = {ACTOR_HEADER: f"{author.actor.key}:{author.actor.role}", "content-type": "application/json"}
    answer = client.send("POST", "/graphql", content=json.dumps(request).encode(), headers=headers).json()
    lecture = author.ok("updateLecture", lectureId=answer["data"]["createLecture"]["lecture"]["id"])
    shown = {**lecture, **lecture["content"]}
    assert {name: shown[name] for name in texts} == texts


def test_what_is_left_out_of_a_lecture_stays_and_null_empties(author: CurriculumClient, course: CourseTree) -> None:
    id = author.ok("createLecture", sectionId=sections(course)[0], **FULL)["id"]
    lecture = author.ok("updateLecture", lectureId=id, title="Other", durationSeconds=30, isPreview=False)
    assert (lecture["title"], lecture["durationSeconds"], lecture["isPreview"]) == ("Other", 30, False)
    assert (lecture["content"], lecture["description"]) == (SHOWN["content"], FULL["description"])
    assert (lecture["course"]["durationSeconds"], lecture["course"]["sections"][0]["durationSeconds"]) == (390, 210)
    emptied = dict.fromkeys(("description", "videoUrl", "body", "resourceUrl", "quizId"))
    lecture = author.ok("updateLecture", lectureId=id, **emptied)
    assert lecture["content"] == {"videoUrl": None, "body": None, "resourceUrl": None}
    assert (lecture["description"], lecture["title"], lecture["isDownloadable"]) == (None, "Other", True)
    needed = ("title", "durationSeconds", "isPreview", "isDownloadable")
    refused = author.user_errors("updateLecture", lectureId=id, **dict.fromkeys(needed))
    assert sorted(refused) == sorted(("REQUIRED", name) for name in needed)


def test_the_type_of_a_lecture_stays(author: CurriculumClient, course: CourseTree) -> None:
    answer = author.graphql("updateLecture", lectureId=lectures(course)[0], type="TEXT")
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_lecture_that_is_taken_out_leaves_no_gap_and_what_hangs_on_it(
    author: CurriculumClient, course: CourseTree, service: Service, place: int
) -> None:
    lecture, me = course.lectures[place], course.instructor.id
    common, now = {"user_id": me, "lecture_id": lecture.id}, clock.now()
    hung = [
        Note(content="Mine", **common),
        QAQuestion(title="Why?", content="Really", **common),
        LectureProgress(started_at=now, last_accessed=now, watch_time=5, last_position=5, **common),
    ]
    service.database.write_sync(lambda session: session.add_all(hung))
    id = global_id("Lecture", lecture)
    assert author.ok("deleteLecture", lectureId=id) == id
    assert order(author, course) == [[other for other in lectures(course) if other != id], lectures(course, 1)]
    seen = author.sees(course.global_id)
    assert (seen["lectureCount"], seen["durationSeconds"], seen["version"]) == (5, 300, course.row.version + 1)
    assert author.sees(id) is None
    for table in (Note, QAQuestion, LectureProgress):
        assert scalar(service, select(func.count()).where(table.lecture_id == lecture.id)) == 1
    again: dict[str, dict[str, Any]] = {
        "deleteLecture": {},
        "updateLecture": {"title": "Back"},
        "moveLecture": {"sectionId": sections(course)[1], "position": 0},
    }
    for mutation, input in again.items():
        assert author.user_errors(mutation, lectureId=id, **input) == [("NOT_FOUND", "lectureId")]


@pytest.mark.parametrize("place", [0, 1, 2, 9])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_lecture_moves_within_its_section(
    author: CurriculumClient, course: CourseTree, which: int, place: int
) -> None:
    id, *others = [lectures(course)[which], *(each for n, each in enumerate(lectures(course)) if n != which)]
    moved = author.ok("moveLecture", lectureId=id, sectionId=sections(course)[0], position=place)
    others.insert(place, id)
    assert order(author, course) == [others, lectures(course, 1)]
    assert moved["position"] == min(place, 2)


@pytest.mark.parametrize("place", [0, 2, 3, 9])
def test_a_lecture_moves_to_another_section_of_its_course(
    author: CurriculumClient, course: CourseTree, place: int
) -> None:
    id = lectures(course)[1]
    moved = author.ok("moveLecture", lectureId=id, sectionId=sections(course)[1], position=place)
    second = lectures(course, 1)
    second.insert(place, id)
    assert order(author, course) == [[lectures(course)[0], lectures(course)[2]], second]
    assert (moved["section"]["id"], moved["position"]) == (sections(course)[1], min(place, 3))
    counts = [(section["lectureCount"], section["durationSeconds"]) for section in moved["course"]["sections"]]
    assert counts == [(2, 120), (4, 240)]
    assert moved["course"]["version"] == course.row.version + 1


def test_a_lecture_moves_nowhere_else(author: CurriculumClient, course: CourseTree, make: Factories) -> None:
    before, id = author.sees(course.global_id), lectures(course)[0]
    mine = make.course(instructor=course.instructor, status=CourseStatus.DRAFT)
    open_to_all, hidden = make.course(), make.course(status=CourseStatus.DRAFT)
    gone = author.ok("createSection", courseId=mine.global_id, title="Gone")["id"]
    author.ok("deleteSection", sectionId=gone)

    def moved(section_id: str, position: int = 0) -> list[tuple[str, str]]:
        return author.user_errors("moveLecture", lectureId=id, sectionId=section_id, position=position)

    for seen in (mine, open_to_all):
        assert moved(global_id("Section", seen.sections[0])) == [("INVALID", "sectionId")]
    nowhere = global_ids.encode("Section", 10**6)
    for unseen in (global_id("Section", hidden.sections[0]), gone, nowhere, id, "nonsense", ""):
        assert moved(unseen, -1) == [("NOT_FOUND", "sectionId")]
    assert moved(sections(course)[0], -1) == [("OUT_OF_RANGE", "position")]
    assert author.sees(course.global_id) == before


def test_lectures_come_in_any_order_that_names_each_once(
    author: CurriculumClient, course: CourseTree, make: Factories
) -> None:
    first, second, third = lectures(course)
    section = sections(course)[0]
    version = author.sees(course.global_id)["version"]
    author.ok("reorderLectures", sectionId=section, lectureIds=[third, first, second], expectedVersion=version)
    assert order(author, course) == [[third, first, second], lectures(course, 1)]
    before = author.sees(course.global_id)
    assert before["version"] == version + 1
    stale = {"lectureIds": [first, second, third], "expectedVersion": version}
    assert author.user_errors("reorderLectures", sectionId=section, **stale) == [("STALE_VERSION", "expectedVersion")]
    hidden = global_id("Lecture", make.course(status=CourseStatus.DRAFT).lectures[0])
    for strange in (lectures(course, 1)[0], hidden, section, "nonsense"):
        for wrong in ([first, second, strange], [first, second, third, strange]):
            refused = author.user_errors("reorderLectures", sectionId=section, lectureIds=wrong)
            assert refused == [("INVALID", "lectureIds")]
    for wrong in ([], [first, second], [first, second, second], [first, second, third, third]):
        assert author.user_errors("reorderLectures", sectionId=section, lectureIds=wrong) == [
            ("INVALID", "lectureIds")
        ]
    assert author.sees(course.global_id) == before


def fill(service: Service, section: Section, number: int) -> None:
    """With so many lectures more."""
    common = {"section_id": section.id, "course_id": section.course_id, "lecture_type": LectureType.TEXT}

    def add(session: Session) -> None:
        there = session.scalar(select(func.count()).where(Lecture.section_id == section.id)) or 0
        rows = [{**common, "title": "More", "order_index": there + n} for n in range(number)]
        session.execute(insert(Lecture), rows)
        mine = session.get_one(Course, section.course_id), [session.get_one(Section, section.id)]
        counters.refresh_totals(session, *mine)

    service.database.write_sync(add)


def test_a_section_has_at_most_two_hundred_lectures(
    author: CurriculumClient, course: CourseTree, service: Service
) -> None:
    full, other = sections(course)
    fill(service, course.sections[0], 197)
    new = {"title": "New", "type": "TEXT"}
    assert author.user_errors("createLecture", sectionId=full, **new) == [("LIMIT_REACHED", "sectionId")]
    moving = {"lectureId": lectures(course, 1)[0], "sectionId": full, "position": 0}
    assert author.user_errors("moveLecture", **moving) == [("LIMIT_REACHED", "sectionId")]
    assert author.ok("moveLecture", lectureId=lectures(course)[0], sectionId=full, position=500)["position"] == 199
    author.ok("moveLecture", lectureId=lectures(course)[0], sectionId=other, position=0)
    assert author.ok("createLecture", sectionId=full, **new)["position"] == 199


def test_a_course_has_at_most_a_thousand_lectures(
    author: CurriculumClient, course: CourseTree, service: Service
) -> None:
    last = author.ok("createSection", courseId=course.global_id, title="Last")["id"]
    new = {"sectionId": last, "title": "New", "type": "TEXT"}
    for _ in range(4):
        section = author.ok("createSection", courseId=course.global_id, title="Full")["id"]
        fill(
            service,
            scalar(service, select(Section).where(Section.id == global_ids.decode_key("Section", section))),
            200,
        )
    for section in course.sections:
        fill(service, section, 97)
    assert author.sees(course.global_id)["lectureCount"] == 1_000
    assert author.user_errors("createLecture", **new) == [("LIMIT_REACHED", "sectionId")]
    author.ok("moveLecture", lectureId=lectures(course)[0], sectionId=last, position=0)
    author.ok("deleteLecture", lectureId=lectures(course)[1])
    assert author.ok("createLecture", **new)["course"]["lectureCount"] == 1_000


def test_a_section_of_two_hundred_lectures_costs_as_many_statements_as_one_of_two(
    client: Client, make: Factories, service: Service, statements: Statements
) -> None:
    costs = []
    for number in (2, 198):
        course = make.course(sections=2, lectures=1)
        fill(service, course.sections[0], number - 1)
        fill(service, course.sections[1], number - 1)
        author = CurriculumClient(client, make.actor(course.instructor))
        mine, other = sections(course)
        of = [
            [lecture["id"] for lecture in section["lectures"]]
            for section in author.sees(course.global_id)["sections"]
        ]
        cost = []
        for mutation, input in (
            ("createLecture", {"sectionId": mine, "title": "First", "type": "TEXT", "position": 0}),
            ("reorderLectures", {"sectionId": other, "lectureIds": of[1][::-1]}),
            ("moveLecture", {"lectureId": of[0][0], "sectionId": other, "position": 0}),
            ("updateLecture", {"lectureId": of[0][0], "durationSeconds": 5}),
            ("deleteLecture", {"lectureId": of[0][0]}),
            ("deleteSection", {"sectionId": mine}),
        ):
            with statements:
                author.ok(mutation, **input)
            cost.append(statements.count)
        costs.append(cost)
    assert costs[0] == costs[1]
    assert max(costs[0]) <= 26
