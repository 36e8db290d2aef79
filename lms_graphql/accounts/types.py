"""People in the schema."""

from datetime import datetime
from functools import cache
from typing import Any

import strawberry

from lms_graphql.accounts import roles
from lms_graphql.accounts.models import ApplicationStatus
from lms_graphql.accounts.policies import is_self
from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.core.actor import Actor, Role
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import expose_enum, field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import Permission, require

expose_enum(
    Role,
    "What someone is here to do.",
    SUPER_ADMIN="Looks after the platform and may do everything.",
    INSTRUCTOR="Writes courses, and may learn as well.",
    LEARNER="Enrolls and learns.",
)
expose_enum(
    ApplicationStatus,
    "How far an application to teach has come.",
    PENDING="Nobody has looked at it yet.",
    APPROVED="The applicant teaches now.",
    REJECTED="The applicant may apply again.",
)


class IsSelf(Permission):
    """The person, or a super admin."""

    def allows(self, actor: Actor, source: Any) -> bool:
        return is_self(actor, source.key)


class IsLearner(Permission):
    """Somebody who only learns."""

    def allows(self, actor: Actor, source: Any) -> bool:
        return actor.role is Role.LEARNER


@cache
def has_permission(permission: str) -> type[Permission]:
    """A door for those whose role allows this `area:action`."""

    class HasPermission(Permission):
        def allows(self, actor: Actor, source: Any) -> bool:
            return actor.role is not None and roles.allows(actor.role, permission)

    return HasPermission


def self_only(description: str) -> Any:
    return field(f"(self) {description}", extensions=[require(IsSelf)])


@object_type
class User(Node):
    """A person. Fields marked (self) are for the person and super admins; anyone else gets null and FORBIDDEN."""

    username: str = field("The name to mention them by, unique without case.")
    first_name: str = field("Given name.")
    last_name: str = field("Family name.")
    full_name: str = field('First and last name; "Deleted user" for an account that was deleted.')
    role: Role = field("What they are here to do.")
    bio: str | None = field("What they say of themselves.")
    profile_image_url: str | None = field("Where their picture is.")
    created_at: datetime = field("When they registered.")
    email: str | None = self_only("Where mail reaches them.")
    is_active: bool | None = self_only("False while suspended.")
    is_email_verified: bool | None = self_only("Whether the address was shown to be theirs.")
    last_login_at: datetime | None = self_only("When they last signed in.")

    @resolver_field(extensions=[require(IsSelf)])
    def permissions(self) -> list[str] | None:
        """(self) What the role allows, as `area:action` strings, e.g. `course:create`."""
        return sorted(roles.PERMISSIONS[self.role])


@object_type
class InstructorApplication(Node):
    """A learner asks to teach. Seen by the applicant and by super admins."""

    motivation: str = field("Why they want to teach.")
    experience: str = field("What they have done that speaks for it.")
    status: ApplicationStatus = field("How far it has come.")
    review_note: str | None = field("What the reviewer says to the applicant.")
    reviewed_at: datetime | None = field("When it was decided.")
    created_at: datetime = field("When it was sent.")
    applicant_key: strawberry.Private[int]
    reviewer_key: strawberry.Private[int | None]

    @resolver_field()
    def applicant(self, info: Info) -> User:
        """Who asks."""
        return info.context.load(users_by_key, self.applicant_key)

    @resolver_field()
    def reviewed_by(self, info: Info) -> User | None:
        """Who decided."""
        return None if self.reviewer_key is None else info.context.load(users_by_key, self.reviewer_key)


@object_type
class Session:
    """
    `accessToken` is a short-lived JWT for the Authorization header; `refreshToken` is used once, to get the next
    pair.
    """

    access_token: str = field("For the header `Authorization: Bearer …`.")
    access_token_expires_at: datetime = field("When to have called `refreshSession` by.")
    refresh_token: str = field("For `refreshSession`, once. Keep it as safe as a password.")
    refresh_token_expires_at: datetime = field("When to sign in again, unless it was used before.")
    user: User = field("Who is signed in.")


@object_type
class SessionPayload:
    """What came of it."""

    session: Session | None = field("The open session.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class UserPayload:
    """What came of it."""

    user: User | None = field("The person as they are now.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class InstructorApplicationPayload:
    """What came of it."""

    application: InstructorApplication | None = field("The application as it is now.", default=None)
    errors: list[UserError] = errors_field()
