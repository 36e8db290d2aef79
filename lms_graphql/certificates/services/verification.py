"""Strangers who hold a code, and those who only guess."""

from sqlalchemy.orm import Session

from lms_graphql.accounts import rate_limits
from lms_graphql.accounts.services.login import client_rate_limit
from lms_graphql.accounts.services.sessions import AuthContext
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import RequestError, RequestErrorCode


def count_failed_verification(session: Session, _actor: Actor, desk: AuthContext) -> None:
    """
    Counts a code that nobody has. RequestError where this address has guessed too often. A right code is never
    counted and never refused: somebody else's guesses from the same office take nothing from who holds one, and no
    number of guesses finds one in 89 random bits.
    """
    if not rate_limits.consume(session, client_rate_limit(desk, "verification")):
        message = f"Too many codes that do not exist. Wait {desk.settings.login_window_minutes} minutes."
        raise RequestError(RequestErrorCode.RATE_LIMITED, message)
