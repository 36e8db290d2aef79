"""The current password, which changes of the password and of the email address require. It is verified in a pool."""

from typing import NamedTuple

from sqlalchemy import ColumnExpressionArgument
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, rate_limits
from lms_graphql.accounts.models import User
from lms_graphql.accounts.rate_limits import RateLimit
from lms_graphql.accounts.services.login import rate_limit_error
from lms_graphql.accounts.services.sessions import AuthContext
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode


class PasswordCheck(NamedTuple):
    """Inputs for verifying the current password: user, stored hash and key of the rate limit."""

    user_key: int
    password_hash: str | None
    limit_key: str

    @property
    def is_unchanged(self) -> tuple[ColumnExpressionArgument[bool], ...]:
        """Conditions on `User`: the hash that was verified is the stored one, and the account is active."""
        return (User.id == self.user_key, User.password_hash == self.password_hash, User.is_active)


def begin_password_check(session: Session, actor: Actor, auth: AuthContext) -> PasswordCheck | DomainError:
    """Count the attempt as failed until the current password is known to be right.

    All mutations that verify the current password share one limit, so that none of them gives further guesses. Return
    RATE_LIMITED at the limit.
    """
    assert actor.key is not None
    user = session.get_one(User, actor.key)
    key = auth.signer.digest("password change", str(actor.key))
    limit = RateLimit(key, auth.settings.login_failures_per_account, auth.settings.login_window_minutes)
    if not rate_limits.consume(session, limit):
        return rate_limit_error(auth)
    return PasswordCheck(actor.key, user.password_hash, key)


def record_wrong_password(session: Session, actor: Actor, auth: AuthContext, action: str) -> DomainError:
    """Record the failed attempt as this audit action, and return INVALID_CREDENTIALS."""
    audit.record(session, action, actor=actor.key, subject=actor.key, client_ip=auth.client_ip)
    message = "This is not your current password. Try again, or reset the password."
    return DomainError(ErrorCode.INVALID_CREDENTIALS, message, ("current_password",))
