"""The quiz that a lecture carries, as its author hangs it on and takes it off."""

import pytest
from sqlalchemy import select

from lms_graphql.assessment.models import Quiz
from lms_graphql.catalog.models import CourseStatus, LectureType
from lms_graphql.core import global_ids
from tests.catalog.curriculum_client import CurriculumClient
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service


@pytest.fixture
def course(make: Factories) -> CourseTree:
    return make.course(status=CourseStatus.DRAFT)


@pytest.fixture
def author(client: Client, make: Factories, course: CourseTree) -> CurriculumClient:
    return CurriculumClient(client, make.actor(course.instructor))


def new(course: CourseTree, quiz: Quiz | None, kind: str = "QUIZ") -> dict[str, str | None]:
    section = global_id("Section", course.sections[0])
    return {"sectionId": section, "title": "Test", "type": kind, "quizId": global_id("Quiz", quiz) if quiz else None}


def carrier(service: Service, quiz: Quiz) -> str | None:
    """The id of the lecture that carries it."""
    lecture = service.database.read_sync(
        lambda session: session.scalar(select(Quiz.lecture_id).where(Quiz.id == quiz.id))
    )
    return global_ids.encode("Lecture", lecture) if lecture else None


def test_a_new_lecture_carries_the_quiz_it_is_given(
    author: CurriculumClient, course: CourseTree, make: Factories, service: Service
) -> None:
    quiz = make.quiz(course)
    assert carrier(service, quiz) is None
    assert author.ok("createLecture", **new(course, quiz))["id"] == carrier(service, quiz)


def test_a_quiz_is_hung_on_changed_and_taken_off(
    author: CurriculumClient, course: CourseTree, make: Factories, service: Service
) -> None:
    first, second = make.quiz(course), make.quiz(course)
    id = author.ok("createLecture", **new(course, None))["id"]
    for quiz, other in ((first, second), (first, second), (second, first)):
        author.ok("updateLecture", lectureId=id, quizId=global_id("Quiz", quiz))
        assert (carrier(service, quiz), carrier(service, other)) == (id, None)
    author.ok("updateLecture", lectureId=id, title="Still there")
    assert carrier(service, second) == id
    author.ok("updateLecture", lectureId=id, quizId=None)
    assert carrier(service, second) is None


def test_a_quiz_hangs_on_one_lecture_at_most(
    author: CurriculumClient, course: CourseTree, make: Factories, service: Service
) -> None:
    quiz = make.quiz(course)
    id = author.ok("createLecture", **new(course, quiz))["id"]
    other = author.ok("createLecture", **new(course, None))["id"]
    before = author.sees(course.global_id)
    assert author.user_errors("createLecture", **new(course, quiz)) == [("IN_USE", "quizId")]
    assert author.user_errors("updateLecture", lectureId=other, quizId=global_id("Quiz", quiz)) == [
        ("IN_USE", "quizId")
    ]
    assert (carrier(service, quiz), author.sees(course.global_id)) == (id, before)


@pytest.mark.parametrize("kind", ["VIDEO", "TEXT", "ASSIGNMENT", "RESOURCE"])
def test_only_a_quiz_lecture_carries_one(
    author: CurriculumClient, course: CourseTree, make: Factories, service: Service, kind: str
) -> None:
    quiz = make.quiz(course)
    assert author.user_errors("createLecture", **new(course, quiz, kind)) == [("INVALID", "quizId")]
    lecture = make.lecture(course.sections[0], lecture_type=LectureType(kind.lower()), order_index=2)
    changes = {"lectureId": global_id("Lecture", lecture), "quizId": global_id("Quiz", quiz)}
    assert author.user_errors("updateLecture", **changes) == [("INVALID", "quizId")]
    assert carrier(service, quiz) is None


def test_a_quiz_of_another_course_is_not_there(author: CurriculumClient, course: CourseTree, make: Factories) -> None:
    id = author.ok("createLecture", **new(course, None))["id"]
    mine, published, hidden = (
        make.quiz(other)
        for other in (
            make.course(instructor=course.instructor),
            make.course(),
            make.course(status=CourseStatus.DRAFT),
        )
    )
    strange = [global_id("Quiz", quiz) for quiz in (mine, published, hidden)]
    for quiz_id in (*strange, global_ids.encode("Quiz", 10**6), id, "nonsense", ""):
        wrong = {**new(course, None), "quizId": quiz_id, "position": -1}
        assert author.user_errors("createLecture", **wrong) == [("NOT_FOUND", "quizId")]
        refused = author.user_errors("updateLecture", lectureId=id, quizId=quiz_id, title="")
        assert refused == [("NOT_FOUND", "quizId")]


@pytest.mark.parametrize("with_its_section", [False, True])
def test_a_lecture_that_is_taken_out_leaves_its_quiz_to_the_course(
    author: CurriculumClient, course: CourseTree, make: Factories, service: Service, with_its_section: bool
) -> None:
    quiz = make.quiz(course)
    id = author.ok("createLecture", **new(course, quiz))["id"]
    if with_its_section:
        author.ok("deleteSection", sectionId=global_id("Section", course.sections[0]))
        section = author.ok("createSection", courseId=course.global_id, title="Again")["id"]
    else:
        author.ok("deleteLecture", lectureId=id)
        section = global_id("Section", course.sections[0])
    assert carrier(service, quiz) is None
    again = author.ok("createLecture", **{**new(course, quiz), "sectionId": section})["id"]
    assert carrier(service, quiz) == again
