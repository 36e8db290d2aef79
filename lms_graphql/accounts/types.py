"""People in the schema."""

from datetime import datetime
from functools import cache
from typing import Any

import strawberry

from lms_graphql.accounts import roles
from lms_graphql.accounts.models import ApplicationStatus
from lms_graphql.accounts.policies import is_self
from lms_graphql.accounts.reads.users import users_by_id
from lms_graphql.core.actor import Actor, Role
from lms_graphql.graph.context import Info
from lms_graphql.graph.describing import described, expose, object_type, resolver
from lms_graphql.graph.mutations import UserError, no_errors
from lms_graphql.graph.node import Node
from lms_graphql.graph.permissions import Door, door

expose(
    Role,
    "What someone is here to do.",
    SUPER_ADMIN="Looks after the platform and may do everything.",
    INSTRUCTOR="Writes courses, and may learn as well.",
    LEARNER="Enrolls and learns.",
)
expose(
    ApplicationStatus,
    "How far an application to teach has come.",
    PENDING="Nobody has looked at it yet.",
    APPROVED="The applicant teaches now.",
    REJECTED="The applicant may apply again.",
)


class IsSelf(Door):
    """The person, or a super admin."""

    def admits(self, actor: Actor, source: Any) -> bool:
        return is_self(actor, source.key)


class IsLearner(Door):
    """Somebody who only learns."""

    def admits(self, actor: Actor, source: Any) -> bool:
        return actor.role is Role.LEARNER


@cache
def may(permission: str) -> type[Door]:
    """A door for those whose role allows this `area:action`."""

    class HasPermission(Door):
        def admits(self, actor: Actor, source: Any) -> bool:
            return actor.role is not None and roles.allows(actor.role, permission)

    return HasPermission


def own(description: str) -> Any:
    return described(f"(self) {description}", extensions=[door(IsSelf)])


@object_type
class User(Node):
    """A person. Fields marked (self) are for the person and super admins; anyone else gets null and FORBIDDEN."""

    username: str = described("The name to mention them by, unique without case.")
    first_name: str = described("Given name.")
    last_name: str = described("Family name.")
    full_name: str = described('First and last name; "Deleted user" for an account that was deleted.')
    role: Role = described("What they are here to do.")
    bio: str | None = described("What they say of themselves.")
    profile_image_url: str | None = described("Where their picture is.")
    created_at: datetime = described("When they registered.")
    email: str | None = own("Where mail reaches them.")
    is_active: bool | None = own("False while suspended.")
    is_email_verified: bool | None = own("Whether the address was shown to be theirs.")
    last_login_at: datetime | None = own("When they last signed in.")

    @resolver(extensions=[door(IsSelf)])
    def permissions(self) -> list[str] | None:
        """(self) What the role allows, as `area:action` strings, e.g. `course:create`."""
        return sorted(roles.PERMISSIONS[self.role])


@object_type
class InstructorApplication(Node):
    """A learner asks to teach. Seen by the applicant and by super admins."""

    motivation: str = described("Why they want to teach.")
    experience: str = described("What they have done that speaks for it.")
    status: ApplicationStatus = described("How far it has come.")
    review_note: str | None = described("What the reviewer says to the applicant.")
    reviewed_at: datetime | None = described("When it was decided.")
    created_at: datetime = described("When it was sent.")
    applicant_key: strawberry.Private[int]
    reviewer_key: strawberry.Private[int | None]

    @resolver()
    def applicant(self, info: Info) -> User:
        """Who asks."""
        return info.context.one(users_by_id, self.applicant_key)

    @resolver()
    def reviewed_by(self, info: Info) -> User | None:
        """Who decided."""
        return None if self.reviewer_key is None else info.context.one(users_by_id, self.reviewer_key)


@object_type
class Session:
    """
    `accessToken` is a short-lived JWT for the Authorization header; `refreshToken` is used once, to get the next
    pair.
    """

    access_token: str = described("For the header `Authorization: Bearer …`.")
    access_token_expires_at: datetime = described("When to have called `refreshSession` by.")
    refresh_token: str = described("For `refreshSession`, once. Keep it as safe as a password.")
    refresh_token_expires_at: datetime = described("When to sign in again, unless it was used before.")
    user: User = described("Who is signed in.")


@object_type
class SessionPayload:
    """What came of it."""

    session: Session | None = described("The open session.", default=None)
    errors: list[UserError] = no_errors()


@object_type
class UserPayload:
    """What came of it."""

    user: User | None = described("The person as they are now.", default=None)
    errors: list[UserError] = no_errors()


@object_type
class InstructorApplicationPayload:
    """What came of it."""

    application: InstructorApplication | None = described("The application as it is now.", default=None)
    errors: list[UserError] = no_errors()
