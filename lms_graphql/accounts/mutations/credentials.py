"""Passwords and addresses."""

import strawberry

from lms_graphql.accounts.mutations.sessions import auth_context, session_payload
from lms_graphql.accounts.services import credentials
from lms_graphql.accounts.types import SessionPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DonePayload, mutation
from lms_graphql.graph.schema.permissions import IsSignedIn


@input_type()
class ChangePasswordInput:
    """A new password for the viewer."""

    current_password: str = field("The one that signs in now.")
    new_password: str = field("10 to 256 characters, not a common one.")


@input_type()
class RequestPasswordResetInput:
    """Who has forgotten the password."""

    email: str = field("The address of the account.")


@input_type()
class ResetPasswordInput:
    """A new password for who has the mail."""

    token: str = field("From the link in the mail.")
    new_password: str = field("10 to 256 characters, not a common one.")


@input_type()
class VerifyEmailInput:
    """Who has the mail has the address."""

    token: str = field("From the link in the mail.")


@strawberry.type
class CredentialMutations:
    @mutation(IsSignedIn)
    async def change_password(self, info: Info, input: ChangePasswordInput) -> SessionPayload | None:
        """Change one's password. Ends all sessions of the account and opens a new one here."""
        context, desk = info.context, auth_context(info.context)
        with context.hashing.admit(context.client_ip):
            known = await context.write(credentials.begin_password_change, desk, input.new_password)
            with context.hashing.queue_slot(context.client_ip):
                if not await context.hashing.verify(known.password_hash, input.current_password):
                    raise await context.write(credentials.record_wrong_password, desk)
                hashed = await context.hashing.hash(input.new_password)
            session = await context.write(credentials.change_password, desk, known, hashed)
        return await session_payload(context, session)

    @mutation()
    async def request_password_reset(self, info: Info, input: RequestPasswordResetInput) -> DonePayload | None:
        """Have a mail sent with a link to choose a new password. The answer is the same for any address."""
        context = info.context
        ok = await context.write(credentials.request_password_reset, auth_context(context), input.email)
        return DonePayload(ok=ok)

    @mutation()
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> DonePayload | None:
        """Choose a new password with the token of a mail. Ends all sessions of the account."""
        context, desk = info.context, auth_context(info.context)
        with context.hashing.admit(context.client_ip):
            await context.write(credentials.begin_password_reset, input.token, input.new_password)
            with context.hashing.queue_slot(context.client_ip):
                hashed = await context.hashing.hash(input.new_password)
            return DonePayload(ok=await context.write(credentials.reset_password, desk, input.token, hashed))

    @mutation(IsSignedIn)
    async def request_email_verification(self, info: Info) -> DonePayload | None:
        """Have the mail sent again that shows that one's address is one's own."""
        ok = await info.context.write(credentials.request_email_verification, auth_context(info.context))
        return DonePayload(ok=ok)

    @mutation()
    async def verify_email(self, info: Info, input: VerifyEmailInput) -> DonePayload | None:
        """Show with the token of a mail that the address is one's own."""
        ok = await info.context.write(credentials.verify_email, auth_context(info.context), input.token)
        return DonePayload(ok=ok)
