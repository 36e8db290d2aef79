"""Grading of essays: who may grade what, and which grades are valid."""

from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.accounts.models import AuditEvent
from lms_graphql.core import global_ids
from lms_graphql.core.actor import Role
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import QuizClient, essay, true_false
from tests.factories import Factories


@pytest.fixture
def attempt(course: QuizCourse) -> Any:
    """Return a submitted attempt: a true/false question, then an essay of 10 points that waits for a grade."""
    quiz = course.instructor.create_quiz(course.id, true_false(), essay(points="10"))
    started = course.learner.start(quiz["id"])
    course.learner.save(started, 1, text="Because.")
    return course.learner.submit(started)


def grade_input(attempt: Any, index: int = 1, **values: Any) -> dict[str, Any]:
    return {"attemptId": attempt["id"], "questionId": attempt["questions"][index]["id"], "points": "5", **values}


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({"points": "-0.01"}, [("OUT_OF_RANGE", "points")]),
        ({"points": "10.01"}, [("OUT_OF_RANGE", "points")]),
        ({"points": "9.999"}, [("OUT_OF_RANGE", "points")]),
        ({"feedback": "x" * 10_001}, [("TOO_LONG", "feedback")]),
        ({"points": "11", "feedback": "a\x07b"}, [("OUT_OF_RANGE", "points"), ("INVALID", "feedback")]),
    ],
)
def test_invalid_grade_is_rejected(
    course: QuizCourse, attempt: Any, values: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    assert course.instructor.user_errors("gradeAnswer", **grade_input(attempt, **values)) == errors
    assert course.instructor.attempt(attempt["id"])["status"] == "GRADING"


def test_only_essays_of_submitted_attempts_are_graded(course: QuizCourse, attempt: Any) -> None:
    other = course.other_learner()
    opened = other.start(_quiz_id(course, attempt))
    other.save(opened, 1, text="Therefore.")
    expected = [
        (grade_input(attempt, 0), ("INVALID", "questionId")),
        (grade_input(opened), ("INVALID_TRANSITION", "attemptId")),
        (grade_input(attempt, questionId=opened["questions"][1]["id"]), ("NOT_FOUND", "questionId")),
        (grade_input(attempt, questionId="nonsense"), ("NOT_FOUND", "questionId")),
        (grade_input(attempt, attemptId="nonsense"), ("NOT_FOUND", "attemptId")),
    ]
    for input, error in expected:
        assert course.instructor.user_errors("gradeAnswer", **input) == [error]


def test_only_course_staff_grade(course: QuizCourse, attempt: Any, make: Factories) -> None:
    input = grade_input(attempt)
    assert course.learner.error_codes("gradeAnswer", **input) == ["FORBIDDEN"]
    colleague = QuizClient(course.client, make.actor(make.user(Role.INSTRUCTOR)))
    assert colleague.user_errors("gradeAnswer", **input) == [("NOT_FOUND", "attemptId")]
    admin = QuizClient(course.client, make.actor(make.user(Role.SUPER_ADMIN)))
    assert admin.ok("gradeAnswer", **input)["status"] == "GRADED"


def test_each_grade_is_in_the_audit_log(course: QuizCourse, attempt: Any) -> None:
    for points in ("5", "9", "3.5"):
        course.instructor.ok("gradeAnswer", **grade_input(attempt, points=points))
    statement = select(AuditEvent).where(AuditEvent.action == "attempt.graded").order_by(AuditEvent.id)
    events = course.service.database.read_sync(lambda session: list(session.scalars(statement)))
    subjects = {(event.actor_id, event.subject_kind, event.subject_id) for event in events}
    assert subjects == {
        (course.tree.instructor.id, "QuizAttempt", global_ids.decode_key("QuizAttempt", attempt["id"]))
    }
    assert all(before.happened_at < after.happened_at for before, after in pairwise(events))
    changes = [(event.details["previous_points"], event.details["points"]) for event in events]
    assert changes == [(None, "5.00"), ("5.00", "9.00"), ("9.00", "3.50")]


def _quiz_id(course: QuizCourse, attempt: Any) -> str:
    document = "query Q($id: ID!) { node(id: $id) { ... on QuizAttempt { quiz { id } } } }"
    quiz_id: str = course.client.execute(document, as_=course.learner.actor, id=attempt["id"])["node"]["quiz"]["id"]
    return quiz_id
