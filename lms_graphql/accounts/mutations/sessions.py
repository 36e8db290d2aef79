"""Signing up, in and out."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import strawberry
from sqlalchemy.orm import Session as DatabaseSession

from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.services import login, registration, sessions
from lms_graphql.accounts.services.sessions import AuthContext, IssuedSession
from lms_graphql.accounts.types import Session, SessionPayload
from lms_graphql.core.actor import ANONYMOUS, Actor
from lms_graphql.core.errors import DomainError, DomainErrors
from lms_graphql.graph.context import Context, Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import DonePayload, mutation
from lms_graphql.graph.schema.permissions import IsSignedIn

P = ParamSpec("P")
T = TypeVar("T")


@input_type()
class RegisterInput:
    """A new account."""

    email: str = field("Where mail reaches the person.")
    username: str = field("3 to 30 letters, digits and _ . -, unique without case.")
    password: str = field("10 to 256 characters, not a common one.")
    first_name: str = field("Given name, at most 100 characters.")
    last_name: str = field("Family name, at most 100 characters.")


@input_type()
class LoginInput:
    """Who signs in."""

    email: str = field("The address of the account.")
    password: str = field("Its password.")


@input_type()
class RefreshSessionInput:
    """A session to carry on."""

    refresh_token: str = field("The last one that was handed out.")


@input_type()
class LogoutInput:
    """A session to end."""

    refresh_token: str = field("Any of the session's.")


def auth_context(context: Context) -> AuthContext:
    return AuthContext(context.signer, context.settings, context.client_ip)


async def session_payload(context: Context, session: IssuedSession) -> SessionPayload:
    """From here on the request is that person's."""
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


async def write_with_low_priority(
    context: Context,
    service: Callable[Concatenate[DatabaseSession, Actor, P], T | DomainError | DomainErrors],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """As `context.write`, for those who sign in: several at once would keep those who read waiting."""
    async with context.courtesy.writer():
        return await context.write(service, *args, **kwargs)


@strawberry.type
class SessionMutations:
    @mutation()
    async def register(self, info: Info, input: RegisterInput) -> SessionPayload | None:
        """Make an account, as a learner, and sign in. A mail asks to confirm the address."""
        context, desk = info.context, auth_context(info.context)
        person = registration.validate_registration(
            input.email, input.username, input.first_name, input.last_name, input.password
        )
        with context.hashing.admit(context.client_ip):
            throttle = await write_with_low_priority(context, registration.begin_registration, desk, person)
            with context.hashing.queue_slot(context.client_ip):
                hashed = await context.hashing.hash(input.password)
            session = await write_with_low_priority(context, registration.register, desk, person, hashed, throttle)
        return await session_payload(context, session)

    @mutation()
    async def login(self, info: Info, input: LoginInput) -> SessionPayload | None:
        """Sign in. Wrong addresses and wrong passwords answer alike."""
        context, desk = info.context, auth_context(info.context)
        better = None
        with context.hashing.admit(context.client_ip):
            trial = await write_with_low_priority(context, login.begin_login, desk, input.email)
            with context.hashing.queue_slot(context.client_ip):
                is_right = await context.hashing.verify(trial.password_hash, input.password)
                if is_right and context.hashing.needs_rehash(trial.password_hash or ""):
                    better = await context.hashing.hash(input.password)
            session = await write_with_low_priority(context, login.finish_login, desk, trial, is_right, better)
        return await session_payload(context, session)

    @mutation()
    async def refresh_session(self, info: Info, input: RefreshSessionInput) -> SessionPayload | None:
        """
        Carry a session on: a new pair of tokens for the refresh token, which is used up. Send no Authorization
        header.
        """
        context = info.context
        return await session_payload(
            context, await context.write(sessions.refresh_session, auth_context(context), input.refresh_token)
        )

    @mutation()
    async def logout(self, info: Info, input: LogoutInput) -> DonePayload | None:
        """End the session of this refresh token, at once for its access tokens, too."""
        context = info.context
        ok = await context.write(sessions.end_session_by_token, auth_context(context), input.refresh_token)
        context.switch_actor(ANONYMOUS)
        return DonePayload(ok=ok)

    @mutation(IsSignedIn)
    async def logout_everywhere(self, info: Info) -> DonePayload | None:
        """End all sessions of the viewer, this one included."""
        ok = await info.context.write(sessions.end_own_sessions, auth_context(info.context))
        info.context.switch_actor(ANONYMOUS)
        return DonePayload(ok=ok)
