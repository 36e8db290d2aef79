"""Applications to teach."""

import strawberry

from lms_graphql.accounts.reads.applications import applications_by_key
from lms_graphql.accounts.services import instructor_applications
from lms_graphql.accounts.types import InstructorApplicationPayload, IsLearner, has_permission
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import mutation, payload


@input_type()
class ApplyToTeachInput:
    """Why somebody should teach here."""

    motivation: str = field("Why they want to, at most 10,000 characters.")
    experience: str = field("What speaks for it, at most 10,000 characters.")


@input_type()
class ReviewInstructorApplicationInput:
    """What a super admin decides."""

    application_id: strawberry.ID = field("Which one.")
    approve: bool = field("Whether the applicant may teach from now on.")
    note: str | None = field("For the applicant, at most 1,000 characters.", default=None)


@strawberry.type
class ApplicationMutations:
    @mutation(IsLearner)
    async def apply_to_teach(self, info: Info, input: ApplyToTeachInput) -> InstructorApplicationPayload | None:
        """Ask to become an instructor, as a learner. One application at a time."""
        context = info.context
        key = await context.write(instructor_applications.apply_to_teach, input.motivation, input.experience)
        return await payload(context, InstructorApplicationPayload, application=(applications_by_key, key))

    @mutation(has_permission("application:review"))
    async def review_instructor_application(
        self, info: Info, input: ReviewInstructorApplicationInput
    ) -> InstructorApplicationPayload | None:
        """Decide about an application, for super admins. Who is approved signs in again, as an instructor."""
        context = info.context
        key = await context.write(
            instructor_applications.review_application, input.application_id, input.approve, input.note
        )
        return await payload(context, InstructorApplicationPayload, application=(applications_by_key, key))
