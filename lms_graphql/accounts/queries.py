"""Queries of accounts: the viewer, users, instructor applications."""

from datetime import datetime
from typing import Annotated

import strawberry

from lms_graphql.accounts.models import ApplicationStatus
from lms_graphql.accounts.reads import applications
from lms_graphql.accounts.reads.audit_events import AuditEventFilter, audit_events
from lms_graphql.accounts.reads.users import UserFilter, UserOrder, users, users_by_key, users_by_username
from lms_graphql.accounts.types import AuditEvent, InstructorApplication, User, has_permission
from lms_graphql.core import global_ids
from lms_graphql.core.actor import Role
from lms_graphql.core.pagination import PageArguments
from lms_graphql.core.search_terms import parse_search
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import expose_enum, field, input_type, resolver_field
from lms_graphql.graph.schema.permissions import IsSignedIn, require

expose_enum(
    UserOrder,
    "Order of users.",
    NEWEST="Newest account first.",
    OLDEST="Oldest account first.",
    NAME="By first and last name, regardless of case, accents and strokes.",
)


@input_type(name="UserFilter")
class UserFilterInput:
    """Conditions on users. An omitted field is no condition."""

    search: str | None = field(
        "Words of the name, username or email address, at most 200 characters. All must match, the last as a prefix.",
        default=None,
    )
    role: Role | None = field("Role of the users.", default=None)
    is_active: bool | None = field("Whether the account is active.", default=None)
    created_after: datetime | None = field("Account created after this time.", default=None)
    created_before: datetime | None = field("Account created before this time.", default=None)


@input_type(name="AuditEventFilter")
class AuditEventFilterInput:
    """Conditions on audit events. An omitted field is no condition. An id that is malformed matches no event."""

    action: str | None = field("Action, e.g. `account.role_changed`.", default=None)
    actor_id: strawberry.ID | None = field("Id of the user who did it.", default=None)
    subject_id: strawberry.ID | None = field("Id of the object that was changed, of any type.", default=None)
    created_after: datetime | None = field("Events after this time.", default=None)
    created_before: datetime | None = field("Events before this time.", default=None)


AuditFilter = Annotated[AuditEventFilterInput | None, strawberry.argument(description="Conditions on the events.")]
Filter = Annotated[UserFilterInput | None, strawberry.argument(description="Conditions on the users.")]
Order = Annotated[UserOrder | None, strawberry.argument(description="Order of the users.")]
Username = Annotated[str, strawberry.argument(description="Username, in any case.")]
Status = Annotated[ApplicationStatus | None, strawberry.argument(description="Only applications with this status.")]


@strawberry.type
class AccountQueries:
    @strawberry.field
    def me(self, info: Info) -> User | None:
        """The logged-in user; null for an anonymous viewer."""
        actor = info.context.actor
        return info.context.load(users_by_key, actor.key) if actor.is_signed_in else None

    @strawberry.field
    def user(self, info: Info, username: Username) -> User | None:
        """The user with this username; null if it does not exist or the viewer may not see the user."""
        return info.context.load(users_by_username, username.casefold())

    @resolver_field(name="users", extensions=[require(IsSignedIn, has_permission("user:manage"))])
    def all_users(
        self,
        info: Info,
        filter: Filter = None,
        order_by: Order = UserOrder.NEWEST,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[User] | None:
        """Super admins only. Users that match the filter."""
        query = users(_user_filter(filter or UserFilterInput()), order_by or UserOrder.NEWEST)
        return info.context.page(query, PageArguments(first, after, last, before))

    @resolver_field(extensions=[require(IsSignedIn)])
    def instructor_applications(
        self,
        info: Info,
        status: Status = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[InstructorApplication] | None:
        """
        Logged-in users only; anonymous viewers get UNAUTHENTICATED. Instructor applications, newest first: all for
        super admins, the viewer's own for other users.
        """
        query = applications.applications(info.context.actor.access_level, status)
        return info.context.page(query, PageArguments(first, after, last, before))

    @resolver_field(name="auditEvents", extensions=[require(IsSignedIn, has_permission("audit:view"))])
    def all_audit_events(
        self,
        info: Info,
        filter: AuditFilter = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AuditEvent] | None:
        """Super admins only. Events of the audit log, newest first."""
        query = audit_events(_audit_event_filter(filter or AuditEventFilterInput()))
        return info.context.page(query, PageArguments(first, after, last, before))


def _user_filter(filter: UserFilterInput) -> UserFilter:
    return UserFilter(
        terms=parse_search(filter.search),
        role=filter.role,
        is_active=filter.is_active,
        created_after=filter.created_after,
        created_before=filter.created_before,
    )


def _audit_event_filter(filter: AuditEventFilterInput) -> AuditEventFilter:
    subject_id = filter.subject_id
    return AuditEventFilter(
        action=None if filter.action is None else filter.action.strip(),
        actor_key=global_ids.decode_filter_key("User", filter.actor_id),
        subject=None if subject_id is None else global_ids.decode(subject_id) or ("", global_ids.NO_KEY),
        created_after=filter.created_after,
        created_before=filter.created_before,
    )
