"""Numbers of SQL statements for quizzes and attempts. They do not depend on the number of questions."""

from decimal import Decimal
from typing import Any

import pytest

from lms_graphql.accounts.models import User
from lms_graphql.assessment.models import PartialCredit, QuestionType, Quiz
from lms_graphql.assessment.question_content import Option, QuestionContent, new_option_id
from lms_graphql.catalog.models import LectureType
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import ATTEMPT_FRAGMENT
from tests.assessment.quiz_factories import QuizFactories
from tests.auth import SessionIssuer
from tests.factories import global_id
from tests.live_service import StatementRecorder

ATTEMPT = "query Q($id: ID!) { node(id: $id) { ...attempt } }" + ATTEMPT_FRAGMENT
SAVE = """mutation M($input: SaveAnswerInput!) { saveAnswer(input: $input) {
  attempt { id status remainingSeconds } errors { code } } }"""
COURSE = """query Q($slug: String!) { course(slug: $slug) {
  id title
  quizzes {
    id title questionCount totalPoints viewerAttemptsLeft viewerTimeLimitSeconds viewerHasPassed
    viewerAttempts { id status scorePercent }
  }
  sections { lectures { id quiz { id title lecture { id } course { id } } } }
} }"""


def quiz_with_questions(course: QuizCourse, count: int, **values: Any) -> Quiz:
    """Return a published quiz of multiple-choice questions with four options each."""
    make = QuizFactories(course.service.database)
    quiz = course.make.quiz(course.tree, is_published=True, **values)
    options = tuple(Option(new_option_id(), f"Option {index}", index < 2) for index in range(4))
    content = QuestionContent(
        QuestionType.MULTIPLE_CHOICE, "Which?", Decimal(1), "So.", options, partial_credit=PartialCredit.RIGHT_ONLY
    )
    make.add_all([make.version(make.question(quiz, content, index), content) for index in range(count)])
    return quiz


def bearer(course: QuizCourse, user: User) -> str:
    resources = course.service.resources
    issuer = SessionIssuer(course.service.database, resources.settings, resources.signer)
    token: str = issuer.sign_in(user).access_token
    return token


def without_begin(statements: StatementRecorder) -> list[str]:
    """Return the statements without BEGIN IMMEDIATE. Only SQLite counts it: other drivers send BEGIN themselves."""
    return [text for text in statements.texts if not text.startswith("BEGIN")]


@pytest.mark.query_budget
def test_attempt_with_200_questions_is_read_with_four_statements(
    course: QuizCourse, statements: StatementRecorder
) -> None:
    """The check of the token is included."""
    quiz = quiz_with_questions(course, 200, shuffle_questions=True)
    attempt = course.learner.start(global_id("Quiz", quiz))
    course.learner.submit(attempt)
    for user in (course.learner_user, course.tree.instructor):
        token = bearer(course, user)
        with statements:
            node = course.client.execute(ATTEMPT, bearer=token, id=attempt["id"])["node"]
        assert len(node["questions"]) == 200
        assert all(len(question["result"]["correctOptionIds"]) == 2 for question in node["questions"])
        assert len(without_begin(statements)) <= 4, without_begin(statements)


@pytest.mark.query_budget
def test_save_answer_takes_at_most_six_statements(course: QuizCourse, statements: StatementRecorder) -> None:
    """The check of the token is included."""
    quiz = quiz_with_questions(course, 50, time_limit=600)
    attempt = course.learner.start(global_id("Quiz", quiz))
    token = bearer(course, course.learner_user)
    for question in attempt["questions"][:3]:
        answer = {"optionIds": [question["options"][0]["id"]]}
        input = {"attemptId": attempt["id"], "questionId": question["id"], "answer": answer}
        with statements:
            payload = course.client.execute(SAVE, bearer=token, input=input)["saveAnswer"]
        assert payload["errors"] == []
        assert len(without_begin(statements)) <= 6, without_begin(statements)


@pytest.mark.query_budget
def test_course_with_quizzes_takes_constant_statements(course: QuizCourse, statements: StatementRecorder) -> None:
    def add_quizzes(count: int) -> None:
        for index in range(count):
            lecture = course.make.lecture(
                course.tree.sections[0], order_index=10 + index, lecture_type=LectureType.QUIZ
            )
            course.make.quiz(course.tree, lecture, is_published=True)
            quiz = quiz_with_questions(course, 2)
            course.learner.submit(course.learner.start(global_id("Quiz", quiz)))

    def count_statements() -> int:
        with statements:
            data = course.client.execute(COURSE, as_=course.learner.actor, slug=course.tree.slug)
        assert len(data["course"]["quizzes"]) == expected
        return statements.count

    expected = 2
    add_quizzes(1)
    count_for_one = count_statements()
    expected = 10
    add_quizzes(4)
    assert count_statements() == count_for_one
    assert count_for_one <= 12
