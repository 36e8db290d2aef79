"""Mutations of passwords and email addresses."""

import strawberry

from lms_graphql.accounts.mutations.sessions import auth_context, password_operations, session_payload
from lms_graphql.accounts.services import credentials, email_changes
from lms_graphql.accounts.types import SessionPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DonePayload, mutation
from lms_graphql.graph.schema.permissions import IsSignedIn


@input_type()
class ChangePasswordInput:
    """The viewer's current and new password."""

    current_password: str = field("Current password.")
    new_password: str = field("New password: 10 to 256 characters, not a common password.")


@input_type()
class RequestPasswordResetInput:
    """The account whose password was forgotten."""

    email: str = field("Email address of the account.")


@input_type()
class ResetPasswordInput:
    """A new password, with the token that was mailed."""

    token: str = field("Token from the link in the mail, valid once and for one hour.")
    new_password: str = field("New password: 10 to 256 characters, not a common password.")


@input_type()
class VerifyEmailInput:
    """The token that was mailed to an email address."""

    token: str = field("Token from the link in the mail, valid once and for 24 hours.")


@input_type()
class RequestEmailChangeInput:
    """The viewer's new email address."""

    new_email: str = field("New email address, at most 254 characters.")
    current_password: str = field("Current password.")


@input_type()
class ConfirmEmailChangeInput:
    """The token that was mailed to the new email address."""

    token: str = field("Token from the link in the mail, valid once and for 24 hours.")


@strawberry.type
class CredentialMutations:
    @mutation(IsSignedIn)
    async def change_password(self, info: Info, input: ChangePasswordInput) -> SessionPayload | None:
        """
        Change the viewer's password. Only logged-in users can do this. Ends all sessions of the account and returns a
        new one.

        Returns INVALID_CREDENTIALS if the current password is wrong, WEAK_PASSWORD for a new password that is easy to
        guess, and RATE_LIMITED after too many failures.
        """
        operations = password_operations(info.context)
        session = await operations.change_password(input.current_password, input.new_password)
        return await session_payload(info.context, session)

    @mutation()
    async def request_password_reset(self, info: Info, input: RequestPasswordResetInput) -> DonePayload | None:
        """
        Send a mail with a link for choosing a new password. Everyone can do this; a bad access token is ignored. The
        answer is the same whether the address has an account or not.

        Returns RATE_LIMITED after too many requests from one network.
        """
        context = info.context
        ok = await context.write(credentials.request_password_reset, auth_context(context), input.email)
        return DonePayload(ok=ok)

    @mutation()
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> DonePayload | None:
        """
        Set a new password with the token of a mail. Everyone who has the token can do this; a bad access token is
        ignored. Ends all sessions of the account.

        Returns INVALID_TOKEN if the token is unknown, was used or has expired, and WEAK_PASSWORD for a password that
        is easy to guess. If the answer is lost, the same token and password succeed again within 10 seconds.
        """
        return DonePayload(ok=await password_operations(info.context).reset_password(input.token, input.new_password))

    @mutation(IsSignedIn)
    async def request_email_verification(self, info: Info) -> DonePayload | None:
        """
        Send the mail with the verification link again. Only logged-in users can do this. Sends nothing if the
        viewer's address is verified.

        Returns RATE_LIMITED after too many mails.
        """
        ok = await info.context.write(credentials.request_email_verification, auth_context(info.context))
        return DonePayload(ok=ok)

    @mutation()
    async def verify_email(self, info: Info, input: VerifyEmailInput) -> DonePayload | None:
        """
        Verify an email address with the token of a mail. Everyone who has the token can do this; a bad access token
        is ignored.

        Returns INVALID_TOKEN if the token is unknown, was used or has expired.
        """
        ok = await info.context.write(credentials.verify_email, auth_context(info.context), input.token)
        return DonePayload(ok=ok)

    @mutation(IsSignedIn)
    async def request_email_change(self, info: Info, input: RequestEmailChangeInput) -> DonePayload | None:
        """
        Mail a link to a new email address, and a notice to the current one. Only logged-in users can do this. The
        address changes with `confirmEmailChange`. A request replaces the former one. One for the current address only
        cancels it, and so do a new password, suspension and deletion.

        The answer is the same whether the new address is taken or not. A taken one gets no mail. Returns
        INVALID_CREDENTIALS if the current password is wrong, and RATE_LIMITED after too many failures or requests.
        """
        operations = password_operations(info.context)
        return DonePayload(ok=await operations.request_email_change(input.new_email, input.current_password))

    @mutation()
    async def confirm_email_change(self, info: Info, input: ConfirmEmailChangeInput) -> DonePayload | None:
        """
        Change an email address with the token of a mail. Everyone who has the token can do this; a bad access token
        is ignored. The new address counts as verified, and links that were mailed to the former one become invalid.

        All other sessions of the account end. The session of the access token stays if it belongs to the account. If
        it does not, the one that requested the change stays.

        Returns INVALID_TOKEN if the token is unknown, was used or has expired. The same holds if the request was
        replaced or cancelled, or if another account has the address.
        """
        context = info.context
        return DonePayload(
            ok=await context.write(email_changes.confirm_email_change, auth_context(context), input.token)
        )
