"""Tables of the catalog, and enrollments, which decide who sees the content of a course."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from lms_graphql.accounts.models import User
from lms_graphql.catalog.column_defaults import default_parent_key, default_primary_language
from lms_graphql.catalog.language_tags import primary_language
from lms_graphql.core.orm import (
    TABLE_OPTIONS,
    BigIntKey,
    Model,
    TimestampedModel,
    VersionedOrderedModel,
    case_sensitive,
    checked_enum,
    counter_column,
    false_column,
    long_text,
    true_column,
)
from lms_graphql.core.text import sort_key


class CourseStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class DifficultyLevel(StrEnum):
    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class LectureType(StrEnum):
    VIDEO = "video"
    TEXT = "text"
    QUIZ = "quiz"
    ASSIGNMENT = "assignment"
    RESOURCE = "resource"


class EnrollmentStatus(StrEnum):
    ACTIVE = "active"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    SUSPENDED = "suspended"


class EnrollmentSource(StrEnum):
    FREE = "free"
    PURCHASE = "purchase"
    GRANT = "grant"


ENROLLMENT_ORDERS = ("enrolled_at", "last_accessed", "progress_hundredths")


class Category(TimestampedModel):
    __tablename__ = "course_categories"
    __table_args__ = (
        UniqueConstraint("slug"),
        UniqueConstraint("parent_key", "name_key"),
        Index(None, "parent_id", "name_key"),
        TABLE_OPTIONS,
    )

    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(case_sensitive(200))
    slug: Mapped[str] = mapped_column(case_sensitive(120))
    description: Mapped[str | None] = mapped_column(long_text())
    parent_id: Mapped[int | None] = mapped_column(BigIntKey, ForeignKey("course_categories.id"))

    parent_key: Mapped[int] = mapped_column(BigIntKey, default=default_parent_key, server_default="0")
    """`parent_id`, with 0 for a root, because a unique key treats nulls as different from each other."""

    parent: Mapped["Category | None"] = relationship(remote_side="Category.id", lazy="raise")

    @validates("name")
    def set_name_key(self, _: str, value: str) -> str:
        self.name_key = sort_key(value)
        return value

    @validates("parent_id")
    def set_parent_key(self, _: str, value: int | None) -> int | None:
        self.parent_key = value or 0
        return value


class Course(TimestampedModel):
    """A course. `price` counts the currency's smallest unit. Changes of lectures or enrollments update the totals."""

    __tablename__ = "courses"
    __table_args__ = (
        UniqueConstraint("slug"),
        CheckConstraint("price >= 0", name="price"),
        CheckConstraint("status <> 'published' OR published_at IS NOT NULL", name="published_at"),
        CheckConstraint("total_duration >= 0 AND total_lectures >= 0 AND enrollment_count >= 0", name="totals"),
        Index(None, "created_at", "id"),
        Index(None, "status", "created_at", "id"),
        Index(None, "status", "title_key", "id"),
        Index(None, "status", "currency", "price", "id"),
        Index(None, "status", "enrollment_count", "id"),
        Index(None, "status", "updated_at", "id"),
        # Covers the counts of facets with every filter, so that they read no rows. It begins with what they group by.
        Index(
            "ix_courses_facets",
            *("status", "difficulty_level", "language", "category_id", "price"),
            *("currency", "is_featured", "total_duration", "updated_at", "instructor_id"),
        ),
        Index(None, "status", "difficulty_level", "created_at", "id"),
        Index(None, "status", "language", "created_at", "id"),
        Index(None, "status", "primary_language", "created_at", "id"),
        Index(None, "status", "is_featured", "created_at", "id"),
        Index(None, "category_id", "status", "created_at", "id"),
        Index(None, "instructor_id", "status", "created_at", "id"),
        Index(None, "instructor_id", "created_at", "id", "enrollment_count"),  # an instructor's list and totals
        TABLE_OPTIONS,
    )

    title: Mapped[str] = mapped_column(String(200))
    title_key: Mapped[str] = mapped_column(case_sensitive(200))
    slug: Mapped[str] = mapped_column(case_sensitive(120))
    description: Mapped[str] = mapped_column(long_text())
    short_description: Mapped[str | None] = mapped_column(String(500))
    instructor_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    category_id: Mapped[int | None] = mapped_column(BigIntKey, ForeignKey("course_categories.id"))
    price: Mapped[int] = mapped_column(BigIntKey, default=0, server_default="0")
    currency: Mapped[str] = mapped_column(case_sensitive(3))
    status: Mapped[CourseStatus] = mapped_column(checked_enum(CourseStatus, "status"), default=CourseStatus.DRAFT)
    difficulty_level: Mapped[DifficultyLevel] = mapped_column(
        checked_enum(DifficultyLevel, "difficulty_level"), default=DifficultyLevel.BEGINNER
    )
    thumbnail_url: Mapped[str | None] = mapped_column(String(2000))
    preview_video_url: Mapped[str | None] = mapped_column(String(2000))
    total_duration: Mapped[int] = counter_column()
    total_lectures: Mapped[int] = counter_column()
    enrollment_count: Mapped[int] = counter_column()
    language: Mapped[str] = mapped_column(case_sensitive(35), default="en")
    primary_language: Mapped[str] = mapped_column(case_sensitive(8), default=default_primary_language)
    is_featured: Mapped[bool] = false_column()
    allow_qa: Mapped[bool] = true_column()
    allow_notes: Mapped[bool] = true_column()
    published_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    instructor: Mapped[User] = relationship(lazy="raise")
    category: Mapped[Category | None] = relationship(lazy="raise")
    sections: Mapped[list["Section"]] = relationship(
        lazy="raise", order_by="Section.order_index", back_populates="course"
    )

    @validates("title")
    def set_title_key(self, _: str, value: str) -> str:
        self.title_key = sort_key(value)
        return value

    @validates("language")
    def set_primary_language(self, _: str, value: str) -> str:
        self.primary_language = primary_language(value)
        return value

    @property
    def is_free(self) -> bool:
        return self.price == 0

    @property
    def is_published(self) -> bool:
        return self.status is CourseStatus.PUBLISHED


class Section(VersionedOrderedModel):
    """A part of a course. Positions count from 0 without gaps among the sections that are not deleted."""

    __tablename__ = "sections"
    __table_args__ = (
        UniqueConstraint("id", "course_id"),  # for the foreign key of lectures, so that their course_id is right
        CheckConstraint("order_index >= 0", name="order_index"),
        CheckConstraint("total_duration >= 0 AND total_lectures >= 0", name="totals"),
        Index(None, "course_id", "order_index", "id"),
        TABLE_OPTIONS,
    )

    course_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("courses.id"))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(long_text())
    total_duration: Mapped[int] = counter_column()
    total_lectures: Mapped[int] = counter_column()
    deleted_at: Mapped[datetime | None]

    course: Mapped[Course] = relationship(lazy="raise", back_populates="sections")
    lectures: Mapped[list["Lecture"]] = relationship(
        lazy="raise",
        order_by="Lecture.order_index",
        back_populates="section",
        foreign_keys="Lecture.section_id",
        primaryjoin="Section.id == Lecture.section_id",
    )


class Lecture(VersionedOrderedModel):
    """A lecture. `course_id` repeats that of the section, so that an access check needs one join less."""

    __tablename__ = "lectures"
    __table_args__ = (
        ForeignKeyConstraint(["section_id", "course_id"], ["sections.id", "sections.course_id"]),
        CheckConstraint("order_index >= 0", name="order_index"),
        CheckConstraint("duration >= 0", name="duration"),
        UniqueConstraint("id", "course_id"),  # for the foreign key of quizzes, so that their course_id is right
        Index(None, "section_id", "order_index", "id"),
        Index(None, "section_id", "course_id"),
        Index(None, "course_id", "id"),
        TABLE_OPTIONS,
    )

    section_id: Mapped[int] = mapped_column(BigIntKey)
    course_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("courses.id"))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(long_text())
    lecture_type: Mapped[LectureType] = mapped_column(checked_enum(LectureType, "lecture_type"))
    duration: Mapped[int] = counter_column()
    video_url: Mapped[str | None] = mapped_column(String(2000))
    content_url: Mapped[str | None] = mapped_column(String(2000))
    body: Mapped[str | None] = mapped_column(long_text())
    is_preview: Mapped[bool] = false_column()
    is_downloadable: Mapped[bool] = false_column()
    deleted_at: Mapped[datetime | None]

    section: Mapped[Section] = relationship(
        lazy="raise",
        back_populates="lectures",
        foreign_keys=[section_id],
        primaryjoin="Lecture.section_id == Section.id",
    )
    course: Mapped[Course] = relationship(lazy="raise", foreign_keys=[course_id], viewonly=True)


class CourseTerm(Model):
    """A word of a course, or a prefix of words with an asterisk. Terms are written with the course."""

    __tablename__ = "course_terms"
    __table_args__ = (
        CheckConstraint("weight > 0", name="weight"),
        Index(None, "course_id"),
        Index(None, "term", "weight", "course_id"),  # the courses of a term by relevance
        {**TABLE_OPTIONS, "sqlite_with_rowid": False},  # clustered by the primary key on every database
    )

    term: Mapped[str] = mapped_column(case_sensitive(64), primary_key=True)
    course_id: Mapped[int] = mapped_column(
        BigIntKey, ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    weight: Mapped[int]

    course: Mapped[Course] = relationship(lazy="raise")


class Enrollment(TimestampedModel):
    """The enrollment of a user in a course: one row for both, which is never deleted.

    The table is part of the catalog because the catalog's policies decide who sees content. `progress_hundredths`
    repeats the percentage of `CourseProgress`, because lists are ordered by it.
    """

    __tablename__ = "enrollments"
    __table_args__ = (
        UniqueConstraint("user_id", "course_id"),
        CheckConstraint("progress_hundredths BETWEEN 0 AND 10000", name="progress_hundredths"),
        # Covers counts of a course's enrollments, so that they read no rows.
        Index(None, "course_id", "status", "enrolled_at", "id", "access_expires_at"),
        *(Index(None, "course_id", order, "id") for order in ENROLLMENT_ORDERS),
        Index(None, "user_id", "status", "enrolled_at", "id"),
        *(Index(None, "user_id", order, "id") for order in ENROLLMENT_ORDERS),
        Index(None, "status", "access_expires_at"),
        Index(None, "updated_at", "course_id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("courses.id"))
    status: Mapped[EnrollmentStatus] = mapped_column(
        checked_enum(EnrollmentStatus, "status"), default=EnrollmentStatus.ACTIVE
    )
    source: Mapped[EnrollmentSource] = mapped_column(checked_enum(EnrollmentSource, "source"))
    enrolled_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    last_accessed: Mapped[datetime | None]
    access_expires_at: Mapped[datetime | None]
    progress_hundredths: Mapped[int] = counter_column()

    user: Mapped[User] = relationship(lazy="raise")
    course: Mapped[Course] = relationship(lazy="raise")
