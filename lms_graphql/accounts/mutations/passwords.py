"""Passwords and addresses."""

import strawberry

from lms_graphql.accounts.mutations.sessions import desk_of, opened
from lms_graphql.accounts.service import recovering
from lms_graphql.accounts.types import SessionPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.describing import described, input_type
from lms_graphql.graph.mutations import DonePayload, mutation
from lms_graphql.graph.permissions import IsSignedIn


@input_type()
class ChangePasswordInput:
    """A new password for the viewer."""

    current_password: str = described("The one that signs in now.")
    new_password: str = described("10 to 256 characters, not a common one.")


@input_type()
class RequestPasswordResetInput:
    """Who has forgotten the password."""

    email: str = described("The address of the account.")


@input_type()
class ResetPasswordInput:
    """A new password for who has the mail."""

    token: str = described("From the link in the mail.")
    new_password: str = described("10 to 256 characters, not a common one.")


@input_type()
class VerifyEmailInput:
    """Who has the mail has the address."""

    token: str = described("From the link in the mail.")


@strawberry.type
class PasswordMutations:
    @mutation(IsSignedIn)
    async def change_password(self, info: Info, input: ChangePasswordInput) -> SessionPayload | None:
        """Change one's password. Ends all sessions of the account and opens a new one here."""
        context, desk = info.context, desk_of(info.context)
        with context.hashing.room(context.origin):
            known = await context.write(recovering.begin_password_change, desk, input.new_password)
            with context.hashing.place(context.origin):
                if not await context.hashing.matches(known.password_hash, input.current_password):
                    raise await context.write(recovering.wrong_password, desk)
                hashed = await context.hashing.hash(input.new_password)
            session = await context.write(recovering.change_password, desk, known, hashed)
        return await opened(context, session)

    @mutation()
    async def request_password_reset(self, info: Info, input: RequestPasswordResetInput) -> DonePayload | None:
        """Have a mail sent with a link to choose a new password. The answer is the same for any address."""
        context = info.context
        ok = await context.write(recovering.request_password_reset, desk_of(context), input.email)
        return DonePayload(ok=ok)

    @mutation()
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> DonePayload | None:
        """Choose a new password with the token of a mail. Ends all sessions of the account."""
        context, desk = info.context, desk_of(info.context)
        with context.hashing.room(context.origin):
            await context.write(recovering.begin_password_reset, input.token, input.new_password)
            with context.hashing.place(context.origin):
                hashed = await context.hashing.hash(input.new_password)
            return DonePayload(ok=await context.write(recovering.reset_password, desk, input.token, hashed))

    @mutation(IsSignedIn)
    async def request_email_verification(self, info: Info) -> DonePayload | None:
        """Have the mail sent again that shows that one's address is one's own."""
        ok = await info.context.write(recovering.request_email_verification, desk_of(info.context))
        return DonePayload(ok=ok)

    @mutation()
    async def verify_email(self, info: Info, input: VerifyEmailInput) -> DonePayload | None:
        """Show with the token of a mail that the address is one's own."""
        ok = await info.context.write(recovering.verify_email, desk_of(info.context), input.token)
        return DonePayload(ok=ok)
