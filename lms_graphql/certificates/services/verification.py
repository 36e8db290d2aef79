"""Rate limit of failed verifications."""

from sqlalchemy.orm import Session

from lms_graphql.accounts import rate_limits
from lms_graphql.accounts.services.login import client_rate_limit
from lms_graphql.accounts.services.sessions import AuthContext
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import RequestError, RequestErrorCode


def count_failed_verification(session: Session, _actor: Actor, auth: AuthContext) -> None:
    """Count an unknown code for the client's network.

    Raise RATE_LIMITED if the client has sent too many. Existing codes are neither counted nor limited: guesses by
    others in the same network must not affect a holder, and no number of guesses finds one of 89 random bits.
    """
    if not rate_limits.consume(session, client_rate_limit(auth, "verification")):
        message = f"Too many unknown codes. Try again in {auth.settings.login_window_minutes} minutes."
        raise RequestError(RequestErrorCode.RATE_LIMITED, message)
