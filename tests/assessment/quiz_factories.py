"""Factories of questions, versions, attempts and accommodations: rows for tests, in any state."""

from decimal import Decimal
from typing import Any, TypeVar

from lms_graphql.accounts.models import User
from lms_graphql.assessment.models import (
    AttemptQuestion,
    AttemptStatus,
    Question,
    QuestionVersion,
    Quiz,
    QuizAccommodation,
    QuizAttempt,
)
from lms_graphql.assessment.question_content import QuestionContent, to_columns
from lms_graphql.core.database import Database
from tests.row_writer import START

T = TypeVar("T")


class QuizFactories:
    """Creates rows and commits them. Keyword arguments override the defaults of columns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def question(self, quiz: Quiz, content: QuestionContent, order_index: int = 0) -> Question:
        """Create a question. The caller creates its present version after all earlier ones."""
        return self.add(Question(quiz_id=quiz.id, order_index=order_index, **to_columns(content)))

    def version(self, question: Question, content: QuestionContent) -> QuestionVersion:
        return self.add(QuestionVersion(question_id=question.id, **to_columns(content)))

    def attempt(self, user: User, quiz: Quiz, number: int = 1, **values: Any) -> QuizAttempt:
        """Create an attempt that is open and has no time limit, unless `values` change that."""
        is_open = values.get("status", AttemptStatus.IN_PROGRESS) is AttemptStatus.IN_PROGRESS
        defaults = {
            "started_at": START,
            "total_points": Decimal(1),
            "open_marker": f"{user.id}:{quiz.id}" if is_open else None,
        }
        return self.add(
            QuizAttempt(user_id=user.id, quiz_id=quiz.id, attempt_number=number, **{**defaults, **values})
        )

    def attempt_question(
        self, attempt: QuizAttempt, version: QuestionVersion, position: int, **values: Any
    ) -> AttemptQuestion:
        """Create a question of an attempt without an answer, unless `values` have one."""
        keys = {"version_id": version.id, "key_version_id": version.id, "question_id": version.question_id}
        return self.add(AttemptQuestion(attempt_id=attempt.id, position=position, **{**keys, **values}))

    def accommodation(self, user: User, quiz: Quiz, **values: Any) -> QuizAccommodation:
        return self.add(QuizAccommodation(user_id=user.id, quiz_id=quiz.id, **{"extra_attempts": 1, **values}))

    def add(self, row: T) -> T:
        return self.add_all([row])[0]

    def add_all(self, rows: list[T]) -> list[T]:
        def write(session: Any) -> list[T]:
            session.add_all(rows)
            session.flush()
            return rows

        return self._database.write_sync(write)
