"""Tables of learning: progress in courses and lectures, and what courses require."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, Lecture, Section
from lms_graphql.core.orm import (
    TABLE_OPTIONS,
    BigIntKey,
    Json,
    Model,
    TimestampedModel,
    case_sensitive,
    counter_column,
    false_column,
)
from lms_graphql.learning.completion_percent import percent


class CourseProgress(TimestampedModel):
    """A user's progress in a course: counts, from which the percentage is computed.

    All counts are of the same instant: the last time that they were counted. `total_watch_time` includes deleted
    lectures. `credit_since` is since when credit for reports of players grows (see `watched_ranges.py`). It is null
    before the first report.
    """

    __tablename__ = "course_progress"
    __table_args__ = (
        UniqueConstraint("user_id", "course_id"),
        CheckConstraint("completed_lectures >= 0 AND completed_lectures <= total_lectures", name="lectures"),
        CheckConstraint("passed_quizzes >= 0 AND passed_quizzes <= total_quizzes", name="quizzes"),
        CheckConstraint("total_watch_time >= 0", name="total_watch_time"),
        Index(None, "course_id"),
        Index(None, "updated_at", "course_id"),
        Index(None, "current_section_id"),
        Index(None, "current_lecture_id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("courses.id"))
    completed_lectures: Mapped[int] = counter_column()
    total_lectures: Mapped[int] = counter_column()
    passed_quizzes: Mapped[int] = counter_column()
    total_quizzes: Mapped[int] = counter_column()
    total_watch_time: Mapped[int] = counter_column()
    current_section_id: Mapped[int | None] = mapped_column(BigIntKey, ForeignKey("sections.id"))
    current_lecture_id: Mapped[int | None] = mapped_column(BigIntKey, ForeignKey("lectures.id"))
    credit_since: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")
    course: Mapped[Course] = relationship(lazy="raise")
    current_section: Mapped[Section | None] = relationship(lazy="raise")
    current_lecture: Mapped[Lecture | None] = relationship(lazy="raise")

    @property
    def completion_percentage(self) -> Decimal:
        return percent(self.completed_lectures + self.passed_quizzes, self.total_lectures + self.total_quizzes)


class CourseRequirements(Model):
    """A hash of what a course required when progress in it was last recounted.

    `recounted_to` is the key of the last enrollment that maintenance has recounted. It is null if all are counted.
    """

    __tablename__ = "course_requirements"
    __table_args__ = (
        CheckConstraint("recounted_to >= 0", name="recounted_to"),
        Index(None, "recounted_to"),
        TABLE_OPTIONS,
    )

    course_id: Mapped[int] = mapped_column(
        BigIntKey, ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    items_hash: Mapped[str] = mapped_column(case_sensitive(64))
    recounted_to: Mapped[int | None] = mapped_column(BigIntKey)

    course: Mapped[Course] = relationship(lazy="raise")


class LectureProgress(TimestampedModel):
    """A user's progress in a lecture.

    `watched_ranges` are merged ranges of seconds: [[start, end], …]. `watch_time` is the number of seconds credited.
    It is never less than their total, and it never decreases. `unmarked_by_hand` is set until more of the lecture is
    watched, so that a late report does not complete it again.
    """

    __tablename__ = "lecture_progress"
    __table_args__ = (
        UniqueConstraint("user_id", "lecture_id"),
        CheckConstraint("watch_time >= 0 AND last_position >= 0", name="seconds"),
        Index(None, "lecture_id", "is_completed"),
        Index(None, "updated_at", "lecture_id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    lecture_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("lectures.id"))
    is_completed: Mapped[bool] = false_column()
    unmarked_by_hand: Mapped[bool] = false_column()
    watched_ranges: Mapped[list[Any]] = mapped_column(Json, default=list)
    watch_time: Mapped[int] = counter_column()
    last_position: Mapped[int] = counter_column()
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    last_accessed: Mapped[datetime]

    user: Mapped[User] = relationship(lazy="raise")
    lecture: Mapped[Lecture] = relationship(lazy="raise")
