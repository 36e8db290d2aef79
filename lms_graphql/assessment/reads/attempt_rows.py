"""Reads of attempts and their questions for services. `AttemptTarget` has what decides visibility."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.assessment.models import (
    AttemptQuestion,
    AttemptStatus,
    KeptScore,
    QuestionVersion,
    Quiz,
    QuizAttempt,
)
from lms_graphql.assessment.question_content import ContentColumns, QuestionContent, from_columns, with_key_of
from lms_graphql.assessment.result_tokens import QuestionResult
from lms_graphql.assessment.scoring import Answer
from lms_graphql.catalog.models import Course
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows


class AttemptTarget(NamedTuple):
    """An attempt with what decides who may change it, and with what its result changes."""

    key: int
    quiz_key: int
    user_key: int
    course_key: int
    lecture_key: int | None
    instructor_key: int
    status: AttemptStatus
    started_at: datetime
    deadline_at: datetime | None
    closes_at: datetime | None
    passing_score: Decimal
    total_points: Decimal
    shuffle_seed: str | None
    is_published: bool
    kept_score: KeptScore


class AttemptQuestionRow(NamedTuple):
    """A question of an attempt with the learner's answer.

    `content` is what the learner sees. `scored_by` is the same with the key that scores it, which a regrade changes.
    """

    key: int
    attempt_key: int
    position: int
    question_key: int
    version_key: int
    answer: Answer
    saved_at: datetime | None
    earned_points: Decimal | None
    feedback: str | None
    graded_at: datetime | None
    content: QuestionContent
    scored_by: QuestionContent

    @property
    def result(self) -> QuestionResult:
        """The answer with its points, for statistics."""
        option_ids = [option.id for option in self.content.options]
        is_answered, points = not self.answer.is_blank, self.scored_by.points
        return QuestionResult(
            self.version_key, option_ids, self.answer.selected, is_answered, self.earned_points, points
        )


_TARGET_COLUMNS = (
    QuizAttempt.id,
    QuizAttempt.quiz_id,
    QuizAttempt.user_id,
    Quiz.course_id,
    Quiz.lecture_id,
    Course.instructor_id,
    QuizAttempt.status,
    QuizAttempt.started_at,
    QuizAttempt.deadline_at,
    QuizAttempt.closes_at,
    Quiz.passing_score,
    QuizAttempt.total_points,
    QuizAttempt.shuffle_seed,
    Quiz.is_published,
    Quiz.kept_score,
)


def _with_quiz_and_course(statement: RowSelect) -> RowSelect:
    return statement.join(Quiz, Quiz.id == QuizAttempt.quiz_id).join(Course, Course.id == Quiz.course_id)


_TARGETS = _with_quiz_and_course(select(*_TARGET_COLUMNS))
_IS_ATTEMPT = QuizAttempt.id == bindparam("attempt")
_TARGET = _TARGETS.where(_IS_ATTEMPT)
_TARGETS_BY_KEY = _TARGETS.where(QuizAttempt.id.in_(KEYS)).order_by(QuizAttempt.id)


def find_attempt_target(session: Session, attempt_key: int | None) -> AttemptTarget | None:
    rows = fetch_rows(session, _TARGET, {"attempt": attempt_key})
    return AttemptTarget._make(rows[0]) if rows else None


def attempt_targets(session: Session, attempt_keys: Sequence[int]) -> list[AttemptTarget]:
    """Return the attempts in the order of their keys."""
    return [AttemptTarget._make(row) for row in fetch_rows(session, _TARGETS_BY_KEY, {"keys": attempt_keys})]


_KEY_VERSION = aliased(QuestionVersion)


def _content_columns(version: Any) -> tuple[Any, ...]:
    return tuple(getattr(version, name) for name in ContentColumns._fields)


_FIRST_CONTENT_COLUMN = 12
_FIRST_KEY_COLUMN = _FIRST_CONTENT_COLUMN + len(ContentColumns._fields)
ATTEMPT_QUESTIONS: RowSelect = (
    select(
        AttemptQuestion.id,
        AttemptQuestion.attempt_id,
        AttemptQuestion.position,
        AttemptQuestion.question_id,
        AttemptQuestion.version_id,
        AttemptQuestion.selected_options,
        AttemptQuestion.answer_boolean,
        AttemptQuestion.answer_text,
        AttemptQuestion.saved_at,
        AttemptQuestion.earned_points,
        AttemptQuestion.feedback,
        AttemptQuestion.graded_at,
        *_content_columns(QuestionVersion),
        *_content_columns(_KEY_VERSION),
    )
    .join(QuestionVersion, QuestionVersion.id == AttemptQuestion.version_id)
    .outerjoin(
        _KEY_VERSION,
        and_(
            _KEY_VERSION.id == AttemptQuestion.key_version_id,
            AttemptQuestion.key_version_id != AttemptQuestion.version_id,
        ),
    )
)
_BY_ATTEMPT = ATTEMPT_QUESTIONS.where(AttemptQuestion.attempt_id.in_(KEYS)).order_by(
    AttemptQuestion.attempt_id, AttemptQuestion.position
)
_WITH_TARGET = _with_quiz_and_course(
    ATTEMPT_QUESTIONS.add_columns(*_TARGET_COLUMNS).join(QuizAttempt, QuizAttempt.id == AttemptQuestion.attempt_id)
).where(_IS_ATTEMPT, AttemptQuestion.id == bindparam("question"))
_OF_QUESTION = ATTEMPT_QUESTIONS.where(
    AttemptQuestion.attempt_id.in_(KEYS), AttemptQuestion.question_id == bindparam("question")
)


def attempt_question_rows(session: Session, attempt_keys: Sequence[int]) -> dict[int, list[AttemptQuestionRow]]:
    """Return the questions of each attempt, in the learner's order."""
    return group_rows(fetch_rows(session, _BY_ATTEMPT, {"keys": attempt_keys}), _to_row, by=1)


def question_rows_by_attempt(
    session: Session, question_key: int, attempt_keys: Sequence[int]
) -> dict[int, AttemptQuestionRow]:
    """Return the row of this question of the quiz in each attempt."""
    rows = fetch_rows(session, _OF_QUESTION, {"keys": attempt_keys, "question": question_key})
    return {row.attempt_key: row for row in map(_to_row, rows)}


def find_answer_target(
    session: Session, attempt_key: int | None, question_key: int | None
) -> tuple[AttemptTarget, AttemptQuestionRow] | None:
    """Return the attempt and one of its questions, in one statement. None if it has no such question."""
    rows = fetch_rows(session, _WITH_TARGET, {"attempt": attempt_key, "question": question_key})
    if not rows:
        return None
    row = rows[0]
    first = len(row) - len(_TARGET_COLUMNS)
    return AttemptTarget._make(row[first:]), _to_row(row)


def _to_row(row: Any) -> AttemptQuestionRow:
    content = from_columns(ContentColumns._make(row[_FIRST_CONTENT_COLUMN:_FIRST_KEY_COLUMN]))
    scored_by, key_columns = content, row[_FIRST_KEY_COLUMN : _FIRST_KEY_COLUMN + len(ContentColumns._fields)]
    if key_columns[0] is not None:
        scored_by = with_key_of(content, from_columns(ContentColumns._make(key_columns)))
    selected_options, answer_boolean, answer_text = row[5:8]
    selected = frozenset(selected_options.split(",")) if selected_options else frozenset[str]()
    answer = Answer(selected, answer_boolean, answer_text)
    values = (*row[:5], answer, *row[8:_FIRST_CONTENT_COLUMN], content, scored_by)
    return AttemptQuestionRow._make(values)
