"""Table of former instructors: people who taught a published course before it was given to another instructor."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course
from lms_graphql.core.orm import TABLE_OPTIONS, BigIntKey, TimestampedModel


class FormerInstructor(TimestampedModel):
    """A user who taught a course that was ever published. `updated_at` is when the course was last taken from them.

    The row stays if the user teaches the course again.
    """

    __tablename__ = "former_instructors"
    __table_args__ = (
        UniqueConstraint("user_id", "course_id"),
        Index(None, "course_id"),
        Index(None, "updated_at", "course_id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("courses.id", ondelete="CASCADE"))

    user: Mapped[User] = relationship(lazy="raise")
    course: Mapped[Course] = relationship(lazy="raise")
