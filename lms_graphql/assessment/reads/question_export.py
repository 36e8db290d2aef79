"""Reads of all questions of a quiz as the text of a file."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from lms_graphql.assessment.formats.question_formats import QuestionFormat, write_questions
from lms_graphql.assessment.question_content import QuestionContent
from lms_graphql.assessment.reads.questions import QuestionRow, questions_by_quiz
from lms_graphql.core.actor import Actor


def question_files_by_quiz(
    session: Session, actor: Actor, keys: Sequence[tuple[int, QuestionFormat]]
) -> dict[tuple[int, QuestionFormat], str]:
    """Return the text of the file for each quiz and format. The caller checks that the viewer is course staff."""
    questions = questions_by_quiz(session, actor, list(dict.fromkeys(quiz_key for quiz_key, _ in keys)))
    return {key: write_questions(key[1], list(map(_content, questions.get(key[0], ())))) for key in keys}


def _content(row: QuestionRow) -> QuestionContent:
    return QuestionContent(
        row.type,
        row.prompt,
        row.points,
        row.explanation,
        tuple(row.options),
        row.correct_answer,
        tuple(row.accepted_answers),
        row.partial_credit,
    )
