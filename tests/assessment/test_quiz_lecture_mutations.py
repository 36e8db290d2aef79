"""The quiz that a lecture carries, as its author hangs it on and takes it off."""

import pytest
from sqlalchemy import select

from lms_graphql.assessment.models import Quiz
from lms_graphql.catalog.models import CourseStatus, LectureType
from lms_graphql.core import global_ids
from tests.catalog.curriculum_client import Author
from tests.factories import Given, GivenCourse, gid
from tests.live_service import Client, Service


@pytest.fixture
def course(given: Given) -> GivenCourse:
    return given.course(status=CourseStatus.DRAFT)


@pytest.fixture
def author(client: Client, given: Given, course: GivenCourse) -> Author:
    return Author(client, given.actor(course.instructor))


def new(course: GivenCourse, quiz: Quiz | None, kind: str = "QUIZ") -> dict[str, str | None]:
    section = gid("Section", course.sections[0])
    return {"sectionId": section, "title": "Test", "type": kind, "quizId": gid("Quiz", quiz) if quiz else None}


def carrier(service: Service, quiz: Quiz) -> str | None:
    """The id of the lecture that carries it."""
    lecture = service.database.read_sync(
        lambda session: session.scalar(select(Quiz.lecture_id).where(Quiz.id == quiz.id))
    )
    return global_ids.encode("Lecture", lecture) if lecture else None


def test_a_new_lecture_carries_the_quiz_it_is_given(
    author: Author, course: GivenCourse, given: Given, service: Service
) -> None:
    quiz = given.quiz(course)
    assert carrier(service, quiz) is None
    assert author.does("createLecture", **new(course, quiz))["id"] == carrier(service, quiz)


def test_a_quiz_is_hung_on_changed_and_taken_off(
    author: Author, course: GivenCourse, given: Given, service: Service
) -> None:
    first, second = given.quiz(course), given.quiz(course)
    id = author.does("createLecture", **new(course, None))["id"]
    for quiz, other in ((first, second), (first, second), (second, first)):
        author.does("updateLecture", lectureId=id, quizId=gid("Quiz", quiz))
        assert (carrier(service, quiz), carrier(service, other)) == (id, None)
    author.does("updateLecture", lectureId=id, title="Still there")
    assert carrier(service, second) == id
    author.does("updateLecture", lectureId=id, quizId=None)
    assert carrier(service, second) is None


def test_a_quiz_hangs_on_one_lecture_at_most(
    author: Author, course: GivenCourse, given: Given, service: Service
) -> None:
    quiz = given.quiz(course)
    id = author.does("createLecture", **new(course, quiz))["id"]
    other = author.does("createLecture", **new(course, None))["id"]
    before = author.sees(course.gid)
    assert author.refused("createLecture", **new(course, quiz)) == [("IN_USE", "quizId")]
    assert author.refused("updateLecture", lectureId=other, quizId=gid("Quiz", quiz)) == [("IN_USE", "quizId")]
    assert (carrier(service, quiz), author.sees(course.gid)) == (id, before)


@pytest.mark.parametrize("kind", ["VIDEO", "TEXT", "ASSIGNMENT", "RESOURCE"])
def test_only_a_quiz_lecture_carries_one(
    author: Author, course: GivenCourse, given: Given, service: Service, kind: str
) -> None:
    quiz = given.quiz(course)
    assert author.refused("createLecture", **new(course, quiz, kind)) == [("INVALID", "quizId")]
    lecture = given.lecture(course.sections[0], lecture_type=LectureType(kind.lower()), order_index=2)
    changes = {"lectureId": gid("Lecture", lecture), "quizId": gid("Quiz", quiz)}
    assert author.refused("updateLecture", **changes) == [("INVALID", "quizId")]
    assert carrier(service, quiz) is None


def test_a_quiz_of_another_course_is_not_there(author: Author, course: GivenCourse, given: Given) -> None:
    id = author.does("createLecture", **new(course, None))["id"]
    mine, published, hidden = (
        given.quiz(other)
        for other in (
            given.course(instructor=course.instructor),
            given.course(),
            given.course(status=CourseStatus.DRAFT),
        )
    )
    strange = [gid("Quiz", quiz) for quiz in (mine, published, hidden)]
    for quiz_id in (*strange, global_ids.encode("Quiz", 10**6), id, "nonsense", ""):
        wrong = {**new(course, None), "quizId": quiz_id, "position": -1}
        assert author.refused("createLecture", **wrong) == [("NOT_FOUND", "quizId")]
        refused = author.refused("updateLecture", lectureId=id, quizId=quiz_id, title="")
        assert refused == [("NOT_FOUND", "quizId")]


@pytest.mark.parametrize("with_its_section", [False, True])
def test_a_lecture_that_is_taken_out_leaves_its_quiz_to_the_course(
    author: Author, course: GivenCourse, given: Given, service: Service, with_its_section: bool
) -> None:
    quiz = given.quiz(course)
    id = author.does("createLecture", **new(course, quiz))["id"]
    if with_its_section:
        author.does("deleteSection", sectionId=gid("Section", course.sections[0]))
        section = author.does("createSection", courseId=course.gid, title="Again")["id"]
    else:
        author.does("deleteLecture", lectureId=id)
        section = gid("Section", course.sections[0])
    assert carrier(service, quiz) is None
    again = author.does("createLecture", **{**new(course, quiz), "sectionId": section})["id"]
    assert carrier(service, quiz) == again
