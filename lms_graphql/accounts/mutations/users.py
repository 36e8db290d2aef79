"""Profiles, and accounts looked after by super admins."""

import strawberry

from lms_graphql.accounts.mutations.sessions import RegisterInput, desk_of
from lms_graphql.accounts.reads.users import users_by_id
from lms_graphql.accounts.service import managing, registering
from lms_graphql.accounts.types import UserPayload, may
from lms_graphql.core.actor import ANONYMOUS, Role
from lms_graphql.graph.context import Context, Info
from lms_graphql.graph.describing import described, input_type
from lms_graphql.graph.inputs import changes
from lms_graphql.graph.mutations import DeletePayload, mutation
from lms_graphql.graph.permissions import IsSignedIn


@input_type()
class UpdateProfileInput:
    """
    A field left out stays as it is; null empties it, where it can be empty. The same goes for every Update…Input.
    """

    first_name: strawberry.Maybe[str | None] = described("Given name, at most 100 characters.", default=None)
    last_name: strawberry.Maybe[str | None] = described("Family name, at most 100 characters.", default=None)
    bio: strawberry.Maybe[str | None] = described("At most 1,000 characters.", default=None)
    profile_image_url: strawberry.Maybe[str | None] = described("Where the picture is.", default=None)


@input_type()
class CreateUserInput(RegisterInput):
    """An account for somebody."""

    role: Role = described("What they will be here to do.")


@input_type()
class SetUserRoleInput:
    """A new role for somebody."""

    user_id: strawberry.ID = described("Whose.")
    role: Role = described("What they will be here to do.")


@input_type()
class UserIdInput:
    """A person."""

    user_id: strawberry.ID = described("Whose.")


async def shown(context: Context, key: int) -> UserPayload:
    return UserPayload(user=await context.fetch(users_by_id, key))


def leave_if_oneself(context: Context, key: int) -> None:
    """Who has just ended their own account does nothing more in this request."""
    if context.actor.id == key:
        context.become(ANONYMOUS)


@strawberry.type
class UserMutations:
    @mutation(IsSignedIn)
    async def update_profile(self, info: Info, input: UpdateProfileInput) -> UserPayload | None:
        """Change what others see of the viewer."""
        return await shown(info.context, await info.context.write(managing.update_profile, changes(input)))

    @mutation(may("user:manage"))
    async def create_user(self, info: Info, input: CreateUserInput) -> UserPayload | None:
        """Make an account for somebody, for super admins. A mail asks them to confirm the address."""
        context, desk = info.context, desk_of(info.context)
        person = registering.checked(input.email, input.username, input.first_name, input.last_name, input.password)
        with context.hashing.room(context.origin):
            with context.hashing.place(context.origin):
                hashed = await context.hashing.hash(input.password)
            key = await context.write(registering.create_user, desk, person, hashed, input.role)
        return await shown(context, key)

    @mutation(may("user:manage"))
    async def set_user_role(self, info: Info, input: SetUserRoleInput) -> UserPayload | None:
        """Give somebody another role, for super admins. Ends all their sessions."""
        context = info.context
        return await shown(context, await context.write(managing.set_user_role, input.user_id, input.role))

    @mutation(may("user:manage"))
    async def suspend_user(self, info: Info, input: UserIdInput) -> UserPayload | None:
        """Shut somebody out, for super admins. Ends all their sessions."""
        key = await info.context.write(managing.suspend_user, input.user_id)
        payload = await shown(info.context, key)
        leave_if_oneself(info.context, key)
        return payload

    @mutation(may("user:manage"))
    async def activate_user(self, info: Info, input: UserIdInput) -> UserPayload | None:
        """Let somebody in again who was suspended, for super admins."""
        return await shown(info.context, await info.context.write(managing.activate_user, input.user_id))

    @mutation(IsSignedIn)
    async def delete_user(self, info: Info, input: UserIdInput) -> DeletePayload | None:
        """
        Empty an account of everything personal, for good: one's own, or anyone's for super admins. Courses, payments
        and certificates stay.
        """
        key = await info.context.write(managing.delete_user, input.user_id)
        leave_if_oneself(info.context, key)
        return DeletePayload(deleted_id=input.user_id)
