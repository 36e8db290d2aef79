"""Tables of the stored statistics of courses, lectures, instructors and revenue."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, Lecture
from lms_graphql.core.orm import (
    TABLE_OPTIONS,
    BigIntKey,
    Model,
    case_sensitive,
    counter_column,
)


class CourseAnalytics(Model):
    """The statistics of a course at `as_of`.

    `percent_total` is the sum of all learners' progress in hundredths of a percent. Integers keep the sum exact.
    """

    __tablename__ = "course_analytics"
    __table_args__ = (
        CheckConstraint("enrollment_count >= 0 AND active_count >= 0 AND completion_count >= 0", name="counts"),
        CheckConstraint("percent_total >= 0", name="percent_total"),
        TABLE_OPTIONS,
    )

    course_id: Mapped[int] = mapped_column(
        BigIntKey, ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    as_of: Mapped[datetime]
    enrollment_count: Mapped[int] = counter_column()
    active_count: Mapped[int] = counter_column()
    completion_count: Mapped[int] = counter_column()
    percent_total: Mapped[int] = mapped_column(BigIntKey, default=0, server_default="0")

    course: Mapped[Course] = relationship(lazy="raise")


class LectureAnalytics(Model):
    """The statistics of a lecture, stored together with those of its course. A lecture never opened has no row."""

    __tablename__ = "lecture_analytics"
    __table_args__ = (
        CheckConstraint("started_count > 0 AND completed_count >= 0 AND watch_total >= 0", name="figures"),
        Index(None, "course_id"),
        TABLE_OPTIONS,
    )

    lecture_id: Mapped[int] = mapped_column(
        BigIntKey, ForeignKey("lectures.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    course_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("courses.id", ondelete="CASCADE"))
    started_count: Mapped[int]
    completed_count: Mapped[int]
    watch_total: Mapped[int] = mapped_column(BigIntKey)

    lecture: Mapped[Lecture] = relationship(lazy="raise")


class InstructorAnalytics(Model):
    """The statistics of an instructor at `as_of` that only a scan of all their enrollments can compute."""

    __tablename__ = "instructor_analytics"
    __table_args__ = (
        CheckConstraint("learner_count >= 0 AND completion_count >= 0", name="counts"),
        TABLE_OPTIONS,
    )

    instructor_id: Mapped[int] = mapped_column(
        BigIntKey, ForeignKey("users.id"), primary_key=True, autoincrement=False
    )
    as_of: Mapped[datetime]
    learner_count: Mapped[int] = counter_column()
    completion_count: Mapped[int] = counter_column()

    instructor: Mapped[User] = relationship(lazy="raise")


class CourseRevenue(Model):
    """The revenue of a course in one currency, in its smallest unit. Stored together with the course's statistics."""

    __tablename__ = "course_revenue"
    __table_args__ = (
        CheckConstraint("gross >= 0 AND refunded >= 0", name="amounts"),
        TABLE_OPTIONS,
    )

    course_id: Mapped[int] = mapped_column(
        BigIntKey, ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    currency: Mapped[str] = mapped_column(case_sensitive(3), primary_key=True)
    gross: Mapped[int] = mapped_column(BigIntKey)
    refunded: Mapped[int] = mapped_column(BigIntKey)

    course: Mapped[Course] = relationship(lazy="raise")
