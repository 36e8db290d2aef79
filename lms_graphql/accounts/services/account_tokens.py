"""Mailed single-use tokens of accounts. Each serves one purpose."""

from datetime import timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AccountToken, TokenPurpose
from lms_graphql.core import clock
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.signing import new_token, token_hash
from lms_graphql.core.statements import execute_dml

LIFETIMES = {TokenPurpose.VERIFY_EMAIL: timedelta(hours=24), TokenPurpose.RESET_PASSWORD: timedelta(hours=1)}


def make_token(session: Session, user_key: int, purpose: TokenPurpose) -> str:
    """Return a new single-use token for a mail, and store its hash."""
    token = new_token()
    expires_at = clock.now() + LIFETIMES[purpose]
    session.add(AccountToken(user_id=user_key, purpose=purpose, token_hash=token_hash(token), expires_at=expires_at))
    return token


def invalidate_tokens(session: Session, user_key: int, *purposes: TokenPurpose) -> None:
    """Mark the user's unused tokens of these purposes as used."""
    is_unused = (AccountToken.user_id == user_key, AccountToken.purpose.in_(purposes), AccountToken.used_at.is_(None))
    execute_dml(session, update(AccountToken).where(*is_unused).values(used_at=clock.now()))


def use_token(session: Session, token: str, purpose: TokenPurpose) -> int | None:
    """Use up the token and return its user's key; None if it is not valid. One of several concurrent uses passes."""
    if not execute_dml(session, update(AccountToken).where(*valid_token(token, purpose)).values(used_at=clock.now())):
        return None
    return session.scalar(select(AccountToken.user_id).where(AccountToken.token_hash == token_hash(token)))


def valid_token(token: str, purpose: TokenPurpose) -> tuple[ColumnElement[bool], ...]:
    return (
        AccountToken.token_hash == token_hash(token),
        AccountToken.purpose == purpose,
        AccountToken.used_at.is_(None),
        AccountToken.expires_at > clock.now(),
    )


def invalid_token() -> DomainError:
    message = "This link was used already, has expired or is incomplete. Request a new one."
    return DomainError(ErrorCode.INVALID_TOKEN, message, ("token",))
