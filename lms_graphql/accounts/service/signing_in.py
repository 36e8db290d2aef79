"""Signing in, in two transactions around the check of the password, which takes long and holds no connection."""

from typing import NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import addresses, audit, throttling
from lms_graphql.accounts.models import User
from lms_graphql.accounts.service.sessions import Desk, Opened, open_session
from lms_graphql.accounts.throttling import Allowed
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import ErrorCode, Refusal
from lms_graphql.core.statements import NOW, changed, fetch


class Trial(NamedTuple):
    """Somebody says they are somebody. No `user_key` where there is no such account: that shows nowhere."""

    account: str
    address: str
    user_key: int | None
    password_hash: str | None


def account_limit(desk: Desk, email: str) -> Allowed:
    """By what was typed, whether there is such an account or not. A digest, so that nobody's address is kept."""
    key = desk.signer.digest("sign-in account", addresses.key_of(email))
    return Allowed(key, desk.settings.login_failures_per_account, desk.settings.login_window_minutes)


def address_limit(desk: Desk, what: str = "sign-in") -> Allowed:
    key = desk.signer.digest(f"{what} address", desk.origin)
    return Allowed(key, desk.settings.login_failures_per_address, desk.settings.login_window_minutes)


def too_often(desk: Desk) -> Refusal:
    message = f"Too many tries. Wait {desk.settings.login_window_minutes} minutes, or reset the password."
    return Refusal(ErrorCode.RATE_LIMITED, message)


_KNOWN = select(User.id, User.password_hash).where(User.email_key == bindparam("email"))
_SIGNED_IN = (
    update(User)
    .where(User.id == bindparam("of"), User.password_hash == bindparam("right"))
    .where(User.deleted_at.is_(None), User.is_active)
    .values(last_login=NOW, password_hash=bindparam("better"))
)
_ROLE = select(User.role).where(User.id == bindparam("of"))


def begin_sign_in(session: Session, _actor: Actor, desk: Desk, email: str) -> Trial | Refusal:
    """
    Counts the try as failed, until it is known to be right. The account first and the address last, here and at the
    end: whoever shares an address waits for its row, and two who take their rows crosswise wait for ever.
    """
    account, address = account_limit(desk, email), address_limit(desk)
    if not throttling.count(session, account):
        return too_often(desk)
    if not throttling.count(session, address):
        throttling.give_back(session, account.key)
        return too_often(desk)
    known = fetch(session, _KNOWN, {"email": addresses.key_of(email)})
    user_key, password_hash = known[0] if known else (None, None)
    return Trial(account.key, address.key, user_key, password_hash)


def finish_sign_in(
    session: Session, _actor: Actor, desk: Desk, trial: Trial, is_right: bool, better_hash: str | None = None
) -> Opened | Refusal:
    """`better_hash`: of the same password, where the one that is kept is of an older kind."""
    if not is_right or trial.user_key is None:
        return _failed(session, desk, trial)
    # By the hash that was checked: where the password has changed since, or the account has ended, nobody is let in.
    binds = {"of": trial.user_key, "right": trial.password_hash, "better": better_hash or trial.password_hash}
    if not changed(session, _SIGNED_IN, {**binds, "now": clock.now()}):
        return _suspended(session, desk, trial) or _failed(session, desk, trial)
    ((role,),) = fetch(session, _ROLE, {"of": trial.user_key})
    audit.record(session, "account.signed_in", actor=trial.user_key, subject=trial.user_key, origin=desk.origin)
    opened = open_session(session, desk, trial.user_key, role)
    _give_back(session, trial)
    return opened


def _give_back(session: Session, trial: Trial) -> None:
    throttling.give_back(session, trial.account)
    throttling.give_back(session, trial.address)


def _suspended(session: Session, desk: Desk, trial: Trial) -> Refusal | None:
    """Only who knows the password is told."""
    user = session.get_one(User, trial.user_key)
    if user.is_active or user.deleted_at is not None or user.password_hash != trial.password_hash:
        return None
    _give_back(session, trial)
    audit.record(session, "account.sign_in_while_suspended", subject=user.id, origin=desk.origin)
    return Refusal(ErrorCode.ACCOUNT_SUSPENDED, "This account is suspended. Ask whoever looks after the platform.")


def _failed(session: Session, desk: Desk, trial: Trial) -> Refusal:
    audit.record(session, "account.sign_in_failed", subject=trial.user_key, origin=desk.origin)
    return Refusal(ErrorCode.INVALID_CREDENTIALS, "The address or the password is not right.")
