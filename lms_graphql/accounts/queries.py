"""The entrances to people."""

from datetime import datetime
from typing import Annotated

import strawberry

from lms_graphql.accounts.models import ApplicationStatus
from lms_graphql.accounts.reads import applications, listing
from lms_graphql.accounts.reads.listing import UserFilter, UserOrder
from lms_graphql.accounts.reads.users import users_by_id
from lms_graphql.accounts.types import InstructorApplication, User, may
from lms_graphql.core.actor import Role
from lms_graphql.core.errors import RequestError, RequestFault
from lms_graphql.core.paging import Slice
from lms_graphql.core.words import words_of_query
from lms_graphql.graph.connections import After, Before, Connection, First, Last
from lms_graphql.graph.context import Info
from lms_graphql.graph.describing import described, expose, input_type, resolver
from lms_graphql.graph.permissions import IsSignedIn, door

LONGEST_SEARCH = 200

expose(
    UserOrder,
    "How people are sorted.",
    NEWEST="Who registered last comes first.",
    OLDEST="Who registered first comes first.",
    NAME="By first and last name, without case and accents.",
)


@input_type(name="UserFilter")
class UserFilterInput:
    """What a person must be; a field left out asks nothing."""

    search: str | None = described(
        "Words of the names or the address that all must be there; the last one may be unfinished.", default=None
    )
    role: Role | None = described("What they are here to do.", default=None)
    is_active: bool | None = described("Whether they may sign in.", default=None)
    created_after: datetime | None = described("Registered later than this.", default=None)
    created_before: datetime | None = described("Registered earlier than this.", default=None)


Filter = Annotated[UserFilterInput | None, strawberry.argument(description="What a person must be.")]
Order = Annotated[UserOrder | None, strawberry.argument(description="How they are sorted.")]
Status = Annotated[ApplicationStatus | None, strawberry.argument(description="Only those that have come so far.")]


@strawberry.type
class AccountQueries:
    @strawberry.field
    def me(self, info: Info) -> User | None:
        """The signed-in user; null for an anonymous viewer."""
        actor = info.context.actor
        return info.context.one(users_by_id, actor.id) if actor.is_signed_in else None

    @resolver(name="users", extensions=[door(IsSignedIn, may("user:manage"))])
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
        people = listing.users(_filter(filter or UserFilterInput()), order_by or UserOrder.NEWEST)
        return info.context.page(people, Slice(first, after, last, before))

    @resolver(extensions=[door(IsSignedIn)])
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
        sent = applications.applications(info.context.actor.scope, status)
        return info.context.page(sent, Slice(first, after, last, before))


def _filter(asked: UserFilterInput) -> UserFilter:
    search = (asked.search or "").strip()
    if len(search) > LONGEST_SEARCH:
        raise RequestError(RequestFault.BAD_USER_INPUT, f"Search for at most {LONGEST_SEARCH} characters.")
    return UserFilter(
        words=tuple(words_of_query(search)) if search else None,
        role=asked.role,
        is_active=asked.is_active,
        created_after=asked.created_after,
        created_before=asked.created_before,
    )
