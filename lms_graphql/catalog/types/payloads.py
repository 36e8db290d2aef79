"""What the catalog's mutations answer."""

from lms_graphql.catalog.types import Category, Course, Lecture, Section
from lms_graphql.graph.describing import described, object_type
from lms_graphql.graph.mutations import UserError, no_errors


@object_type
class CategoryPayload:
    """What came of it."""

    category: Category | None = described("The category as it is now.", default=None)
    errors: list[UserError] = no_errors()


@object_type
class CoursePayload:
    """What came of it."""

    course: Course | None = described("The course as it is now.", default=None)
    errors: list[UserError] = no_errors()


@object_type
class SectionPayload:
    """What came of it."""

    section: Section | None = described("The section as it is now.", default=None)
    errors: list[UserError] = no_errors()


@object_type
class LecturePayload:
    """What came of it."""

    lecture: Lecture | None = described("The lecture as it is now.", default=None)
    errors: list[UserError] = no_errors()
