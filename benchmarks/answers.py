"""The command `benchmarks/answers`: number of answers to quiz questions that one process saves per second."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle
from typing import Any

from sqlalchemy.orm import Session

from benchmarks.commands import run_command
from benchmarks.learner_load import LearnerLoad, load_command, send_mutation
from benchmarks.service import Connection
from lms_graphql.assessment.models import Question, QuestionType, QuestionVersion, Quiz
from lms_graphql.assessment.question_content import Option, QuestionContent, new_option_id, to_columns
from lms_graphql.catalog.models import Course
from lms_graphql.core import global_ids

QUESTIONS, OPTIONS = 50, 4
TIME_LIMIT_SECONDS = 3_600
START = """mutation ($quiz: ID!) { startQuizAttempt(input: {quizId: $quiz}) {
  attempt { id questions { id options { id } } } errors { code }
} }"""
SAVE = """mutation ($attempt: ID!, $question: ID!, $options: [ID!]!) {
  saveAnswer(input: {attemptId: $attempt, questionId: $question, answer: {optionIds: $options}}) {
    attempt { id status remainingSeconds } errors { code message path }
  }
}"""


def insert_quiz(session: Session, course: Course) -> list[str]:
    """Insert a published quiz of multiple-choice questions, and return its id."""
    values = {"title": "Quiz", "time_limit": TIME_LIMIT_SECONDS, "max_attempts": 1, "is_published": True}
    quiz = Quiz(course_id=course.id, shuffle_questions=True, **values)
    session.add(quiz)
    session.flush()
    for index in range(QUESTIONS):
        options = tuple(Option(new_option_id(), f"Option {number}", number == 0) for number in range(OPTIONS))
        content = QuestionContent(QuestionType.MULTIPLE_CHOICE, "Which?", Decimal(1), "So.", options)
        question = Question(quiz_id=quiz.id, order_index=index, **to_columns(content))
        session.add(question)
        session.flush()
        session.add(QuestionVersion(question_id=question.id, **to_columns(content)))
    return [global_ids.encode("Quiz", quiz.id)]


async def start_attempt(connection: Connection, quizzes: list[str]) -> Iterator[dict[str, Any]]:
    """Start an attempt, and return answers to one question after the other, each with another option than before."""
    payload = await send_mutation(connection, START, "startQuizAttempt", {"quiz": quizzes[0]})
    attempt = payload["attempt"]
    return cycle(
        {"attempt": attempt["id"], "question": question["id"], "options": [question["options"][number]["id"]]}
        for number in range(OPTIONS)
        for question in attempt["questions"]
    )


LOAD = LearnerLoad("answers", "saveAnswer", SAVE, insert_quiz, start_attempt)

if __name__ == "__main__":
    run_command(load_command(LOAD), "benchmarks/answers")
