"""Attempts after the quiz was unpublished or the access ended: learners still see and finish them."""

from typing import Any

from sqlalchemy import update

from lms_graphql.catalog.models import Enrollment, EnrollmentStatus
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import true_false

ATTEMPT = """query Q($id: ID!) { node(id: $id) { ... on QuizAttempt {
  status quiz { id isPublished course { id } viewerAttempts { id } } } } }"""
QUIZZES = "query Q($id: ID!) { node(id: $id) { ... on Course { quizzes { id } } } }"


def started_attempt(course: QuizCourse) -> Any:
    """Return the quiz with the open attempt of the learner."""
    quiz = course.instructor.create_quiz(course.id, true_false(), maxAttempts=2)
    return quiz, course.learner.start(quiz["id"])


def test_attempt_at_an_unpublished_quiz_stays_visible(course: QuizCourse) -> None:
    quiz, attempt = started_attempt(course)
    other = course.other_learner()
    course.instructor.ok("setQuizPublished", quizId=quiz["id"], isPublished=False)
    course.learner.save(attempt, 0, boolean=True)
    assert course.learner.start(quiz["id"])["id"] == attempt["id"]
    assert course.learner.submit(attempt)["passed"] is True
    expected = {"id": quiz["id"], "isPublished": False, "course": {"id": course.id}}
    node = course.client.execute(ATTEMPT, as_=course.learner.actor, id=attempt["id"])["node"]
    assert node == {"status": "GRADED", "quiz": {**expected, "viewerAttempts": [{"id": attempt["id"]}]}}
    assert course.learner.user_errors("startQuizAttempt", quizId=quiz["id"]) == [("NOT_PUBLISHED", "quizId")]
    assert other.user_errors("startQuizAttempt", quizId=quiz["id"]) == [("NOT_FOUND", "quizId")]
    quizzes = [
        course.client.execute(QUIZZES, as_=learner.actor, id=course.id)["node"]["quizzes"]
        for learner in (course.learner, other)
    ]
    assert quizzes == [[{"id": quiz["id"]}], []]


def test_open_attempt_is_finished_after_the_access_ended(course: QuizCourse) -> None:
    quiz, attempt = started_attempt(course)
    with course.service.engine.begin() as connection:
        connection.execute(update(Enrollment).values(status=EnrollmentStatus.CANCELLED))
    assert course.learner.start(quiz["id"])["id"] == attempt["id"]
    course.learner.save(attempt, 0, boolean=True)
    assert course.learner.submit(attempt)["earnedPoints"] == "1.00"
    node = course.client.execute(ATTEMPT, as_=course.learner.actor, id=attempt["id"])["node"]
    assert node["quiz"]["id"] == quiz["id"]
    assert course.learner.user_errors("startQuizAttempt", quizId=quiz["id"]) == [("NOT_ENROLLED", "quizId")]
