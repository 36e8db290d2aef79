"""Mutations that create and end enrollments."""

from datetime import datetime

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import mutation, payload
from lms_graphql.graph.schema.permissions import IsSignedIn
from lms_graphql.learning.learner_reference import LearnerReference
from lms_graphql.learning.reads.enrollments import enrollments_by_key
from lms_graphql.learning.services import enrollments
from lms_graphql.learning.types.enrollments import EnrollmentPayload


@input_type()
class EnrollInput:
    """A course to enroll in."""

    course_id: strawberry.ID = field("Id of the course.")


@input_type()
class GrantEnrollmentInput:
    """A user to enroll in a course. Exactly one of `userId` and `username` is needed."""

    course_id: strawberry.ID = field("Id of the course.")
    user_id: strawberry.ID | None = field("Id of the user.", default=None)
    username: str | None = field("Username of the user, in any case.", default=None)
    access_expires_at: datetime | None = field("When access ends, in the future; null: never.", default=None)


@input_type()
class EnrollmentIdInput:
    """The enrollment to cancel."""

    enrollment_id: strawberry.ID = field("Id of the enrollment.")


@strawberry.type
class EnrollmentMutations:
    @mutation(has_permission("course:enroll"))
    async def enroll(self, info: Info, input: EnrollInput) -> EnrollmentPayload | None:
        """
        Enroll in a free course, or return to a cancelled purchase or grant. Only logged-in users can do this. If the
        enrollment already gives access, it is returned unchanged. Earlier progress remains.

        Returns OWN_COURSE for the course's instructor, and INVALID_TRANSITION if the enrollment is suspended. Returns
        NOT_PUBLISHED if the course is not published, and PAYMENT_REQUIRED if it has a price.
        """
        key = await info.context.write(enrollments.enroll, input.course_id)
        return await payload(info.context, EnrollmentPayload, enrollment=(enrollments_by_key, key))

    @mutation(has_permission("enrollment:grant"))
    async def grant_enrollment(self, info: Info, input: GrantEnrollmentInput) -> EnrollmentPayload | None:
        """
        Enroll a user in a course, whatever its price. Only the course's instructor and super admins can do this.
        Reactivates an enrollment that has ended. A grant replaces an earlier grant. It never shortens other access,
        and a purchase that is active or cancelled stays a purchase.

        Returns REQUIRED without `userId` and `username`, and INVALID with both. Returns OWN_COURSE for the course's
        instructor, and NOT_PUBLISHED if the course is a draft. Returns INVALID_TRANSITION for a deleted user, and
        OUT_OF_RANGE if `accessExpiresAt` is not in the future.
        """
        learner = LearnerReference(input.user_id, input.username)
        values = (input.course_id, learner, input.access_expires_at)
        key = await info.context.write(enrollments.grant_enrollment, *values)
        return await payload(info.context, EnrollmentPayload, enrollment=(enrollments_by_key, key))

    @mutation(IsSignedIn)
    async def cancel_enrollment(self, info: Info, input: EnrollmentIdInput) -> EnrollmentPayload | None:
        """
        Cancel an enrollment that is active and not completed. Only the learner and course staff can do this. Progress
        remains. The learner can return to a cancelled purchase or grant with `enroll`, but not to a grant that course
        staff cancelled.

        Returns INVALID_TRANSITION if the status is neither ACTIVE nor CANCELLED.
        """
        key = await info.context.write(enrollments.cancel_enrollment, input.enrollment_id)
        return await payload(info.context, EnrollmentPayload, enrollment=(enrollments_by_key, key))
