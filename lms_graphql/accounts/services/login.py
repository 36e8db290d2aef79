"""Signing in, in two transactions around the check of the password, which takes long and holds no connection."""

from typing import NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, email_addresses, rate_limits
from lms_graphql.accounts.models import User
from lms_graphql.accounts.rate_limits import RateLimit
from lms_graphql.accounts.services.sessions import AuthContext, IssuedSession, create_session
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import NOW, execute_dml, fetch_rows


class LoginAttempt(NamedTuple):
    """Somebody says they are somebody. No `user_key` where there is no such account: that shows nowhere."""

    account: str
    address: str
    user_key: int | None
    password_hash: str | None


def account_rate_limit(desk: AuthContext, email: str) -> RateLimit:
    """By what was typed, whether there is such an account or not. A digest, so that nobody's address is kept."""
    key = desk.signer.digest("sign-in account", email_addresses.normalize_email(email))
    return RateLimit(key, desk.settings.login_failures_per_account, desk.settings.login_window_minutes)


def client_rate_limit(desk: AuthContext, what: str = "sign-in") -> RateLimit:
    key = desk.signer.digest(f"{what} address", desk.client_ip)
    return RateLimit(key, desk.settings.login_failures_per_address, desk.settings.login_window_minutes)


def rate_limited(desk: AuthContext) -> DomainError:
    message = f"Too many tries. Wait {desk.settings.login_window_minutes} minutes, or reset the password."
    return DomainError(ErrorCode.RATE_LIMITED, message)


_KNOWN = select(User.id, User.password_hash).where(User.email_key == bindparam("email"))
_SIGNED_IN = (
    update(User)
    .where(User.id == bindparam("of"), User.password_hash == bindparam("right"))
    .where(User.deleted_at.is_(None), User.is_active)
    .values(last_login=NOW, password_hash=bindparam("better"))
)
_ROLE = select(User.role).where(User.id == bindparam("of"))


def begin_login(session: Session, _actor: Actor, desk: AuthContext, email: str) -> LoginAttempt | DomainError:
    """
    Counts the try as failed, until it is known to be right. The account first and the address last, here and at the
    end: whoever shares an address waits for its row, and two who take their rows crosswise wait for ever.
    """
    account, address = account_rate_limit(desk, email), client_rate_limit(desk)
    if not rate_limits.consume(session, account):
        return rate_limited(desk)
    if not rate_limits.consume(session, address):
        rate_limits.refund(session, account.key)
        return rate_limited(desk)
    known = fetch_rows(session, _KNOWN, {"email": email_addresses.normalize_email(email)})
    user_key, password_hash = known[0] if known else (None, None)
    return LoginAttempt(account.key, address.key, user_key, password_hash)


def finish_login(
    session: Session,
    _actor: Actor,
    desk: AuthContext,
    trial: LoginAttempt,
    is_right: bool,
    better_hash: str | None = None,
) -> IssuedSession | DomainError:
    """`better_hash`: of the same password, where the one that is kept is of an older kind."""
    if not is_right or trial.user_key is None:
        return _failed(session, desk, trial)
    # By the hash that was checked: where the password has changed since, or the account has ended, nobody is let in.
    binds = {"of": trial.user_key, "right": trial.password_hash, "better": better_hash or trial.password_hash}
    if not execute_dml(session, _SIGNED_IN, {**binds, "now": clock.now()}):
        return _suspended(session, desk, trial) or _failed(session, desk, trial)
    ((role,),) = fetch_rows(session, _ROLE, {"of": trial.user_key})
    audit.record(session, "account.signed_in", actor=trial.user_key, subject=trial.user_key, client_ip=desk.client_ip)
    opened = create_session(session, desk, trial.user_key, role)
    _give_back(session, trial)
    return opened


def _give_back(session: Session, trial: LoginAttempt) -> None:
    rate_limits.refund(session, trial.account)
    rate_limits.refund(session, trial.address)


def _suspended(session: Session, desk: AuthContext, trial: LoginAttempt) -> DomainError | None:
    """Only who knows the password is told."""
    user = session.get_one(User, trial.user_key)
    if user.is_active or user.deleted_at is not None or user.password_hash != trial.password_hash:
        return None
    _give_back(session, trial)
    audit.record(session, "account.sign_in_while_suspended", subject=user.id, client_ip=desk.client_ip)
    return DomainError(
        ErrorCode.ACCOUNT_SUSPENDED, "This account is suspended. Ask whoever looks after the platform."
    )


def _failed(session: Session, desk: AuthContext, trial: LoginAttempt) -> DomainError:
    audit.record(session, "account.sign_in_failed", subject=trial.user_key, client_ip=desk.client_ip)
    return DomainError(ErrorCode.INVALID_CREDENTIALS, "The address or the password is not right.")
