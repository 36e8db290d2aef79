"""Quizzes of lectures: instructors attach and detach them by mutations of lectures."""

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
def instructor(client: Client, make: Factories, course: CourseTree) -> CurriculumClient:
    return CurriculumClient(client, make.actor(course.instructor))


def new_lecture(course: CourseTree, quiz: Quiz | None, type: str = "QUIZ") -> dict[str, str | None]:
    """Return an input of `createLecture`."""
    section_id = global_id("Section", course.sections[0])
    quiz_id = global_id("Quiz", quiz) if quiz else None
    return {"sectionId": section_id, "title": "Test", "type": type, "quizId": quiz_id}


def lecture_id_of(service: Service, quiz: Quiz) -> str | None:
    """Return the id of the lecture that the quiz belongs to."""
    statement = select(Quiz.lecture_id).where(Quiz.id == quiz.id)
    key = service.database.read_sync(lambda session: session.scalar(statement))
    return global_ids.encode("Lecture", key) if key else None


def test_new_lecture_has_its_quiz(
    instructor: CurriculumClient, course: CourseTree, make: Factories, service: Service
) -> None:
    quiz = make.quiz(course)
    assert lecture_id_of(service, quiz) is None
    lecture_id = instructor.ok("createLecture", **new_lecture(course, quiz))["id"]
    assert lecture_id == lecture_id_of(service, quiz)


def test_quiz_is_attached_replaced_and_detached(
    instructor: CurriculumClient, course: CourseTree, make: Factories, service: Service
) -> None:
    first, second = make.quiz(course), make.quiz(course)
    id = instructor.ok("createLecture", **new_lecture(course, None))["id"]
    for quiz, other in ((first, second), (first, second), (second, first)):
        instructor.ok("updateLecture", lectureId=id, quizId=global_id("Quiz", quiz))
        assert (lecture_id_of(service, quiz), lecture_id_of(service, other)) == (id, None)
    instructor.ok("updateLecture", lectureId=id, title="New title")
    assert lecture_id_of(service, second) == id
    instructor.ok("updateLecture", lectureId=id, quizId=None)
    assert lecture_id_of(service, second) is None


def test_quiz_belongs_to_one_lecture_at_most(
    instructor: CurriculumClient, course: CourseTree, make: Factories, service: Service
) -> None:
    quiz = make.quiz(course)
    id = instructor.ok("createLecture", **new_lecture(course, quiz))["id"]
    other_id = instructor.ok("createLecture", **new_lecture(course, None))["id"]
    before = instructor.node(course.global_id)
    in_use = [("IN_USE", "quizId")]
    assert instructor.user_errors("createLecture", **new_lecture(course, quiz)) == in_use
    assert instructor.user_errors("updateLecture", lectureId=other_id, quizId=global_id("Quiz", quiz)) == in_use
    assert (lecture_id_of(service, quiz), instructor.node(course.global_id)) == (id, before)


@pytest.mark.parametrize("type", ["VIDEO", "TEXT", "ASSIGNMENT", "RESOURCE"])
def test_other_lecture_types_cannot_have_a_quiz(
    instructor: CurriculumClient, course: CourseTree, make: Factories, service: Service, type: str
) -> None:
    quiz = make.quiz(course)
    assert instructor.user_errors("createLecture", **new_lecture(course, quiz, type)) == [("INVALID", "quizId")]
    lecture = make.lecture(course.sections[0], lecture_type=LectureType(type.lower()), order_index=2)
    changes = {"lectureId": global_id("Lecture", lecture), "quizId": global_id("Quiz", quiz)}
    assert instructor.user_errors("updateLecture", **changes) == [("INVALID", "quizId")]
    assert lecture_id_of(service, quiz) is None


def test_quiz_of_another_course_is_not_found(
    instructor: CurriculumClient, course: CourseTree, make: Factories
) -> None:
    id = instructor.ok("createLecture", **new_lecture(course, None))["id"]
    other_courses = (
        make.course(instructor=course.instructor),
        make.course(),
        make.course(status=CourseStatus.DRAFT),
    )
    other_quiz_ids = [global_id("Quiz", make.quiz(other_course)) for other_course in other_courses]
    not_found = [("NOT_FOUND", "quizId")]  # before the errors of the other fields
    for quiz_id in (*other_quiz_ids, global_ids.encode("Quiz", 10**6), id, "nonsense", ""):
        input = {**new_lecture(course, None), "quizId": quiz_id, "position": -1}
        assert instructor.user_errors("createLecture", **input) == not_found
        assert instructor.user_errors("updateLecture", lectureId=id, quizId=quiz_id, title="") == not_found


@pytest.mark.parametrize("deleted", ["lecture", "section"])
def test_quiz_becomes_course_level_when_its_lecture_is_deleted(
    instructor: CurriculumClient, course: CourseTree, make: Factories, service: Service, deleted: str
) -> None:
    quiz = make.quiz(course)
    section_id = global_id("Section", course.sections[0])
    lecture_id = instructor.ok("createLecture", **new_lecture(course, quiz))["id"]
    if deleted == "section":
        instructor.ok("deleteSection", sectionId=section_id)
        section_id = instructor.ok("createSection", courseId=course.global_id, title="New")["id"]
    else:
        instructor.ok("deleteLecture", lectureId=lecture_id)
    assert lecture_id_of(service, quiz) is None
    input = {**new_lecture(course, quiz), "sectionId": section_id}
    new_lecture_id = instructor.ok("createLecture", **input)["id"]
    assert lecture_id_of(service, quiz) == new_lecture_id
