"""Mutations of invitations."""

from datetime import datetime

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import mutation, payload
from lms_graphql.learning.reads.enrollments import enrollments_by_key
from lms_graphql.learning.reads.invitations import invitations_by_key
from lms_graphql.learning.services import invitation_acceptance, invitations
from lms_graphql.learning.services.invitations import InvitationRequest
from lms_graphql.learning.types.enrollments import EnrollmentPayload
from lms_graphql.learning.types.invitations import InvitationPayload, InviteLearnersPayload


@input_type()
class InviteLearnersInput:
    """Email addresses to invite into a course."""

    course_id: strawberry.ID = field("Id of the course.")
    emails: list[str] = field("1–200 email addresses. An address that is named twice is invited once.")
    access_expires_at: datetime | None = field("When access ends, in the future; null: never.", default=None)
    message: str | None = field("Plain text that each mail shows, at most 1,000 characters.", default=None)


@input_type()
class AcceptInvitationInput:
    """The token that was mailed."""

    token: str = field("Token from the link in the mail, valid once and for 30 days.")


@input_type()
class InvitationIdInput:
    """The invitation to cancel."""

    invitation_id: strawberry.ID = field("Id of the invitation.")


@strawberry.type
class InvitationMutations:
    @mutation(has_permission("enrollment:grant"))
    async def invite_learners(self, info: Info, input: InviteLearnersInput) -> InviteLearnersPayload | None:
        """
        Invite up to 200 people into a course by email, whether they have accounts or not. Only the course's
        instructor and super admins can do this. Each address gets a mail with a link for one person. If the address
        has a pending invitation, it is renewed: the new link replaces the old one.

        If an address is invalid, no address is invited, and each invalid one has an error. Returns NOT_PUBLISHED if
        the course is a draft, and OUT_OF_RANGE if `accessExpiresAt` is not in the future. Returns LIMIT_REACHED for
        more than 200 addresses at once, or 1,000 on a day (UTC).
        """
        request = InvitationRequest(input.course_id, input.emails, input.access_expires_at, input.message)
        keys = await info.context.write(invitations.invite_learners, request)
        return InviteLearnersPayload(invitation_keys=tuple(keys))

    @mutation(has_permission("course:enroll"))
    async def accept_invitation(self, info: Info, input: AcceptInvitationInput) -> EnrollmentPayload | None:
        """
        Enroll in a course by an invitation, whatever its price. Only logged-in users can do this: any user who has
        the link, once. An enrollment that has ended is reactivated. Access that the user has already is never
        shortened.

        Returns INVALID_TOKEN if the token is unknown, was used or cancelled, or has expired. The invitation remains
        valid after the other errors: OWN_COURSE for the course's instructor, NOT_PUBLISHED if the course is a draft,
        and INVALID_TRANSITION if the enrollment is suspended.
        """
        key = await info.context.write(invitation_acceptance.accept_invitation, input.token)
        return await payload(info.context, EnrollmentPayload, enrollment=(enrollments_by_key, key))

    @mutation(has_permission("enrollment:grant"))
    async def cancel_invitation(self, info: Info, input: InvitationIdInput) -> InvitationPayload | None:
        """
        Cancel a pending invitation, so that its link becomes invalid. Only the course's instructor and super admins
        can do this. Cancelling again changes nothing.

        Returns INVALID_TRANSITION if the invitation was accepted or has expired.
        """
        key = await info.context.write(invitations.cancel_invitation, input.invitation_id)
        return await payload(info.context, InvitationPayload, invitation=(invitations_by_key, key))
