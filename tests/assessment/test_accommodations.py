"""Accommodations: valid values, who may set them, and when their learner sees them."""

from typing import Any

import pytest
from sqlalchemy import update

from lms_graphql.catalog.models import Enrollment, EnrollmentStatus
from lms_graphql.core.actor import Role
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import QuizClient, true_false
from tests.factories import Factories, global_id


@pytest.fixture
def input(course: QuizCourse) -> dict[str, Any]:
    """Return the input of an accommodation for the learner of the course."""
    quiz = course.instructor.create_quiz(course.id, true_false(), timeLimitSeconds=60)
    return {"quizId": quiz["id"], "userId": global_id("User", course.learner_user), "extraAttempts": 1}


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("extraTimePercent", -1, "OUT_OF_RANGE"),
        ("extraTimePercent", 401, "OUT_OF_RANGE"),
        ("extraAttempts", -1, "OUT_OF_RANGE"),
        ("extraAttempts", 101, "OUT_OF_RANGE"),
        ("note", "x" * 1_001, "TOO_LONG"),
        ("userId", "nonsense", "NOT_FOUND"),
        ("quizId", "nonsense", "NOT_FOUND"),
    ],
)
def test_invalid_accommodation_is_rejected(
    course: QuizCourse, input: dict[str, Any], field: str, value: Any, code: str
) -> None:
    errors = course.instructor.user_errors("setQuizAccommodation", **{**input, field: value})
    assert errors == [(code, field)]


def test_accommodation_needs_a_learner_of_the_course(
    course: QuizCourse, input: dict[str, Any], make: Factories
) -> None:
    stranger_id = global_id("User", make.user())
    errors = course.instructor.user_errors("setQuizAccommodation", **{**input, "userId": stranger_id})
    assert errors == [("NOT_FOUND", "userId")]


def test_only_course_staff_set_accommodations(course: QuizCourse, input: dict[str, Any], make: Factories) -> None:
    assert course.learner.error_codes("setQuizAccommodation", **input) == ["FORBIDDEN"]
    colleague = QuizClient(course.client, make.actor(make.user(Role.INSTRUCTOR)))
    assert colleague.user_errors("setQuizAccommodation", **input) == [("NOT_FOUND", "quizId")]
    admin = QuizClient(course.client, make.actor(make.user(Role.SUPER_ADMIN)))
    assert admin.ok("setQuizAccommodation", **input)["extraAttempts"] == 1


def test_accommodation_is_replaced_then_removed(course: QuizCourse, input: dict[str, Any]) -> None:
    first = course.instructor.ok("setQuizAccommodation", **input, note="Long illness")
    second = course.instructor.ok("setQuizAccommodation", **{**input, "extraAttempts": 0, "extraTimePercent": 400})
    expected = {"extraTimePercent": 400, "extraAttempts": 0, "note": None}
    assert second == {**first, **expected}
    removed = course.instructor.payload("setQuizAccommodation", **{**input, "extraAttempts": 0})
    assert removed == {"accommodation": None, "errors": []}
    document = "query Q($id: ID!) { node(id: $id) { id } }"
    assert course.client.execute(document, as_=course.instructor.actor, id=first["id"]) == {"node": None}


def test_accommodation_is_visible_as_long_as_its_quiz_is(course: QuizCourse, input: dict[str, Any]) -> None:
    id = course.instructor.ok("setQuizAccommodation", **input)["id"]
    document = "query Q($id: ID!) { node(id: $id) { ... on QuizAccommodation { extraAttempts quiz { id } } } }"
    node = {"extraAttempts": 1, "quiz": {"id": input["quizId"]}}
    assert course.client.execute(document, as_=course.learner.actor, id=id) == {"node": node}
    with course.service.engine.begin() as connection:
        connection.execute(update(Enrollment).values(status=EnrollmentStatus.CANCELLED))
    assert course.client.execute(document, as_=course.learner.actor, id=id) == {"node": None}
    assert course.client.execute(document, as_=course.instructor.actor, id=id) == {"node": node}
