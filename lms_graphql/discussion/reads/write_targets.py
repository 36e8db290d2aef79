"""Reads of what an actor writes to: the columns that the rules of a mutation need, if the actor may see the row."""

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Boolean, ColumnElement, bindparam, case, select, type_coerce
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Lecture, Section
from lms_graphql.catalog.policies import courses_visible_to, participates
from lms_graphql.core import clock
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.statements import RowSelect
from lms_graphql.discussion.models import Note, QAAnswer, QAQuestion
from lms_graphql.discussion.policies import notes_visible, questions_visible_to

KEY: BindParameter[int] = bindparam("key")


class LectureTarget(NamedTuple):
    """Lecture to write to. `is_participant`, here and below, is true for course staff and users with access now."""

    key: int
    course_key: int
    allow_notes: bool
    allow_qa: bool
    is_participant: bool


class NoteTarget(NamedTuple):
    key: int
    is_participant: bool


class QuestionTarget(NamedTuple):
    key: int
    author_key: int
    instructor_key: int
    course_key: int
    allow_qa: bool
    is_participant: bool


class AnswerTarget(NamedTuple):
    key: int
    question_key: int
    parent_key: int | None
    author_key: int
    instructor_key: int
    course_key: int
    is_participant: bool


def _is_participant(level: AccessLevel) -> ColumnElement[bool]:
    return type_coerce(case((participates(level), 1), else_=0), Boolean())


@cache
def _lecture_by_key(level: AccessLevel) -> RowSelect:
    return (
        select(Lecture.id, Course.id, Course.allow_notes, Course.allow_qa, _is_participant(level))
        .join(Section, Section.id == Lecture.section_id)
        .join(Course, Course.id == Lecture.course_id)
        .where(
            Lecture.id == KEY, Lecture.deleted_at.is_(None), Section.deleted_at.is_(None), courses_visible_to(level)
        )
    )


@cache
def _note_by_key(level: AccessLevel) -> RowSelect:
    return (
        select(Note.id, _is_participant(level))
        .join(Lecture, Lecture.id == Note.lecture_id)
        .join(Course, Course.id == Lecture.course_id)
        .where(Note.id == KEY, notes_visible())
    )


@cache
def _question_by_key(level: AccessLevel) -> RowSelect:
    return (
        select(
            QAQuestion.id,
            QAQuestion.user_id,
            Course.instructor_id,
            Course.id,
            Course.allow_qa,
            _is_participant(level),
        )
        .join(Lecture, Lecture.id == QAQuestion.lecture_id)
        .join(Course, Course.id == Lecture.course_id)
        .where(QAQuestion.id == KEY, questions_visible_to(level))
    )


@cache
def _answer_by_key(level: AccessLevel) -> RowSelect:
    return (
        select(
            QAAnswer.id,
            QAAnswer.question_id,
            QAAnswer.parent_id,
            QAAnswer.user_id,
            Course.instructor_id,
            Course.id,
            _is_participant(level),
        )
        .join(QAQuestion, QAQuestion.id == QAAnswer.question_id)
        .join(Lecture, Lecture.id == QAQuestion.lecture_id)
        .join(Course, Course.id == Lecture.course_id)
        .where(QAAnswer.id == KEY, questions_visible_to(level))
    )


def find_lecture(session: Session, actor: Actor, key: int | None) -> LectureTarget | None:
    row = _fetch_row(session, actor, _lecture_by_key(actor.access_level), key)
    return None if row is None else LectureTarget._make(row)


def find_note(session: Session, actor: Actor, key: int | None) -> NoteTarget | None:
    row = _fetch_row(session, actor, _note_by_key(actor.access_level), key)
    return None if row is None else NoteTarget._make(row)


def find_question(session: Session, actor: Actor, key: int | None) -> QuestionTarget | None:
    row = _fetch_row(session, actor, _question_by_key(actor.access_level), key)
    return None if row is None else QuestionTarget._make(row)


def find_answer(session: Session, actor: Actor, key: int | None) -> AnswerTarget | None:
    row = _fetch_row(session, actor, _answer_by_key(actor.access_level), key)
    return None if row is None else AnswerTarget._make(row)


def _fetch_row(session: Session, actor: Actor, statement: RowSelect, key: int | None) -> Any:
    if key is None:
        return None
    return session.connection().execute(statement, {**actor.bind_params, "key": key, "now": clock.now()}).first()
