"""What stops a publication, in the schema."""

import strawberry

from lms_graphql.catalog.publish_checks import PublishProblemCode
from lms_graphql.catalog.reads.publish_problems import problems_by_course
from lms_graphql.catalog.types.course import Course, IsCourseStaff
from lms_graphql.core import global_ids
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import expose_enum, field, object_type
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import require
from lms_graphql.graph.schema.type_extensions import extend_type

expose_enum(
    PublishProblemCode,
    "What a course lacks before it can be published.",
    NO_VIDEO="A VIDEO lecture without the address of its video.",
    NO_CONTENT="A TEXT or RESOURCE lecture without a body or an address.",
    NO_QUIZ="A QUIZ lecture without a quiz.",
    QUIZ_NOT_PUBLISHED="A QUIZ lecture whose quiz is still being written.",
)


@object_type
class PublishProblem:
    """Something that still stops the publication of a course."""

    code: PublishProblemCode = field("What is missing, for programs.")
    message: str = field("What to do about it, for people.")
    about: strawberry.Private[tuple[str, int] | None]

    @strawberry.field
    def subject(self, info: Info) -> Node | None:
        """The section, lecture or quiz it is about; null where it is the course itself."""
        return None if self.about is None else info.context.node(global_ids.encode(*self.about))


@extend_type(Course, extensions=[require(IsCourseStaff)])
def publish_problems(course: strawberry.Parent[Course], info: Info) -> list[PublishProblem] | None:
    """Course staff only: everything that still stops publication; empty when it may be published."""
    return info.context.load_list(problems_by_course, course.key)
