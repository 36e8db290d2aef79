"""GraphQL type of the problems that block the publication of a course."""

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
    "Kind of a problem that blocks the publication of a course.",
    NO_TITLE="The course has no title.",
    NO_DESCRIPTION="The course has no description.",
    NO_CATEGORY="The course has no category.",
    NO_SECTION="The course has no sections.",
    EMPTY_SECTION="A section has no lectures.",
    NO_LECTURE="The course has no lectures.",
    NO_VIDEO="A VIDEO lecture has no `videoUrl`.",
    NO_CONTENT="A TEXT or RESOURCE lecture has neither `body` nor `resourceUrl`.",
    NO_QUIZ="A QUIZ lecture has no quiz.",
    QUIZ_NOT_PUBLISHED="The quiz of a QUIZ lecture is not published.",
)


@object_type
class PublishProblem:
    """A problem that blocks the publication of a course."""

    code: PublishProblemCode = field("Kind of the problem, for programs.")
    message: str = field("Explanation to show to the author: what is missing and what to do.")
    subject_reference: strawberry.Private[tuple[str, int] | None]

    @strawberry.field
    def subject(self, info: Info) -> Node | None:
        """Section, lecture or quiz that has the problem; null if the course itself has it."""
        reference = self.subject_reference
        return None if reference is None else info.context.node(global_ids.encode(*reference))


@extend_type(Course, extensions=[require(IsCourseStaff)])
def publish_problems(course: strawberry.Parent[Course], info: Info) -> list[PublishProblem] | None:
    """Course staff only. All problems that block publication; empty if the course can be published."""
    return info.context.load_list(problems_by_course, course.key)
