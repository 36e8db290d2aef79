"""Versions of courses, sections and lectures: which ones each mutation raises, and `expectedVersion`."""

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, CourseStatus, Lecture, LectureType, Section
from tests.catalog.curriculum_client import CurriculumClient
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service

VERSIONS = """
query V($id: ID!) {
  node(id: $id) {
    ... on Course { id version updatedAt sections { id version updatedAt lectures { id version updatedAt } } }
  }
}"""
DELETED = "deletedId course { id version }"
INITIAL_VERSIONS = {Course: 10, Section: 20, Lecture: 30}
"""They differ, so that a comparison with the version of another object fails."""


class Author(CurriculumClient):
    documents: ClassVar[dict[str, tuple[str, str]]] = {
        **CurriculumClient.documents,
        "deleteSection": ("SectionIdInput", DELETED),
        "deleteLecture": ("LectureIdInput", DELETED),
        "createQuiz": ("CreateQuizInput", "quiz { id }"),
        "deleteQuiz": ("QuizIdInput", DELETED),
        "addQuestion": ("AddQuestionInput", "question { id }"),
        "deleteQuestion": ("QuestionIdInput", DELETED),
    }


class VersionedCourse:
    """A draft of two sections with two lectures each. The last one is a QUIZ lecture with a quiz.

    Objects have names: `course`, `first` and `second` section, `lecture` (the first one), `quiz_lecture`.
    """

    def __init__(self, make: Factories, client: Client, service: Service) -> None:
        tree: CourseTree = make.course(sections=2, lectures=2, status=CourseStatus.DRAFT)
        quiz_lecture = make.lecture(tree.sections[1], order_index=2, lecture_type=LectureType.QUIZ)
        quiz = make.quiz(tree, lecture=quiz_lecture)
        service.database.write_sync(_set_initial_versions)
        self.author = Author(client, make.actor(tree.instructor))
        self._client = client
        self.ids = {
            "course": tree.global_id,
            "first": global_id("Section", tree.sections[0]),
            "second": global_id("Section", tree.sections[1]),
            "lecture": global_id("Lecture", tree.lectures[0]),
            "next_lecture": global_id("Lecture", tree.lectures[1]),
            "quiz_lecture": global_id("Lecture", quiz_lecture),
            "quiz": global_id("Quiz", quiz),
        }

    def state(self) -> dict[str, tuple[int, str]]:
        """Return version and `updatedAt` of each object by its id."""
        course = self._client.execute(VERSIONS, as_=self.author.actor, id=self.ids["course"])["node"]
        return {row["id"]: (row["version"], row["updatedAt"]) for row in _tree(course)}

    def input(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values with ids in place of `$name`, also in lists."""
        return {name: self._replaced(value) for name, value in values.items()}

    def _replaced(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._replaced(item) for item in value]
        return self.ids[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def _set_initial_versions(session: Session) -> None:
    for model, version in INITIAL_VERSIONS.items():
        session.execute(update(model).values(version=version))


def _tree(course: Any) -> Iterator[Any]:
    yield course
    for section in course["sections"]:
        yield section
        yield from section["lectures"]


@pytest.fixture
def course(make: Factories, client: Client, service: Service) -> VersionedCourse:
    return VersionedCourse(make, client, service)


class Change(NamedTuple):
    mutation: str
    input: dict[str, Any]
    raised: str
    """Names of the objects whose versions grow, beside the course."""
    expected_of: str | None = None
    """Name of the object whose version is the mutation's `expectedVersion`; None if the input has no such field."""


LECTURES = ["$next_lecture", "$lecture"]
CHANGES = [
    Change("updateCourse", {"courseId": "$course", "title": "New"}, "", "course"),
    Change("createSection", {"courseId": "$course", "title": "New", "position": 0}, ""),
    Change("updateSection", {"sectionId": "$first", "title": "New"}, "first", "first"),
    Change("reorderSections", {"courseId": "$course", "sectionIds": ["$second", "$first"]}, "", "course"),
    Change("deleteSection", {"sectionId": "$first"}, "", "first"),
    Change("createLecture", {"sectionId": "$first", "title": "New", "type": "TEXT", "position": 0}, "first"),
    Change("updateLecture", {"lectureId": "$lecture", "durationSeconds": 999}, "lecture", "lecture"),
    Change("updateLecture", {"lectureId": "$quiz_lecture", "quizId": None}, "quiz_lecture", "quiz_lecture"),
    Change(
        "moveLecture", {"lectureId": "$lecture", "sectionId": "$first", "position": 1}, "lecture first", "lecture"
    ),
    Change(
        "moveLecture",
        {"lectureId": "$lecture", "sectionId": "$second", "position": 0},
        "lecture first second",
        "lecture",
    ),
    Change("reorderLectures", {"sectionId": "$first", "lectureIds": LECTURES}, "first", "first"),
    Change("deleteLecture", {"lectureId": "$lecture"}, "first", "lecture"),
    Change("createQuiz", {"courseId": "$course", "title": "New"}, ""),
    Change("deleteQuiz", {"quizId": "$quiz"}, "quiz_lecture"),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change.mutation}-{change.raised or 'course'}")
def test_change_raises_versions_of_what_it_changes(course: VersionedCourse, change: Change) -> None:
    before, input = course.state(), course.input(change.input)
    if change.expected_of is not None:
        current, _ = before[course.ids[change.expected_of]]
        for stale in (current - 1, current + 1, 0, -1):
            errors = course.author.payload(change.mutation, **input, expectedVersion=stale)["errors"]
            assert [(error["code"], error["path"]) for error in errors] == [
                ("STALE_VERSION", ["input", "expectedVersion"])
            ]
        assert course.state() == before
        input["expectedVersion"] = current
    payload = course.author.payload(change.mutation, **input)
    assert payload["errors"] == []
    after = course.state()
    raised = {course.ids[name] for name in ("course", *change.raised.split())}
    for id in before.keys() & after.keys():
        (old_version, old_time), (version, time) = before[id], after[id]
        assert version - old_version == (id in raised)
        assert (time != old_time) == (id in raised)
    assert {after[id][0] for id in after.keys() - before.keys()} <= {1}
    if change.mutation.startswith("delete"):
        assert payload["course"] == {"id": course.ids["course"], "version": INITIAL_VERSIONS[Course] + 1}


def test_deleted_question_returns_course_with_new_version(course: VersionedCourse) -> None:
    question = {"trueFalse": {"prompt": "?", "correctAnswer": True}}
    question_id = course.author.ok("addQuestion", quizId=course.ids["quiz"], question=question)["id"]
    before = course.state()
    deleted = course.author.payload("deleteQuestion", questionId=question_id)
    version, _ = course.state()[course.ids["course"]]
    assert deleted["course"] == {"id": course.ids["course"], "version": version}
    assert version == before[course.ids["course"]][0] + 1


def test_refused_deletion_returns_no_course(course: VersionedCourse) -> None:
    payload = course.author.payload("deleteLecture", lectureId=course.ids["lecture"], expectedVersion=1)
    assert (payload["deletedId"], payload["course"]) == (None, None)


@pytest.mark.parametrize(
    ("mutation", "input", "error"),
    [
        ("updateSection", {"sectionId": "$first", "title": ""}, ("REQUIRED", "title")),
        ("updateLecture", {"lectureId": "$lecture", "title": ""}, ("REQUIRED", "title")),
        (
            "moveLecture",
            {"lectureId": "$lecture", "sectionId": "$first", "position": -1},
            ("OUT_OF_RANGE", "position"),
        ),
    ],
)
def test_validation_comes_before_the_version(
    course: VersionedCourse, mutation: str, input: dict[str, Any], error: tuple[str, str]
) -> None:
    assert course.author.user_errors(mutation, **course.input(input), expectedVersion=1) == [error]


def test_update_without_fields_keeps_versions(course: VersionedCourse) -> None:
    before = course.state()
    course.author.ok("updateSection", sectionId=course.ids["first"], expectedVersion=20)
    course.author.ok("updateLecture", lectureId=course.ids["lecture"], expectedVersion=30)
    assert course.state() == before
