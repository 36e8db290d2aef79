"""Tables of quizzes, questions and attempts."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, Lecture
from lms_graphql.core.orm import (
    TABLE_OPTIONS,
    BigIntKey,
    FixedDecimal,
    Json,
    TimestampedModel,
    case_sensitive,
    checked_enum,
    counter_column,
    false_column,
    long_text,
)


class QuestionType(StrEnum):
    MULTIPLE_CHOICE = "multiple_choice"
    TRUE_FALSE = "true_false"
    SHORT_ANSWER = "short_answer"
    ESSAY = "essay"


class PartialCredit(StrEnum):
    ALL_OR_NOTHING = "all_or_nothing"
    RIGHT_MINUS_WRONG = "right_minus_wrong"
    RIGHT_ONLY = "right_only"


class ReviewPolicy(StrEnum):
    NEVER = "never"
    AFTER_SUBMIT = "after_submit"
    AFTER_LAST_ATTEMPT = "after_last_attempt"
    AFTER_PASS = "after_pass"  # noqa: S105 - a policy, not a password


class KeptScore(StrEnum):
    HIGHEST = "highest"
    LATEST = "latest"
    AVERAGE = "average"
    FIRST = "first"


class AttemptStatus(StrEnum):
    IN_PROGRESS = "in_progress"
    GRADING = "grading"
    GRADED = "graded"
    VOIDED = "voided"


class Quiz(TimestampedModel):
    """Quiz of a lecture, or course-level quiz if `lecture_id` is null. Scores are percentages."""

    __tablename__ = "quizzes"
    __table_args__ = (
        UniqueConstraint("lecture_id"),
        ForeignKeyConstraint(["lecture_id", "course_id"], ["lectures.id", "lectures.course_id"]),
        Index(None, "lecture_id", "course_id"),
        CheckConstraint("time_limit > 0", name="time_limit"),
        CheckConstraint("max_attempts > 0", name="max_attempts"),
        CheckConstraint("passing_score >= 0 AND passing_score <= 10000", name="passing_score"),
        Index(None, "course_id", "is_published", "id"),
        TABLE_OPTIONS,
    )

    course_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("courses.id"))
    lecture_id: Mapped[int | None] = mapped_column(BigIntKey)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(long_text())
    time_limit: Mapped[int | None]
    max_attempts: Mapped[int | None]
    passing_score: Mapped[Decimal] = mapped_column(FixedDecimal, default=Decimal(70), server_default="7000")
    review_policy: Mapped[ReviewPolicy] = mapped_column(
        checked_enum(ReviewPolicy, "review_policy"), default=ReviewPolicy.AFTER_SUBMIT
    )
    shuffle_questions: Mapped[bool] = false_column()
    kept_score: Mapped[KeptScore] = mapped_column(checked_enum(KeptScore, "kept_score"), default=KeptScore.HIGHEST)
    is_published: Mapped[bool] = false_column()

    course: Mapped[Course] = relationship(lazy="raise")
    lecture: Mapped[Lecture | None] = relationship(
        lazy="raise", foreign_keys=[lecture_id], primaryjoin="Quiz.lecture_id == Lecture.id"
    )
    questions: Mapped[list["Question"]] = relationship(
        lazy="raise", order_by="Question.order_index", back_populates="quiz"
    )


class Question(TimestampedModel):
    """Question of a quiz. The shape of the lists `options` and `correct_answers` depends on the type."""

    __tablename__ = "questions"
    __table_args__ = (
        CheckConstraint("order_index >= 0", name="order_index"),
        CheckConstraint("points > 0", name="points"),
        Index(None, "quiz_id", "order_index", "id"),
        TABLE_OPTIONS,
    )

    quiz_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("quizzes.id"))
    question_type: Mapped[QuestionType] = mapped_column(checked_enum(QuestionType, "question_type"))
    question_text: Mapped[str] = mapped_column(long_text())
    order_index: Mapped[int] = counter_column()
    points: Mapped[Decimal] = mapped_column(FixedDecimal, default=Decimal(1), server_default="100")
    options: Mapped[list[Any]] = mapped_column(Json, default=list)
    correct_answers: Mapped[list[Any]] = mapped_column(Json, default=list)
    explanation: Mapped[str | None] = mapped_column(long_text())
    partial_credit: Mapped[PartialCredit] = mapped_column(
        checked_enum(PartialCredit, "partial_credit"), default=PartialCredit.ALL_OR_NOTHING
    )

    quiz: Mapped[Quiz] = relationship(lazy="raise", back_populates="questions")


class QuizAttempt(TimestampedModel):
    """
    Attempt at a quiz, with its own copy of the questions. `open_marker` is unique, and null after the attempt is
    closed. Therefore a user has at most one open attempt at a quiz.
    """

    __tablename__ = "quiz_attempts"
    __table_args__ = (
        UniqueConstraint("user_id", "quiz_id", "attempt_number"),
        UniqueConstraint("open_marker"),
        CheckConstraint("attempt_number > 0", name="attempt_number"),
        CheckConstraint("score >= 0 AND score <= 10000", name="score"),
        CheckConstraint("total_points >= 0 AND earned_points >= 0", name="points"),
        Index(None, "quiz_id", "status", "submitted_at", "id"),
        Index(None, "status", "deadline_at"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    quiz_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("quizzes.id"))
    attempt_number: Mapped[int]
    status: Mapped[AttemptStatus] = mapped_column(
        checked_enum(AttemptStatus, "status"), default=AttemptStatus.IN_PROGRESS
    )
    questions: Mapped[list[Any]] = mapped_column(Json, default=list)
    answers: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    score: Mapped[Decimal | None] = mapped_column(FixedDecimal)
    total_points: Mapped[Decimal] = mapped_column(FixedDecimal, default=Decimal(0), server_default="0")
    earned_points: Mapped[Decimal | None] = mapped_column(FixedDecimal)
    is_passed: Mapped[bool | None]
    started_at: Mapped[datetime]
    deadline_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    open_marker: Mapped[str | None] = mapped_column(case_sensitive(64))

    user: Mapped[User] = relationship(lazy="raise")
    quiz: Mapped[Quiz] = relationship(lazy="raise")
