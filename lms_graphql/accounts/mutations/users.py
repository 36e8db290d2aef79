"""Mutations of user accounts: profiles, and administration by super admins."""

import strawberry

from lms_graphql.accounts.mutations.sessions import RegisterInput, password_operations, registration_data
from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.services import users
from lms_graphql.accounts.types import UserPayload, has_permission
from lms_graphql.core.actor import ANONYMOUS, Role
from lms_graphql.graph.context import Context, Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DeletePayload, mutation, payload, provided_fields
from lms_graphql.graph.schema.permissions import IsSignedIn


@input_type()
class UpdateProfileInput:
    """
    Fields to change. An omitted field keeps its value, and null clears an optional one. The same holds for every
    Update…Input.
    """

    username: strawberry.Maybe[str | None] = field(
        "Username: 3 to 30 letters (a–z), digits and _ . -; unique regardless of case. It can be changed once in 30 "
        "days by default.",
        default=None,
    )
    first_name: strawberry.Maybe[str | None] = field("First name, at most 100 characters.", default=None)
    last_name: strawberry.Maybe[str | None] = field("Last name, at most 100 characters.", default=None)
    bio: strawberry.Maybe[str | None] = field("Biography, at most 1,000 characters.", default=None)
    profile_image_url: strawberry.Maybe[str | None] = field(
        "URL of the profile image, at most 2,000 characters.", default=None
    )


@input_type()
class CreateUserInput(RegisterInput):
    """An account that a super admin creates."""

    role: Role = field("Role of the user.")


@input_type()
class SetUserRoleInput:
    """The new role of a user."""

    user_id: strawberry.ID = field("Id of the user.")
    role: Role = field("New role.")


@input_type()
class UserIdInput:
    """The user to act on."""

    user_id: strawberry.ID = field("Id of the user.")


def sign_out_if_self(context: Context, key: int) -> None:
    """Make the rest of the request anonymous if the actor has just ended their own account."""
    if context.actor.key == key:
        context.switch_actor(ANONYMOUS)


@strawberry.type
class UserMutations:
    @mutation(IsSignedIn)
    async def update_profile(self, info: Info, input: UpdateProfileInput) -> UserPayload | None:
        """
        Change the viewer's profile. Only logged-in users can do this.

        Returns ALREADY_EXISTS if the username is taken. Returns RATE_LIMITED if it was changed too recently, with the
        number of days between two changes as `limit`.
        """
        key = await info.context.write(users.update_profile, provided_fields(input))
        return await payload(info.context, UserPayload, user=(users_by_key, key))

    @mutation(has_permission("user:manage"))
    async def create_user(self, info: Info, input: CreateUserInput) -> UserPayload | None:
        """
        Create an account for another person. Only super admins can do this. Sends a mail with a link that verifies
        the address.

        Returns ALREADY_EXISTS if the email address or the username is taken, and WEAK_PASSWORD for a password that is
        easy to guess.
        """
        operations = password_operations(info.context)
        key = await operations.create_user(registration_data(input), input.password, input.role)
        return await payload(info.context, UserPayload, user=(users_by_key, key))

    @mutation(has_permission("user:manage"))
    async def set_user_role(self, info: Info, input: SetUserRoleInput) -> UserPayload | None:
        """
        Change the role of another user. Only super admins can do this. For one's own role the error is FORBIDDEN. A
        changed role ends all sessions of the user.

        Returns INVALID_TRANSITION for a deleted user and for the last active super admin.
        """
        context = info.context
        key = await context.write(users.set_user_role, input.user_id, input.role)
        return await payload(context, UserPayload, user=(users_by_key, key))

    @mutation(has_permission("user:manage"))
    async def suspend_user(self, info: Info, input: UserIdInput) -> UserPayload | None:
        """Suspend a user and end all their sessions. Only super admins can do this.

        Returns INVALID_TRANSITION for a deleted user and for the last active super admin.
        """
        key = await info.context.write(users.suspend_user, input.user_id)
        suspended = await payload(info.context, UserPayload, user=(users_by_key, key))
        sign_out_if_self(info.context, key)
        return suspended

    @mutation(has_permission("user:manage"))
    async def activate_user(self, info: Info, input: UserIdInput) -> UserPayload | None:
        """Activate a suspended user. Only super admins can do this.

        Returns INVALID_TRANSITION for a deleted user.
        """
        key = await info.context.write(users.activate_user, input.user_id)
        return await payload(info.context, UserPayload, user=(users_by_key, key))

    @mutation(IsSignedIn)
    async def delete_user(self, info: Info, input: UserIdInput) -> DeletePayload | None:
        """
        Erase all personal data of an account for good. Only the user and super admins can do this. Courses,
        transactions and certificates stay.

        Returns INVALID_TRANSITION for the last active super admin.
        """
        key = await info.context.write(users.delete_user, input.user_id)
        sign_out_if_self(info.context, key)
        return DeletePayload(deleted_id=input.user_id)
