"""Counters of discussions: votes, replies and notes. They are checked together with the search terms of questions."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.core.derived_columns import DerivedColumn, find_drift, repair_drift
from lms_graphql.discussion import search_index
from lms_graphql.discussion.models import Note, NoteCounter, QAAnswer, QAAnswerVote, QAQuestion, QAQuestionVote

_REPLY = aliased(QAAnswer)


def _count(model: Any, *where: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(func.count()).select_from(model).where(*where).correlate_except(model).scalar_subquery()


COUNTER_COLUMNS = (
    DerivedColumn(QAQuestion.vote_count, _count(QAQuestionVote, QAQuestionVote.question_id == QAQuestion.id)),
    DerivedColumn(QAAnswer.vote_count, _count(QAAnswerVote, QAAnswerVote.answer_id == QAAnswer.id)),
    DerivedColumn(QAAnswer.reply_count, _count(_REPLY, _REPLY.parent_id == QAAnswer.id)),
    DerivedColumn(
        NoteCounter.note_count,
        _count(Note, Note.user_id == NoteCounter.user_id, Note.lecture_id == NoteCounter.lecture_id),
    ),
)


def find_counter_drift(session: Session) -> list[str]:
    """Return a line for each counter that is wrong in some rows, with the number of rows, and one for wrong terms."""
    lines = [f"{counter.name}: wrong in {len(rows)} rows" for counter, rows in _drift(session)]
    return lines + search_index.find_term_drift(session)


def repair_counters(session: Session) -> list[str]:
    """Correct every counter and all terms. Return a line for each that was wrong, with the number of rows."""
    lines = []
    for counter, rows in list(_drift(session)):
        repair_drift(session, counter, rows)
        lines.append(f"{counter.name}: {len(rows)} rows repaired")
    return lines + search_index.repair_terms(session)


def _drift(session: Session) -> Iterator[tuple[DerivedColumn, Sequence[Any]]]:
    for counter in COUNTER_COLUMNS:
        if rows := find_drift(session, counter):
            yield counter, rows
