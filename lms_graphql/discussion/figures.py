"""The discussion's derived figures: votes, replies and notes, counted."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.core.figures import Figure, mend, wrong
from lms_graphql.discussion.models import Note, Notebook, QAAnswer, QAAnswerVote, QAQuestion, QAQuestionVote

_REPLY = aliased(QAAnswer)


def _number(of: Any, *where: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(func.count()).select_from(of).where(*where).correlate_except(of).scalar_subquery()


FIGURES = (
    Figure(QAQuestion.vote_count, _number(QAQuestionVote, QAQuestionVote.question_id == QAQuestion.id)),
    Figure(QAAnswer.vote_count, _number(QAAnswerVote, QAAnswerVote.answer_id == QAAnswer.id)),
    Figure(QAAnswer.reply_count, _number(_REPLY, _REPLY.parent_id == QAAnswer.id)),
    Figure(
        Notebook.note_count,
        _number(Note, Note.user_id == Notebook.user_id, Note.lecture_id == Notebook.lecture_id),
    ),
)


def drift(session: Session) -> list[str]:
    """A line for each figure that is wrong anywhere, with how often."""
    return [f"{figure.name}: wrong in {len(rows)} rows" for figure, rows in _wrong(session)]


def repair(session: Session) -> list[str]:
    """Makes every figure right, and tells what was changed."""
    lines = []
    for figure, rows in list(_wrong(session)):
        mend(session, figure, rows)
        lines.append(f"{figure.name}: {len(rows)} rows mended")
    return lines


def _wrong(session: Session) -> Iterator[tuple[Figure, Sequence[Any]]]:
    for figure in FIGURES:
        if rows := wrong(session, figure):
            yield figure, rows
