"""What the catalog's mutations answer."""

from lms_graphql.catalog.types import Category, Course
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
