"""Passing a quiz in several attempts, by the rule of `KeptScore`."""

from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from lms_graphql.assessment.models import KeptScore
from lms_graphql.assessment.reads.passed_quizzes import has_passed
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import essay, true_false

PASSED = "query Q($id: ID!) { node(id: $id) { ... on Quiz { viewerHasPassed } } }"
WAITING = None
"""Stands for an attempt that waits for a grade."""


class Points(NamedTuple):
    earned_points: Decimal
    total_points: Decimal
    is_passed: bool | None


@pytest.mark.parametrize(
    ("scores", "passing"),
    [
        ([], ""),
        ([80], "HIGHEST LATEST AVERAGE FIRST"),
        ([80, 0], "HIGHEST LATEST AVERAGE FIRST"),
        ([0, 80], "HIGHEST LATEST"),
        ([40, 100], "HIGHEST LATEST AVERAGE"),
        ([40, 99], "HIGHEST LATEST"),
        ([WAITING], ""),
        ([WAITING, 80], "HIGHEST LATEST"),
        ([80, WAITING], "HIGHEST LATEST AVERAGE FIRST"),
        ([60, WAITING, 90], "HIGHEST LATEST"),
    ],
)
def test_kept_score_decides_about_passing(scores: list[int | None], passing: str) -> None:
    """The passing score is 70. A quiz that was passed stays passed. No score is known beyond a waiting attempt."""
    attempts = [
        Points(Decimal(100 if score is None else score), Decimal(100), None if score is None else score >= 70)
        for score in scores
    ]
    passed = {kept_score for kept_score in KeptScore if has_passed(kept_score, Decimal(70), attempts)}
    assert passed == {KeptScore[name] for name in passing.split()}


def test_first_score_waits_for_the_grade_of_its_essay(course: QuizCourse) -> None:
    settings: dict[str, Any] = {"keptScore": "FIRST", "maxAttempts": 2, "passingScore": 50}
    quiz = course.instructor.create_quiz(course.id, true_false(), essay(), **settings)
    first = course.learner.start(quiz["id"])
    course.learner.save(first, 1, text="Because.")
    assert course.learner.submit(first)["status"] == "GRADING"
    second = course.learner.start(quiz["id"])
    course.learner.save(second, 0, boolean=True)
    assert course.learner.submit(second)["passed"] is True
    grade = {"attemptId": first["id"], "questionId": first["questions"][1]["id"]}
    assert not has_passed_quiz(course, quiz["id"])
    for points, is_passed in (("0.99", False), ("1", True)):
        course.instructor.ok("gradeAnswer", points=points, **grade)
        assert has_passed_quiz(course, quiz["id"]) is is_passed


def has_passed_quiz(course: QuizCourse, quiz_id: str) -> bool:
    """Return whether the learner has passed. Progress says the same."""
    node = course.client.execute(PASSED, as_=course.learner.actor, id=quiz_id)["node"]
    assert course.enrollment()["progress"]["passedQuizzes"] == int(node["viewerHasPassed"])
    has_passed: bool = node["viewerHasPassed"]
    return has_passed
