"""Strangers who hold a code, and those who only guess."""

from sqlalchemy.orm import Session

from lms_graphql.accounts import throttling
from lms_graphql.accounts.service.sessions import Desk
from lms_graphql.accounts.service.signing_in import address_limit
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import RequestError, RequestFault


def note_miss(session: Session, _actor: Actor, desk: Desk) -> None:
    """
    Counts a code that nobody has. RequestError where this address has guessed too often. A right code is never
    counted and never refused: somebody else's guesses from the same office take nothing from who holds one, and no
    number of guesses finds one in 89 random bits.
    """
    if not throttling.count(session, address_limit(desk, "verification")):
        message = f"Too many codes that do not exist. Wait {desk.settings.login_window_minutes} minutes."
        raise RequestError(RequestFault.RATE_LIMITED, message)
