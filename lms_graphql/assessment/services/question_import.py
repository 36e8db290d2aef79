"""Import of questions from a file into a quiz."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from lms_graphql.assessment.formats.parsed_questions import Problem, QuestionFileError
from lms_graphql.assessment.formats.question_formats import QuestionFormat, read_questions
from lms_graphql.assessment.models import Question, QuestionVersion, Quiz
from lms_graphql.assessment.question_content import QuestionContent, to_columns
from lms_graphql.assessment.services.questions import question_positions, require_room
from lms_graphql.assessment.services.quiz_locks import lock_quiz_to_edit, require_editable_quiz
from lms_graphql.catalog.services.course_locks import bump_version
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.validation import REQUIRED_MESSAGE

MAX_IMPORT_BYTES = 500_000


class QuestionFile(NamedTuple):
    """The valid questions of a file in their order, and its problems in the order of their lines."""

    questions: Sequence[QuestionContent]
    problems: Sequence[Problem]


def read_question_file(
    session: Session, actor: Actor, quiz_id: str, file_format: QuestionFormat, text: str
) -> QuestionFile:
    """Read a file for a quiz that the actor may edit. It takes no locks, because a large file takes long to read.

    Raise NOT_FOUND, FORBIDDEN, REQUIRED, TOO_LONG, or INVALID if the file cannot be read at all.
    """
    require_editable_quiz(session, actor, quiz_id)
    if len(text) > MAX_IMPORT_BYTES or len(text.encode(errors="replace")) > MAX_IMPORT_BYTES:
        message = f"Use at most {MAX_IMPORT_BYTES:,} bytes in UTF-8. Divide the file."
        raise DomainError(ErrorCode.TOO_LONG, message, ("text",), limit=MAX_IMPORT_BYTES)
    return parse_question_file(file_format, text)


def parse_question_file(file_format: QuestionFormat, text: str) -> QuestionFile:
    """Return the questions of a text of any length. Raise REQUIRED or INVALID at `text`."""
    if not text.strip("\ufeff \t\r\n"):
        raise DomainError(ErrorCode.REQUIRED, REQUIRED_MESSAGE, ("text",))
    try:
        return QuestionFile(*read_questions(file_format, text))
    except QuestionFileError as error:
        raise DomainError(ErrorCode.INVALID, str(error), ("text",)) from None


def import_questions(
    session: Session, actor: Actor, quiz_id: str, questions: Sequence[QuestionContent], dry_run: bool
) -> int:
    """Add the questions after those of the quiz and return the quiz's key. A dry run only checks.

    Raise NOT_FOUND, FORBIDDEN, or LIMIT_REACHED if the quiz would have too many questions.
    """
    course, quiz = lock_quiz_to_edit(session, actor, quiz_id)
    order = question_positions(session, quiz)
    require_room(order, len(questions))
    if questions and not dry_run:
        _insert(session, quiz, len(order.keys), questions)
        bump_version(course)
    return quiz.id


def _insert(session: Session, quiz: Quiz, start: int, questions: Sequence[QuestionContent]) -> None:
    """Insert the questions from this position on, with their first versions, in three statements."""
    columns = [to_columns(content) for content in questions]
    rows = [{"quiz_id": quiz.id, "order_index": start + index, **row} for index, row in enumerate(columns)]
    session.flush()
    session.connection().execute(insert(Question), rows)
    inserted = select(Question.id).where(Question.quiz_id == quiz.id, Question.order_index >= start)
    keys = session.scalars(inserted.order_by(Question.order_index)).all()
    versions = [{"question_id": key, **row} for key, row in zip(keys, columns, strict=True)]
    session.connection().execute(insert(QuestionVersion), versions)
