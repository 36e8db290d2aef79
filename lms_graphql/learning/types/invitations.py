"""GraphQL types of invitations, and their list on courses."""

from datetime import datetime
from typing import Annotated

import strawberry

from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.types.course import Course, IsCourseStaff
from lms_graphql.core import global_ids
from lms_graphql.core.pagination import PageArguments
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import ListSize, expose_enum, field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import require
from lms_graphql.graph.schema.type_extensions import extend_type
from lms_graphql.learning.invitation_models import InvitationStatus
from lms_graphql.learning.reads import invitations
from lms_graphql.learning.reads.enrollments import enrollments_by_key
from lms_graphql.learning.services.invitations import MAX_EMAILS
from lms_graphql.learning.types.enrollments import Enrollment

expose_enum(
    InvitationStatus,
    "Status of an invitation.",
    PENDING="The link in the last mail can be used.",
    ACCEPTED="A user accepted the invitation, so the link cannot be used again.",
    EXPIRED="The link was not used in time.",
    CANCELLED="Course staff cancelled the invitation.",
)

StatusFilter = Annotated[
    InvitationStatus | None, strawberry.argument(description="Only invitations with this status.")
]


@object_type
class Invitation(Node):
    """
    An invitation of an email address into a course, whether it has an account or not. Visible to course staff only.
    Invitations that were not accepted are deleted 30 days after their end.
    """

    email: str = field("Email address that was invited. Another one may belong to the account that accepted.")
    status: InvitationStatus = field("Status at the time of the request.")
    access_expires_at: datetime | None = field("When access to the course ends; null if it never ends.")
    created_at: datetime = field("When the address was first invited. A renewal does not change it.")
    expires_at: datetime = field(
        "When the link ends: 30 days after the last mail, or with the access if that is sooner."
    )
    course_key: strawberry.Private[int]
    enrollment_key: strawberry.Private[int | None]

    @resolver_field()
    def course(self, info: Info) -> Course:
        """The course."""
        return info.context.load(courses_by_key, self.course_key)

    @resolver_field()
    def enrollment(self, info: Info) -> Enrollment | None:
        """Enrollment of the user who accepted; null if the invitation was not accepted."""
        return None if self.enrollment_key is None else info.context.load(enrollments_by_key, self.enrollment_key)


@extend_type(Course, name="invitations", extensions=[require(IsCourseStaff)])
def invitations_of_course(
    course: strawberry.Parent[Course],
    info: Info,
    status: StatusFilter = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Invitation] | None:
    """Course staff only. Email addresses that were invited into the course, newest first."""
    query = invitations.invitations_of_course(status)
    return info.context.page(query, PageArguments(first, after, last, before), course.key)


@object_type
class InviteLearnersPayload:
    """Result of inviting: an invitation for each address, or errors."""

    invitation_keys: strawberry.Private[tuple[int, ...]] = ()
    errors: list[UserError] = errors_field()

    @resolver_field(name="invitations", list_size=ListSize(expected=MAX_EMAILS))
    async def stored_invitations(self, info: Info) -> list[Invitation]:
        """New and renewed invitations, in the order of the addresses; empty if there are errors."""
        ids = [global_ids.encode("Invitation", key) for key in self.invitation_keys]
        return [row for row in await info.context.nodes(ids) if row is not None]


@object_type
class InvitationPayload:
    """Result of cancelling an invitation: the invitation, or errors."""

    invitation: Invitation | None = field("The invitation after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()
