"""Mutations of instructor applications."""

import strawberry

from lms_graphql.accounts.reads.applications import applications_by_key
from lms_graphql.accounts.services import instructor_applications
from lms_graphql.accounts.types import InstructorApplicationPayload, IsLearner, has_permission
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import mutation, payload


@input_type()
class ApplyToTeachInput:
    """An application to become an instructor."""

    motivation: str = field("Why the learner wants to teach; 1 to 10,000 characters.")
    experience: str = field("Experience that qualifies the learner; 1 to 10,000 characters.")


@input_type()
class ReviewInstructorApplicationInput:
    """The decision on an instructor application."""

    application_id: strawberry.ID = field("Id of the application.")
    approve: bool = field("Whether to approve the application; false rejects it.")
    note: str | None = field("Note to the applicant, at most 1,000 characters.", default=None)


@strawberry.type
class ApplicationMutations:
    @mutation(IsLearner)
    async def apply_to_teach(self, info: Info, input: ApplyToTeachInput) -> InstructorApplicationPayload | None:
        """Apply to become an instructor. Only learners can do this.

        Returns ALREADY_EXISTS while an application is pending.
        """
        context = info.context
        key = await context.write(instructor_applications.apply_to_teach, input.motivation, input.experience)
        return await payload(context, InstructorApplicationPayload, application=(applications_by_key, key))

    @mutation(has_permission("application:review"))
    async def review_instructor_application(
        self, info: Info, input: ReviewInstructorApplicationInput
    ) -> InstructorApplicationPayload | None:
        """
        Approve or reject a pending application. Only super admins can do this. Approval ends the applicant's
        sessions: after the next login the applicant is an instructor.

        Returns INVALID_TRANSITION if the application was reviewed already.
        """
        context = info.context
        key = await context.write(
            instructor_applications.review_application, input.application_id, input.approve, input.note
        )
        return await payload(context, InstructorApplicationPayload, application=(applications_by_key, key))
