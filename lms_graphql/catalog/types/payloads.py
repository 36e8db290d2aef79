"""What the catalog's mutations answer."""

from lms_graphql.catalog.types.category import Category
from lms_graphql.catalog.types.course import Course
from lms_graphql.catalog.types.lecture import Lecture
from lms_graphql.catalog.types.section import Section
from lms_graphql.graph.schema.fields import field, object_type
from lms_graphql.graph.schema.mutations import UserError, errors_field


@object_type
class CategoryPayload:
    """What came of it."""

    category: Category | None = field("The category as it is now.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class CoursePayload:
    """What came of it."""

    course: Course | None = field("The course as it is now.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class SectionPayload:
    """What came of it."""

    section: Section | None = field("The section as it is now.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class LecturePayload:
    """What came of it."""

    lecture: Lecture | None = field("The lecture as it is now.", default=None)
    errors: list[UserError] = errors_field()
