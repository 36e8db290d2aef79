"""Login in two transactions. Between them the password is verified, which is slow and needs no connection."""

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
    """A login whose password is not verified yet.

    `user_key` and `password_hash` are null if there is no account. The attempt goes on like any other, so that
    neither the answer nor its time shows it.
    """

    limit_keys: tuple[str, ...]
    """Keys of the rate limits that count this attempt, in lock order."""
    user_key: int | None
    password_hash: str | None


def account_rate_limits(auth: AuthContext, email: str) -> tuple[RateLimit, RateLimit]:
    """Return the limits of logins with this email: from the client's network, and from all networks.

    The second one is higher, so that wrong passwords from one network do not keep the user from logging in elsewhere.
    Emails without an account have the same limits. The keys are digests, so that no email address is stored.
    """
    settings, normal_email = auth.settings, email_addresses.normalize_email(email)
    network = rate_limits.client_network(auth.client_ip)
    key_in_network = auth.signer.digest("sign-in account and network", normal_email, network)
    key = auth.signer.digest("sign-in account", normal_email)
    return (
        RateLimit(key_in_network, settings.login_failures_per_account, settings.login_window_minutes),
        RateLimit(key, settings.login_failures_per_account_total, settings.login_window_minutes),
    )


def client_rate_limit(auth: AuthContext, action: str = "sign-in") -> RateLimit:
    """Return the limit of this action for the client's network."""
    key = auth.signer.digest(f"{action} address", rate_limits.client_network(auth.client_ip))
    return RateLimit(key, auth.settings.login_failures_per_address, auth.settings.login_window_minutes)


def rate_limit_error(auth: AuthContext) -> DomainError:
    message = f"Too many attempts. Try again in {auth.settings.login_window_minutes} minutes."
    return DomainError(ErrorCode.RATE_LIMITED, message)


_SELECT_ACCOUNT = select(User.id, User.password_hash).where(User.email_key == bindparam("email"))
_RECORD_LOGIN = (
    update(User)
    .where(User.id == bindparam("user_key"), User.password_hash == bindparam("verified_hash"))
    .where(User.deleted_at.is_(None), User.is_active)
    .values(last_login=NOW, password_hash=bindparam("new_hash"))
)
_SELECT_ROLE = select(User.role).where(User.id == bindparam("user_key"))


def begin_login(session: Session, _actor: Actor, auth: AuthContext, email: str) -> LoginAttempt:
    """Count the attempt as failed until the password is known to be right.

    Raise RATE_LIMITED at any limit, so that the other limits do not count the attempt.

    The counters of the account are updated before the one of the network, here and in `finish_login`. All logins from
    a network wait for its row, and two transactions that lock the rows in opposite order would deadlock.
    """
    limits = (*account_rate_limits(auth, email), client_rate_limit(auth))
    for limit in limits:
        if not rate_limits.consume(session, limit):
            raise rate_limit_error(auth)
    accounts = fetch_rows(session, _SELECT_ACCOUNT, {"email": email_addresses.normalize_email(email)})
    user_key, password_hash = accounts[0] if accounts else (None, None)
    return LoginAttempt(tuple(limit.key for limit in limits), user_key, password_hash)


def finish_login(
    session: Session,
    _actor: Actor,
    auth: AuthContext,
    attempt: LoginAttempt,
    is_correct: bool,
    new_hash: str | None = None,
) -> IssuedSession | DomainError:
    """Return a new session, or INVALID_CREDENTIALS, or ACCOUNT_SUSPENDED.

    `new_hash` is a new hash of the same password, if the stored one is of an older kind.
    """
    if not is_correct or attempt.user_key is None:
        return _record_failure(session, auth, attempt)
    # The hash that was verified is a condition. So the login fails if the password has changed since, or the account
    # was suspended or deleted.
    binds = {"user_key": attempt.user_key, "verified_hash": attempt.password_hash}
    binds["new_hash"] = new_hash or attempt.password_hash
    if not execute_dml(session, _RECORD_LOGIN, {**binds, "now": clock.now()}):
        return _suspension_error(session, auth, attempt) or _record_failure(session, auth, attempt)
    ((role,),) = fetch_rows(session, _SELECT_ROLE, {"user_key": attempt.user_key})
    user = attempt.user_key
    audit.record(session, "account.signed_in", actor=user, subject=user, client_ip=auth.client_ip)
    issued = create_session(session, auth, user, role)
    _refund(session, attempt)
    return issued


def _refund(session: Session, attempt: LoginAttempt) -> None:
    for key in attempt.limit_keys:
        rate_limits.refund(session, key)


def _suspension_error(session: Session, auth: AuthContext, attempt: LoginAttempt) -> DomainError | None:
    """Return ACCOUNT_SUSPENDED if the account is suspended and the verified hash is still the stored one.

    The suspension is disclosed only to clients that know the password.
    """
    user = session.get_one(User, attempt.user_key)
    if user.is_active or user.deleted_at is not None or user.password_hash != attempt.password_hash:
        return None
    _refund(session, attempt)
    audit.record(session, "account.sign_in_while_suspended", subject=user.id, client_ip=auth.client_ip)
    return DomainError(ErrorCode.ACCOUNT_SUSPENDED, "This account is suspended. Ask a super admin to activate it.")


def _record_failure(session: Session, auth: AuthContext, attempt: LoginAttempt) -> DomainError:
    audit.record(session, "account.sign_in_failed", subject=attempt.user_key, client_ip=auth.client_ip)
    message = "The email address or the password is wrong. Check both and try again."
    return DomainError(ErrorCode.INVALID_CREDENTIALS, message)
