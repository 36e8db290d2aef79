"""The tables of progress and certificates."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, Lecture, Section
from lms_graphql.core import clock
from lms_graphql.core.orm import EVERYWHERE, Json, Key, Table, count, enum, exact, long_text, no
from lms_graphql.learning.progress import percent


class RevocationReason(StrEnum):
    MISCONDUCT = "misconduct"
    ERROR = "error"
    REFUND = "refund"


class CourseProgress(Table):
    """What a person has done of a course: counts, from which the percentage follows."""

    __tablename__ = "course_progress"
    __table_args__ = (
        UniqueConstraint("user_id", "course_id"),
        CheckConstraint("completed_lectures >= 0 AND completed_lectures <= total_lectures", name="lectures"),
        CheckConstraint("passed_quizzes >= 0 AND passed_quizzes <= total_quizzes", name="quizzes"),
        CheckConstraint("total_watch_time >= 0", name="total_watch_time"),
        Index(None, "course_id"),
        Index(None, "current_section_id"),
        Index(None, "current_lecture_id"),
        EVERYWHERE,
    )

    user_id: Mapped[int] = mapped_column(Key, ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(Key, ForeignKey("courses.id"))
    completed_lectures: Mapped[int] = count()
    total_lectures: Mapped[int] = count()
    passed_quizzes: Mapped[int] = count()
    total_quizzes: Mapped[int] = count()
    total_watch_time: Mapped[int] = count()
    current_section_id: Mapped[int | None] = mapped_column(Key, ForeignKey("sections.id"))
    current_lecture_id: Mapped[int | None] = mapped_column(Key, ForeignKey("lectures.id"))

    user: Mapped[User] = relationship(lazy="raise")
    course: Mapped[Course] = relationship(lazy="raise")
    current_section: Mapped[Section | None] = relationship(lazy="raise")
    current_lecture: Mapped[Lecture | None] = relationship(lazy="raise")

    @property
    def completion_percentage(self) -> Decimal:
        return percent(self.completed_lectures + self.passed_quizzes, self.total_lectures + self.total_quizzes)


class LectureProgress(Table):
    """`watched_ranges` are merged stretches of seconds, [[start, end], …]; `watch_time` is their union."""

    __tablename__ = "lecture_progress"
    __table_args__ = (
        UniqueConstraint("user_id", "lecture_id"),
        CheckConstraint("watch_time >= 0 AND last_position >= 0", name="seconds"),
        Index(None, "lecture_id", "is_completed"),
        EVERYWHERE,
    )

    user_id: Mapped[int] = mapped_column(Key, ForeignKey("users.id"))
    lecture_id: Mapped[int] = mapped_column(Key, ForeignKey("lectures.id"))
    is_completed: Mapped[bool] = no()
    watched_ranges: Mapped[list[Any]] = mapped_column(Json, default=list)
    watch_time: Mapped[int] = count()
    last_position: Mapped[int] = count()
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    last_accessed: Mapped[datetime]

    user: Mapped[User] = relationship(lazy="raise")
    lecture: Mapped[Lecture] = relationship(lazy="raise")


class Certificate(Table):
    """What was true at issue stays on it, whatever becomes of the course and the names."""

    __tablename__ = "certificates"
    __table_args__ = (
        UniqueConstraint("user_id", "course_id"),
        UniqueConstraint("serial"),
        UniqueConstraint("verification_code"),
        Index(None, "course_id"),
        Index(None, "user_id", "issued_at", "id"),
        EVERYWHERE,
    )

    user_id: Mapped[int] = mapped_column(Key, ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(Key, ForeignKey("courses.id"))
    serial: Mapped[str] = mapped_column(exact(40))
    verification_code: Mapped[str] = mapped_column(exact(64))
    title: Mapped[str] = mapped_column(String(300))
    learner_name: Mapped[str] = mapped_column(String(201))
    course_title: Mapped[str] = mapped_column(String(200))
    instructor_name: Mapped[str] = mapped_column(String(201))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revocation_reason: Mapped[RevocationReason | None] = mapped_column(enum(RevocationReason, "revocation_reason"))
    revocation_note: Mapped[str | None] = mapped_column(long_text())

    user: Mapped[User] = relationship(lazy="raise")
    course: Mapped[Course] = relationship(lazy="raise")

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= clock.now()
