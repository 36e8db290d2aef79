"""Profiles, and accounts looked after by super admins."""

import strawberry

from lms_graphql.accounts.mutations.sessions import RegisterInput, auth_context
from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.services import registration, users
from lms_graphql.accounts.types import UserPayload, has_permission
from lms_graphql.core.actor import ANONYMOUS, Role
from lms_graphql.graph.context import Context, Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields
from lms_graphql.graph.schema.permissions import IsSignedIn


@input_type()
class UpdateProfileInput:
    """
    A field left out stays as it is; null empties it, where it can be empty. The same goes for every Update…Input.
    """

    first_name: strawberry.Maybe[str | None] = field("Given name, at most 100 characters.", default=None)
    last_name: strawberry.Maybe[str | None] = field("Family name, at most 100 characters.", default=None)
    bio: strawberry.Maybe[str | None] = field("At most 1,000 characters.", default=None)
    profile_image_url: strawberry.Maybe[str | None] = field("Where the picture is.", default=None)


@input_type()
class CreateUserInput(RegisterInput):
    """An account for somebody."""

    role: Role = field("What they will be here to do.")


@input_type()
class SetUserRoleInput:
    """A new role for somebody."""

    user_id: strawberry.ID = field("Whose.")
    role: Role = field("What they will be here to do.")


@input_type()
class UserIdInput:
    """A person."""

    user_id: strawberry.ID = field("Whose.")


def sign_out_if_self(context: Context, key: int) -> None:
    """Who has just ended their own account does nothing more in this request."""
    if context.actor.key == key:
        context.switch_actor(ANONYMOUS)


@strawberry.type
class UserMutations:
    @mutation(IsSignedIn)
    async def update_profile(self, info: Info, input: UpdateProfileInput) -> UserPayload | None:
        """Change what others see of the viewer."""
        key = await info.context.write(users.update_profile, provided_fields(input))
        return await payload(info.context, UserPayload, user=(users_by_key, key))

    @mutation(has_permission("user:manage"))
    async def create_user(self, info: Info, input: CreateUserInput) -> UserPayload | None:
        """Make an account for somebody, for super admins. A mail asks them to confirm the address."""
        context, desk = info.context, auth_context(info.context)
        person = registration.validate_registration(
            input.email, input.username, input.first_name, input.last_name, input.password
        )
        with context.hashing.admit(context.client_ip):
            with context.hashing.queue_slot(context.client_ip):
                hashed = await context.hashing.hash(input.password)
            key = await context.write(registration.create_user, desk, person, hashed, input.role)
        return await payload(context, UserPayload, user=(users_by_key, key))

    @mutation(has_permission("user:manage"))
    async def set_user_role(self, info: Info, input: SetUserRoleInput) -> UserPayload | None:
        """Give somebody another role, for super admins. Ends all their sessions."""
        context = info.context
        key = await context.write(users.set_user_role, input.user_id, input.role)
        return await payload(context, UserPayload, user=(users_by_key, key))

    @mutation(has_permission("user:manage"))
    async def suspend_user(self, info: Info, input: UserIdInput) -> UserPayload | None:
        """Shut somebody out, for super admins. Ends all their sessions."""
        key = await info.context.write(users.suspend_user, input.user_id)
        suspended = await payload(info.context, UserPayload, user=(users_by_key, key))
        sign_out_if_self(info.context, key)
        return suspended

    @mutation(has_permission("user:manage"))
    async def activate_user(self, info: Info, input: UserIdInput) -> UserPayload | None:
        """Let somebody in again who was suspended, for super admins."""
        key = await info.context.write(users.activate_user, input.user_id)
        return await payload(info.context, UserPayload, user=(users_by_key, key))

    @mutation(IsSignedIn)
    async def delete_user(self, info: Info, input: UserIdInput) -> DeletePayload | None:
        """
        Empty an account of everything personal, for good: one's own, or anyone's for super admins. Courses, payments
        and certificates stay.
        """
        key = await info.context.write(users.delete_user, input.user_id)
        sign_out_if_self(info.context, key)
        return DeletePayload(deleted_id=input.user_id)
