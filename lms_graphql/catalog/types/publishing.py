"""What stops a publication, in the schema."""

import strawberry

from lms_graphql.catalog.publishing import PublishProblemCode
from lms_graphql.catalog.reads.problems import problems_by_course
from lms_graphql.catalog.types import Course, IsCourseStaff
from lms_graphql.core import ids
from lms_graphql.graph.context import Info
from lms_graphql.graph.describing import described, expose, object_type
from lms_graphql.graph.edges import edge
from lms_graphql.graph.node import Node
from lms_graphql.graph.permissions import door

expose(
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

    code: PublishProblemCode = described("What is missing, for programs.")
    message: str = described("What to do about it, for people.")
    about: strawberry.Private[tuple[str, int] | None]

    @strawberry.field
    def subject(self, info: Info) -> Node | None:
        """The section, lecture or quiz it is about; null where it is the course itself."""
        return None if self.about is None else info.context.node(ids.encode(*self.about))


@edge(Course, extensions=[door(IsCourseStaff)])
def publish_problems(course: strawberry.Parent[Course], info: Info) -> list[PublishProblem] | None:
    """Course staff only: everything that still stops publication; empty when it may be published."""
    return info.context.many(problems_by_course, course.key)
