"""The story of a quiz through HTTP: written, failed, taken again, passed, and counted in the course."""

from typing import Any, NamedTuple

import pytest

from lms_graphql.catalog.models import EnrollmentStatus, LectureType
from lms_graphql.core.actor import Role
from tests.assessment.quiz_client import QuizClient, choice, essay, short_answer, true_false
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client

PROGRESS = """query Q($id: ID!) { node(id: $id) { ... on Course { viewerEnrollment {
  status progress { percent passedQuizzes totalQuizzes completedLectures } certificate { id status } } } } }"""


class QuizCourse(NamedTuple):
    """A published course of one QUIZ lecture, with its instructor and an enrolled learner."""

    tree: CourseTree
    instructor: QuizClient
    learner: QuizClient
    client: Client

    @property
    def id(self) -> str:
        return global_id("Course", self.tree.row)

    def enrollment(self) -> Any:
        return self.client.execute(PROGRESS, as_=self.learner.actor, id=self.id)["node"]["viewerEnrollment"]


@pytest.fixture
def course(client: Client, make: Factories) -> QuizCourse:
    tree = make.course(lectures=1)
    user = make.user()
    make.enrollment(user, tree)
    return QuizCourse(
        tree, QuizClient(client, make.actor(tree.instructor)), QuizClient(client, make.actor(user)), client
    )


def test_quiz_is_failed_then_passed_and_completes_the_course(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(
        course.id, choice("yes", "maybe"), true_false(), short_answer("Tariff"), maxAttempts=2, passingScore=60
    )
    assert (quiz["questionCount"], quiz["totalPoints"]) == (3, "3.00")
    attempt = course.learner.start(quiz["id"])
    assert (attempt["number"], attempt["status"], attempt["passed"]) == (1, "IN_PROGRESS", None)
    assert course.learner.start(quiz["id"])["id"] == attempt["id"]
    course.learner.select(attempt, 0, "yes", "no")
    failed = course.learner.submit(attempt)
    assert (failed["status"], failed["earnedPoints"], failed["scorePercent"], failed["passed"]) == (
        "GRADED",
        "0.00",
        0,
        False,
    )
    second = course.learner.start(quiz["id"])
    assert second["number"] == 2
    course.learner.select(second, 0, "yes", "maybe")
    course.learner.save(second, 1, boolean=True)
    course.learner.save(second, 2, text=" TARIFF ")
    passed = course.learner.submit(second)
    assert (passed["scorePercent"], passed["passed"]) == (100, True)
    assert course.enrollment()["progress"]["passedQuizzes"] == 1
    assert course.learner.user_errors("startQuizAttempt", quizId=quiz["id"]) == [("NO_ATTEMPTS_LEFT", "quizId")]
