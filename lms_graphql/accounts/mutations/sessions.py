"""Mutations of sessions: registration, login, refresh and logout, also from other devices."""

import strawberry

from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.services import sessions
from lms_graphql.accounts.services.password_operations import PasswordOperations
from lms_graphql.accounts.services.registration import RegistrationData
from lms_graphql.accounts.services.sessions import AuthContext, IssuedSession
from lms_graphql.accounts.types import Session, SessionPayload
from lms_graphql.core.actor import ANONYMOUS
from lms_graphql.graph.context import Context, Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DonePayload, mutation
from lms_graphql.graph.schema.permissions import IsSignedIn


@input_type()
class RegisterInput:
    """A new account."""

    email: str = field("Email address, at most 254 characters. Unique.")
    username: str = field("Username: 3 to 30 letters (a–z), digits and _ . -; unique regardless of case.")
    password: str = field("Password: 10 to 256 characters, not a common password.")
    first_name: str = field("First name, at most 100 characters.")
    last_name: str = field("Last name, at most 100 characters.")


@input_type()
class LoginInput:
    """The credentials of an account."""

    email: str = field("Email address of the account.")
    password: str = field("Password of the account.")


@input_type()
class RefreshSessionInput:
    """The session to refresh."""

    refresh_token: str = field("The session's newest refresh token.")


@input_type()
class LogoutInput:
    """The session to end."""

    refresh_token: str = field("Any refresh token of the session, used or not.")


@input_type()
class EndSessionInput:
    """The session to end."""

    session_id: strawberry.ID = field("Id of one of the viewer's sessions.")


def auth_context(context: Context) -> AuthContext:
    return AuthContext(context.signer, context.settings, context.client_ip, context.user_agent)


def password_operations(context: Context) -> PasswordOperations:
    return PasswordOperations(auth_context(context), context.hashing, context.read_priority, context.write)


def registration_data(input: RegisterInput) -> RegistrationData:
    return RegistrationData(input.email, input.username, input.first_name, input.last_name)


async def session_payload(context: Context, session: IssuedSession) -> SessionPayload:
    """Return the payload, and make the session's user the actor for the rest of the request."""
    context.switch_actor(session.actor)
    user = await context.load_async(users_by_key, session.actor.key)
    return SessionPayload(
        session=Session(
            access_token=session.access_token,
            access_token_expires_at=session.access_token_expires_at,
            refresh_token=session.refresh_token,
            refresh_token_expires_at=session.refresh_token_expires_at,
            user=user,
        )
    )


@strawberry.type
class SessionMutations:
    @mutation()
    async def register(self, info: Info, input: RegisterInput) -> SessionPayload | None:
        """
        Create an account with the role LEARNER and log in. Everyone can do this; a bad access token is ignored. Sends
        a mail with a link that verifies the address.

        Returns ALREADY_EXISTS if the email address or the username is taken, and WEAK_PASSWORD for a password that is
        easy to guess. Returns RATE_LIMITED after too many attempts from one network.
        """
        session = await password_operations(info.context).register(registration_data(input), input.password)
        return await session_payload(info.context, session)

    @mutation()
    async def login(self, info: Info, input: LoginInput) -> SessionPayload | None:
        """Log in. Everyone can do this; a bad access token is ignored.

        Returns INVALID_CREDENTIALS for an unknown email address and for a wrong password. Returns ACCOUNT_SUSPENDED
        if the password is right but the account is suspended. Returns RATE_LIMITED after too many failures in the
        viewer's network or for the account; a password reset lifts the limits of the account.
        """
        session = await password_operations(info.context).login(input.email, input.password)
        return await session_payload(info.context, session)

    @mutation()
    async def refresh_session(self, info: Info, input: RefreshSessionInput) -> SessionPayload | None:
        """
        Exchange a refresh token for a new pair of tokens. Everyone who has the token can do this; a bad or expired
        access token is ignored. If the answer is lost, send the same token again within 10 seconds: it returns the
        same new refresh token.

        Returns INVALID_TOKEN if the token is unknown or has expired, or if its session has ended. Reuse after 10
        seconds, or after the new token was used, ends the session, because the token may have been stolen.
        """
        context = info.context
        return await session_payload(
            context, await context.write(sessions.refresh_session, auth_context(context), input.refresh_token)
        )

    @mutation()
    async def logout(self, info: Info, input: LogoutInput) -> DonePayload | None:
        """
        End the session of a refresh token. Everyone who has the token can do this; a bad access token is ignored. The
        access tokens of the session become invalid at once.

        Returns INVALID_TOKEN if the token is unknown.
        """
        context = info.context
        ok = await context.write(sessions.end_session_by_token, auth_context(context), input.refresh_token)
        context.switch_actor(ANONYMOUS)
        return DonePayload(ok=ok)

    @mutation(IsSignedIn)
    async def logout_everywhere(self, info: Info) -> DonePayload | None:
        """End all sessions of the viewer, including the current one. Only logged-in users can do this."""
        ok = await info.context.write(sessions.end_own_sessions, auth_context(info.context))
        info.context.switch_actor(ANONYMOUS)
        return DonePayload(ok=ok)

    @mutation(IsSignedIn)
    async def end_session(self, info: Info, input: EndSessionInput) -> DonePayload | None:
        """
        End one of the viewer's sessions, such as that of a lost device. Only logged-in users can do this. Its access
        tokens become invalid at once. It may be the current session. Ending a session again succeeds.

        Returns NOT_FOUND for an unknown session and for one of another user.
        """
        context = info.context
        key = await context.write(sessions.end_own_session, auth_context(context), input.session_id)
        if key == context.actor.session_key:
            context.switch_actor(ANONYMOUS)
        return DonePayload(ok=True)
