"""Signing up, in and out."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import strawberry
from sqlalchemy.orm import Session as DatabaseSession

from lms_graphql.accounts.reads.users import users_by_id
from lms_graphql.accounts.service import registering, sessions, signing_in
from lms_graphql.accounts.service.sessions import Desk, Opened
from lms_graphql.accounts.types import Session, SessionPayload
from lms_graphql.core.actor import ANONYMOUS, Actor
from lms_graphql.core.errors import Refusal, Refusals
from lms_graphql.graph.context import Context, Info
from lms_graphql.graph.describing import described, input_type
from lms_graphql.graph.mutations import DonePayload, mutation
from lms_graphql.graph.permissions import IsSignedIn

P = ParamSpec("P")
T = TypeVar("T")


@input_type()
class RegisterInput:
    """A new account."""

    email: str = described("Where mail reaches the person.")
    username: str = described("3 to 30 letters, digits and _ . -, unique without case.")
    password: str = described("10 to 256 characters, not a common one.")
    first_name: str = described("Given name, at most 100 characters.")
    last_name: str = described("Family name, at most 100 characters.")


@input_type()
class LoginInput:
    """Who signs in."""

    email: str = described("The address of the account.")
    password: str = described("Its password.")


@input_type()
class RefreshSessionInput:
    """A session to carry on."""

    refresh_token: str = described("The last one that was handed out.")


@input_type()
class LogoutInput:
    """A session to end."""

    refresh_token: str = described("Any of the session's.")


def desk_of(context: Context) -> Desk:
    return Desk(context.signer, context.settings, context.origin)


async def opened(context: Context, session: Opened) -> SessionPayload:
    """From here on the request is that person's."""
    context.become(session.actor)
    user = await context.fetch(users_by_id, session.actor.id)
    return SessionPayload(
        session=Session(
            access_token=session.access_token,
            access_token_expires_at=session.access_token_expires_at,
            refresh_token=session.refresh_token,
            refresh_token_expires_at=session.refresh_token_expires_at,
            user=user,
        )
    )


async def in_turn(
    context: Context,
    service: Callable[Concatenate[DatabaseSession, Actor, P], T | Refusal | Refusals],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """As `context.write`, for those who sign in: several at once would keep those who read waiting."""
    async with context.courtesy.turn():
        return await context.write(service, *args, **kwargs)


@strawberry.type
class SessionMutations:
    @mutation()
    async def register(self, info: Info, input: RegisterInput) -> SessionPayload | None:
        """Make an account, as a learner, and sign in. A mail asks to confirm the address."""
        context, desk = info.context, desk_of(info.context)
        person = registering.checked(input.email, input.username, input.first_name, input.last_name, input.password)
        with context.hashing.room(context.origin):
            throttle = await in_turn(context, registering.begin_registration, desk, person)
            with context.hashing.place(context.origin):
                hashed = await context.hashing.hash(input.password)
            session = await in_turn(context, registering.register, desk, person, hashed, throttle)
        return await opened(context, session)

    @mutation()
    async def login(self, info: Info, input: LoginInput) -> SessionPayload | None:
        """Sign in. Wrong addresses and wrong passwords answer alike."""
        context, desk = info.context, desk_of(info.context)
        better = None
        with context.hashing.room(context.origin):
            trial = await in_turn(context, signing_in.begin_sign_in, desk, input.email)
            with context.hashing.place(context.origin):
                is_right = await context.hashing.matches(trial.password_hash, input.password)
                if is_right and context.hashing.is_old(trial.password_hash or ""):
                    better = await context.hashing.hash(input.password)
            session = await in_turn(context, signing_in.finish_sign_in, desk, trial, is_right, better)
        return await opened(context, session)

    @mutation()
    async def refresh_session(self, info: Info, input: RefreshSessionInput) -> SessionPayload | None:
        """
        Carry a session on: a new pair of tokens for the refresh token, which is used up. Send no Authorization
        header.
        """
        context = info.context
        return await opened(
            context, await context.write(sessions.refresh_session, desk_of(context), input.refresh_token)
        )

    @mutation()
    async def logout(self, info: Info, input: LogoutInput) -> DonePayload | None:
        """End the session of this refresh token, at once for its access tokens, too."""
        context = info.context
        ok = await context.write(sessions.end_session_of, desk_of(context), input.refresh_token)
        context.become(ANONYMOUS)
        return DonePayload(ok=ok)

    @mutation(IsSignedIn)
    async def logout_everywhere(self, info: Info) -> DonePayload | None:
        """End all sessions of the viewer, this one included."""
        ok = await info.context.write(sessions.end_own_sessions, desk_of(info.context))
        info.context.become(ANONYMOUS)
        return DonePayload(ok=ok)
