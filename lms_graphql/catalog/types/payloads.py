"""Payloads of the catalog's mutations."""

from lms_graphql.catalog.types.category import Category
from lms_graphql.catalog.types.course import Course
from lms_graphql.catalog.types.lecture import Lecture
from lms_graphql.catalog.types.section import Section
from lms_graphql.graph.schema.fields import field, object_type
from lms_graphql.graph.schema.mutations import UserError, errors_field


@object_type
class CategoryPayload:
    """Result of a change of a category: the category, or errors."""

    category: Category | None = field("The category after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class CoursePayload:
    """Result of a change of a course: the course, or errors."""

    course: Course | None = field("The course after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class SectionPayload:
    """Result of a change of a section: the section, or errors."""

    section: Section | None = field("The section after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class LecturePayload:
    """Result of a change of a lecture: the lecture, or errors."""

    lecture: Lecture | None = field("The lecture after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()
