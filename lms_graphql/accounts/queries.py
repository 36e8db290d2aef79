"""The entrances to people."""

from datetime import datetime
from typing import Annotated

import strawberry

from lms_graphql.accounts.models import ApplicationStatus
from lms_graphql.accounts.reads import applications
from lms_graphql.accounts.reads.users import UserFilter, UserOrder, users, users_by_key
from lms_graphql.accounts.types import InstructorApplication, User, has_permission
from lms_graphql.core.actor import Role
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.core.pagination import PageArguments
from lms_graphql.core.search_terms import query_terms
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import expose_enum, field, input_type, resolver_field
from lms_graphql.graph.schema.permissions import IsSignedIn, require

LONGEST_SEARCH = 200

expose_enum(
    UserOrder,
    "How people are sorted.",
    NEWEST="Who registered last comes first.",
    OLDEST="Who registered first comes first.",
    NAME="By first and last name, without case and accents.",
)


@input_type(name="UserFilter")
class UserFilterInput:
    """What a person must be; a field left out asks nothing."""

    search: str | None = field(
        "Words of the names or the address that all must be there; the last one may be unfinished.", default=None
    )
    role: Role | None = field("What they are here to do.", default=None)
    is_active: bool | None = field("Whether they may sign in.", default=None)
    created_after: datetime | None = field("Registered later than this.", default=None)
    created_before: datetime | None = field("Registered earlier than this.", default=None)


Filter = Annotated[UserFilterInput | None, strawberry.argument(description="What a person must be.")]
Order = Annotated[UserOrder | None, strawberry.argument(description="How they are sorted.")]
Status = Annotated[ApplicationStatus | None, strawberry.argument(description="Only those that have come so far.")]


@strawberry.type
class AccountQueries:
    @strawberry.field
    def me(self, info: Info) -> User | None:
        """The signed-in user; null for an anonymous viewer."""
        actor = info.context.actor
        return info.context.load(users_by_key, actor.key) if actor.is_signed_in else None

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
        """Users, for super admins."""
        people = users(_filter(filter or UserFilterInput()), order_by or UserOrder.NEWEST)
        return info.context.page(people, PageArguments(first, after, last, before))

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
        """Instructor applications: super admins see all, anyone else their own."""
        sent = applications.applications(info.context.actor.access_level, status)
        return info.context.page(sent, PageArguments(first, after, last, before))


def _filter(asked: UserFilterInput) -> UserFilter:
    search = (asked.search or "").strip()
    if len(search) > LONGEST_SEARCH:
        raise RequestError(RequestErrorCode.BAD_USER_INPUT, f"Search for at most {LONGEST_SEARCH} characters.")
    return UserFilter(
        words=tuple(query_terms(search)) if search else None,
        role=asked.role,
        is_active=asked.is_active,
        created_after=asked.created_after,
        created_before=asked.created_before,
    )
