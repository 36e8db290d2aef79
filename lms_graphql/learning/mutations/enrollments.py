"""Coming into a course, and leaving it."""

from datetime import datetime

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import mutation, payload
from lms_graphql.graph.schema.permissions import IsSignedIn
from lms_graphql.learning.reads.enrollments import enrollments_by_key
from lms_graphql.learning.services import enrollments
from lms_graphql.learning.types.enrollments import EnrollmentPayload


@input_type()
class EnrollInput:
    """A course to learn."""

    course_id: strawberry.ID = field("Which one.")


@input_type()
class GrantEnrollmentInput:
    """Somebody to let into a course."""

    course_id: strawberry.ID = field("Which one.")
    user_id: strawberry.ID = field("Whom.")
    access_expires_at: datetime | None = field(
        "Until when, an instant that is still to come; null: for ever.", default=None
    )


@input_type()
class EnrollmentIdInput:
    """An enrollment."""

    enrollment_id: strawberry.ID = field("Which one.")


@strawberry.type
class EnrollmentMutations:
    @mutation(has_permission("course:enroll"))
    async def enroll(self, info: Info, input: EnrollInput) -> EnrollmentPayload | None:
        """
        Come into a course that costs nothing, or back into one that was bought or granted and cancelled. Enrolling
        again gives the same enrollment, with all that was done.
        """
        key = await info.context.write(enrollments.enroll, input.course_id)
        return await payload(info.context, EnrollmentPayload, enrollment=(enrollments_by_key, key))

    @mutation(has_permission("enrollment:grant"))
    async def grant_enrollment(self, info: Info, input: GrantEnrollmentInput) -> EnrollmentPayload | None:
        """
        Let somebody into a course, whatever it costs, for its staff. An enrollment that has ended lives again; one
        that was bought stays bought, and no grant makes it shorter.
        """
        context, said = info.context, (input.course_id, input.user_id, input.access_expires_at)
        key = await context.write(enrollments.grant_enrollment, *said)
        return await payload(context, EnrollmentPayload, enrollment=(enrollments_by_key, key))

    @mutation(IsSignedIn)
    async def cancel_enrollment(self, info: Info, input: EnrollmentIdInput) -> EnrollmentPayload | None:
        """
        Give a course up that is not completed, for the person and course staff; what was done is kept. Who cancels
        their own purchase or grant may `enroll` again; a grant that staff cancel is over.
        """
        key = await info.context.write(enrollments.cancel_enrollment, input.enrollment_id)
        return await payload(info.context, EnrollmentPayload, enrollment=(enrollments_by_key, key))
