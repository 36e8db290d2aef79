"""Sections in the schema, and the field that lists them."""

import strawberry

from lms_graphql.catalog.reads import courses, curriculum
from lms_graphql.catalog.types.course import Course
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, object_type
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.type_extensions import extend_type


@object_type
class Section(Node):
    """A part of a course: lectures in their order."""

    title: str = field("What it is called.")
    description: str | None = field("What it is about.")
    position: int = field("0, 1, 2 … within the course.")
    lecture_count: int = field("How many lectures it has.")
    duration_seconds: int = field("How long its lectures take.")
    course_key: strawberry.Private[int]

    @strawberry.field
    def course(self, info: Info) -> Course:
        """The course it is a part of."""
        return info.context.load(courses.courses_by_key, self.course_key)


@extend_type(Course)
def sections(course: strawberry.Parent[Course], info: Info) -> list[Section]:
    """Its sections, in their order; at most 100."""
    return info.context.load_list(curriculum.sections_by_course, course.key)
