"""The discussion's derived figures: votes, replies and notes, counted."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.core.counters import DerivedColumn, find_drift, fix_drift
from lms_graphql.discussion.models import Note, NoteCounter, QAAnswer, QAAnswerVote, QAQuestion, QAQuestionVote

_REPLY = aliased(QAAnswer)


def _number(of: Any, *where: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(func.count()).select_from(of).where(*where).correlate_except(of).scalar_subquery()


COUNTER_COLUMNS = (
    DerivedColumn(QAQuestion.vote_count, _number(QAQuestionVote, QAQuestionVote.question_id == QAQuestion.id)),
    DerivedColumn(QAAnswer.vote_count, _number(QAAnswerVote, QAAnswerVote.answer_id == QAAnswer.id)),
    DerivedColumn(QAAnswer.reply_count, _number(_REPLY, _REPLY.parent_id == QAAnswer.id)),
    DerivedColumn(
        NoteCounter.note_count,
        _number(Note, Note.user_id == NoteCounter.user_id, Note.lecture_id == NoteCounter.lecture_id),
    ),
)


def find_counter_drift(session: Session) -> list[str]:
    """A line for each figure that is wrong anywhere, with how often."""
    return [f"{figure.name}: wrong in {len(rows)} rows" for figure, rows in _wrong(session)]


def repair_counters(session: Session) -> list[str]:
    """Makes every figure right, and tells what was changed."""
    lines = []
    for figure, rows in list(_wrong(session)):
        fix_drift(session, figure, rows)
        lines.append(f"{figure.name}: {len(rows)} rows mended")
    return lines


def _wrong(session: Session) -> Iterator[tuple[DerivedColumn, Sequence[Any]]]:
    for figure in COUNTER_COLUMNS:
        if rows := find_drift(session, figure):
            yield figure, rows
