"""Payloads of the catalog's mutations."""

import strawberry

from lms_graphql.catalog.reads import courses
from lms_graphql.catalog.types.category import Category
from lms_graphql.catalog.types.course import Course
from lms_graphql.catalog.types.lecture import Lecture
from lms_graphql.catalog.types.section import Section
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, object_type
from lms_graphql.graph.schema.mutations import DeletePayload, UserError, errors_field
from lms_graphql.graph.schema.type_extensions import extend_type


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


@extend_type(DeletePayload, name="course")
def course_of_deleted_object(payload: strawberry.Parent[DeletePayload], info: Info) -> Course | None:
    """
    Course to which the deleted object belonged, with its new version. Null if it belonged to no course, if the viewer
    may not see the course any more, or if there are errors.
    """
    return None if payload.course_key is None else info.context.load(courses.courses_by_key, payload.course_key)
