"""GraphQL types and permissions of accounts."""

from datetime import datetime
from functools import cache
from typing import Any

import strawberry

from lms_graphql.accounts import roles
from lms_graphql.accounts.models import ApplicationStatus
from lms_graphql.accounts.policies import is_self_or_super_admin
from lms_graphql.accounts.reads.sessions import sessions_by_user
from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.core.actor import Actor, Role
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import expose_enum, field, object_type, resolver_field, url_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import Permission, require

expose_enum(
    Role,
    "Role of a user.",
    SUPER_ADMIN="Administers the platform and has all permissions.",
    INSTRUCTOR="Creates and teaches courses, and has all permissions of a learner.",
    LEARNER="Enrolls in courses and learns.",
)
expose_enum(
    ApplicationStatus,
    "Status of an instructor application.",
    PENDING="Waits for a review.",
    APPROVED="Approved: the applicant became an instructor.",
    REJECTED="Rejected: the applicant may apply again.",
)


class IsSelfOrSuperAdmin(Permission):
    """Permission of the user that the field belongs to, and of super admins."""

    def allows(self, actor: Actor, source: Any) -> bool:
        return is_self_or_super_admin(actor, source.key)


class IsSelf(Permission):
    """Permission of the user that the field belongs to, and of no one else."""

    def allows(self, actor: Actor, source: Any) -> bool:
        return actor.is_signed_in and actor.key == source.key


class IsLearner(Permission):
    """Permission of learners; instructors and super admins have other roles."""

    def allows(self, actor: Actor, source: Any) -> bool:
        return actor.role is Role.LEARNER


@cache
def has_permission(permission: str) -> type[Permission]:
    """Return the permission class for roles that allow this `area:action`."""

    class HasPermission(Permission):
        def allows(self, actor: Actor, source: Any) -> bool:
            return actor.role is not None and roles.allows(actor.role, permission)

    return HasPermission


def self_or_super_admin_only(description: str) -> Any:
    """Return a field for the user and super admins only."""
    return field(f"The user and super admins only. {description}", extensions=[require(IsSelfOrSuperAdmin)])


@object_type
class UserSession(Node):
    """
    A login of a user on a device. Visible to the user and to super admins until it ends or expires. `endSession` ends
    it.
    """

    created_at: datetime = field("When the user logged in.")
    last_used_at: datetime = field(
        "When the user logged in or last refreshed the session. Other requests do not change it. So it may be as old "
        "as an access token lasts: 15 minutes by default."
    )
    expires_at: datetime = field("When the session ends if it is not refreshed before.")
    client_ip: str | None = field(
        "IP address of the login or of the last refresh; null if unknown. IPv6 addresses are cut to their network."
    )
    user_agent: str | None = field(
        "Header `User-Agent` of the login or of the last refresh, at most 300 characters; null if there was none. "
        "Control characters are spaces. Clients choose it freely, so show it as plain text."
    )
    is_current: bool = field("Whether this request is made in this session.")


@object_type
class User(Node):
    """A user. A field for the user and super admins only is null for other viewers, with a FORBIDDEN error."""

    username: str = field("Username, unique regardless of case.")
    first_name: str = field("First name.")
    last_name: str = field("Last name.")
    full_name: str = field('First and last name; "Deleted user" if the account was deleted.')
    role: Role = field("Role of the user.")
    bio: str | None = field("Biography; null if there is none.")
    profile_image_url = url_field("profile_image_url", "URL of the profile image; null if there is none.")
    created_at: datetime = field("When the account was created.")
    email: str | None = self_or_super_admin_only("Email address; null if the account was deleted.")
    is_active: bool | None = self_or_super_admin_only(
        "Whether the account is active, i.e. neither suspended nor deleted."
    )
    is_email_verified: bool | None = self_or_super_admin_only("Whether the email address is verified.")
    last_login_at: datetime | None = self_or_super_admin_only("When the user last logged in; null if never.")

    @resolver_field(extensions=[require(IsSelfOrSuperAdmin)])
    def permissions(self) -> list[str] | None:
        """The user and super admins only. Permissions of the role, as `area:action` strings, e.g. `course:create`."""
        return sorted(roles.PERMISSIONS[self.role])

    @resolver_field(extensions=[require(IsSelfOrSuperAdmin)])
    def sessions(self, info: Info) -> list[UserSession] | None:
        """
        The user and super admins only. Active sessions of the user, the last used first (at most 100). Those that
        have ended or expired are left out.
        """
        return info.context.load_list(sessions_by_user, self.key)


@object_type
class InstructorApplication(Node):
    """A learner's application to become an instructor. Visible to the applicant and to super admins."""

    motivation: str = field("Why the applicant wants to teach.")
    experience: str = field("Experience that qualifies the applicant.")
    status: ApplicationStatus = field("Status of the application.")
    review_note: str | None = field("Note of the reviewer to the applicant; null if there is none.")
    reviewed_at: datetime | None = field("When the application was reviewed; null while it is pending.")
    created_at: datetime = field("When the application was made.")
    applicant_key: strawberry.Private[int]
    reviewer_key: strawberry.Private[int | None]

    @resolver_field()
    def applicant(self, info: Info) -> User:
        """The learner who applied."""
        return info.context.load(users_by_key, self.applicant_key)

    @resolver_field()
    def reviewed_by(self, info: Info) -> User | None:
        """The super admin who reviewed the application; null if there was no review."""
        return None if self.reviewer_key is None else info.context.load(users_by_key, self.reviewer_key)


@object_type
class AuditDetail:
    """
    A fact about an audit event. Objects are given by their ids, amounts of money in the currency's smallest unit.
    """

    name: str = field("Name of the fact, e.g. `reason`.")
    value: str = field("Value as text; several values have commas between them.")


@object_type
class AuditEvent(Node):
    """An action that was recorded in the audit log. Visible to super admins only."""

    action: str = field("Action, written as `area.happened`, e.g. `account.signed_in`.")
    subject_id: strawberry.ID | None = field(
        "Id of the object that was changed, e.g. the user of a role change, or the transaction of a refund; null if "
        "there is none. The object may have been deleted."
    )
    client_ip: str | None = field(
        "IP address of the request; null if it was not recorded, or if the user's account was deleted."
    )
    details: list[AuditDetail] = field("Further facts, without secrets, names and email addresses.")
    created_at: datetime = field("When it happened.")
    actor_key: strawberry.Private[int | None]

    @resolver_field()
    def actor(self, info: Info) -> User | None:
        """
        The user who did it; null if it was the service itself, a gateway or a viewer who was not logged in. A deleted
        user is returned without personal data.
        """
        return None if self.actor_key is None else info.context.load(users_by_key, self.actor_key)


@object_type
class Session:
    """
    A logged-in session with a new pair of tokens. The access token is a short-lived JWT for the Authorization header.
    The refresh token is valid once and returns the next pair.
    """

    access_token: str = field("Access token, for the header `Authorization: Bearer …`.")
    access_token_expires_at: datetime = field("When the access token expires. Call `refreshSession` before that.")
    refresh_token: str = field("Refresh token for `refreshSession`, valid once. Store it as safely as a password.")
    refresh_token_expires_at: datetime = field("When the refresh token expires and the user must log in again.")
    user: User = field("The user who is logged in.")


@object_type
class SessionPayload:
    """Result of starting or refreshing a session: the session with its tokens, or errors."""

    session: Session | None = field("The new session; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class UserPayload:
    """Result of changing an account: the user, or errors."""

    user: User | None = field("The user after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()


@object_type
class InstructorApplicationPayload:
    """Result of applying or reviewing: the application, or errors."""

    application: InstructorApplication | None = field(
        "The application after the change; null if there are errors.", default=None
    )
    errors: list[UserError] = errors_field()
