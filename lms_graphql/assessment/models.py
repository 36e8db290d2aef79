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
    Model,
    OrderedModel,
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


SUBMITTED_STATUSES = (AttemptStatus.GRADING, AttemptStatus.GRADED)


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


class QuestionContentColumns:
    """Columns of a question's content. The shape of `options` and `correct_answers` is in `question_content.py`."""

    question_type: Mapped[QuestionType] = mapped_column(checked_enum(QuestionType, "question_type"))
    question_text: Mapped[str] = mapped_column(long_text())
    points: Mapped[Decimal] = mapped_column(FixedDecimal, default=Decimal(1), server_default="100")
    options: Mapped[list[Any]] = mapped_column(Json, default=list)
    correct_answers: Mapped[list[Any]] = mapped_column(Json, default=list)
    explanation: Mapped[str | None] = mapped_column(long_text())
    partial_credit: Mapped[PartialCredit] = mapped_column(
        checked_enum(PartialCredit, "partial_credit"), default=PartialCredit.ALL_OR_NOTHING
    )


class Question(QuestionContentColumns, OrderedModel):
    """Question of a quiz, with its present content."""

    __tablename__ = "questions"
    __table_args__ = (
        CheckConstraint("order_index >= 0", name="order_index"),
        CheckConstraint("points > 0", name="points"),
        Index(None, "quiz_id", "order_index", "id"),
        TABLE_OPTIONS,
    )

    quiz_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("quizzes.id"))

    quiz: Mapped[Quiz] = relationship(lazy="raise", back_populates="questions")


class QuestionVersion(QuestionContentColumns, TimestampedModel):
    """Content of a question as it was at some time. Rows never change, so attempts can share them.

    The version with the highest key is the question's present content. `question_id` is no foreign key, because
    attempts still need the version after the question was deleted.
    """

    __tablename__ = "question_versions"
    __table_args__ = (
        CheckConstraint("points > 0", name="points"),
        Index(None, "question_id", "id"),
        TABLE_OPTIONS,
    )

    question_id: Mapped[int] = mapped_column(BigIntKey)


class QuizAttempt(TimestampedModel):
    """Attempt at a quiz. Its questions are rows of `AttemptQuestion`.

    `open_marker` is unique, and null after the attempt is closed. Therefore a user has at most one open attempt at a
    quiz. `shuffle_seed` is null if the questions are in the order of the quiz. `closes_at` is the deadline with the
    grace for the network. `result_tokens` repeats the answers and points for statistics: see `result_tokens.py`.
    """

    __tablename__ = "quiz_attempts"
    __table_args__ = (
        UniqueConstraint("user_id", "quiz_id", "attempt_number"),
        UniqueConstraint("open_marker"),
        CheckConstraint("attempt_number > 0", name="attempt_number"),
        CheckConstraint("score >= 0 AND score <= 10000", name="score"),
        CheckConstraint("total_points >= 0 AND earned_points >= 0", name="points"),
        Index(None, "quiz_id", "status", "submitted_at", "id"),
        Index(None, "quiz_id", "started_at", "id"),
        Index(None, "status", "closes_at"),
        Index(None, "updated_at"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    quiz_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("quizzes.id"))
    attempt_number: Mapped[int]
    status: Mapped[AttemptStatus] = mapped_column(
        checked_enum(AttemptStatus, "status"), default=AttemptStatus.IN_PROGRESS
    )
    shuffle_seed: Mapped[str | None] = mapped_column(case_sensitive(32))
    score: Mapped[Decimal | None] = mapped_column(FixedDecimal)
    total_points: Mapped[Decimal] = mapped_column(FixedDecimal, default=Decimal(0), server_default="0")
    earned_points: Mapped[Decimal | None] = mapped_column(FixedDecimal)
    is_passed: Mapped[bool | None]
    started_at: Mapped[datetime]
    deadline_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    open_marker: Mapped[str | None] = mapped_column(case_sensitive(64))
    result_tokens: Mapped[str | None] = mapped_column(long_text())

    user: Mapped[User] = relationship(lazy="raise")
    quiz: Mapped[Quiz] = relationship(lazy="raise")


class AttemptQuestion(TimestampedModel):
    """Question of an attempt, at its position there, with the learner's answer and its score.

    The learner sees the content of `version_id`. The answer is scored with the key of `key_version_id`, which only a
    regrade changes. `selected_options` has the ids of the options, sorted and joined by commas.
    """

    __tablename__ = "attempt_questions"
    __table_args__ = (
        UniqueConstraint("attempt_id", "position"),
        CheckConstraint("position >= 0", name="position"),
        CheckConstraint("earned_points >= 0", name="earned_points"),
        Index(None, "question_id", "attempt_id"),
        Index(None, "version_id"),
        Index(None, "key_version_id"),
        Index(None, "graded_by_id"),
        TABLE_OPTIONS,
    )

    attempt_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("quiz_attempts.id"))
    position: Mapped[int]
    question_id: Mapped[int] = mapped_column(BigIntKey)
    version_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("question_versions.id"))
    key_version_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("question_versions.id"))
    selected_options: Mapped[str | None] = mapped_column(case_sensitive(400))
    answer_boolean: Mapped[bool | None]
    answer_text: Mapped[str | None] = mapped_column(long_text())
    saved_at: Mapped[datetime | None]
    earned_points: Mapped[Decimal | None] = mapped_column(FixedDecimal)
    feedback: Mapped[str | None] = mapped_column(long_text())
    graded_by_id: Mapped[int | None] = mapped_column(BigIntKey, ForeignKey("users.id"))
    graded_at: Mapped[datetime | None]


class RegradePolicy(StrEnum):
    NEW_KEY = "new_key"
    KEEP_BETTER = "keep_better"
    FULL_POINTS = "full_points"


class QuestionRegrade(TimestampedModel):
    """Regrade of all attempts that hold a question, in batches. `regraded_to` is the last attempt that is done."""

    __tablename__ = "question_regrades"
    __table_args__ = (
        Index(None, "finished_at", "id"),
        Index(None, "question_id"),
        Index(None, "version_id"),
        Index(None, "actor_id"),
        TABLE_OPTIONS,
    )

    question_id: Mapped[int] = mapped_column(BigIntKey)
    version_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("question_versions.id"))
    actor_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    policy: Mapped[RegradePolicy] = mapped_column(checked_enum(RegradePolicy, "policy"))
    regraded_to: Mapped[int] = mapped_column(BigIntKey, default=0, server_default="0")
    finished_at: Mapped[datetime | None]


class QuizAccommodation(TimestampedModel):
    """Extra time and extra attempts of one learner in one quiz."""

    __tablename__ = "quiz_accommodations"
    __table_args__ = (
        UniqueConstraint("quiz_id", "user_id"),
        CheckConstraint("extra_time_percent >= 0 AND extra_time_percent <= 400", name="extra_time_percent"),
        CheckConstraint("extra_attempts >= 0 AND extra_attempts <= 100", name="extra_attempts"),
        Index(None, "user_id"),
        TABLE_OPTIONS,
    )

    quiz_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("quizzes.id"))
    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    extra_time_percent: Mapped[int] = counter_column()
    extra_attempts: Mapped[int] = counter_column()
    note: Mapped[str | None] = mapped_column(long_text())


class QuizStatistics(Model):
    """The statistics of a quiz with many attempts at `as_of`. The shape of `statistics` is in `statistics.py`."""

    __tablename__ = "quiz_statistics"
    __table_args__ = (TABLE_OPTIONS,)

    quiz_id: Mapped[int] = mapped_column(
        BigIntKey, ForeignKey("quizzes.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    as_of: Mapped[datetime]
    statistics: Mapped[dict[str, Any]] = mapped_column(Json)
