"""Search index of users: words of their names, username and email address, for super admins."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User, UserTerm
from lms_graphql.core.search_terms import index_terms
from lms_graphql.core.statements import execute_dml

BATCH_SIZE = 500
"""The number of users whose terms are compared at a time."""
USERS = select(User.id, User.first_name, User.last_name, User.username, User.email, User.deleted_at)


def user_terms(*texts: str | None) -> list[str]:
    """Return the sorted search terms of these texts, without duplicates."""
    return sorted({term for text in texts for term in index_terms(text or "")})


def index_user(session: Session, user: User) -> None:
    """Replace the user's terms. Call it in the transaction that changes a name or the email address."""
    _replace_terms(session, user.id, _expected_terms(user))


def remove_user(session: Session, user_key: int) -> None:
    execute_dml(session, delete(UserTerm).where(UserTerm.user_id == user_key))


def find_term_drift(session: Session) -> list[str]:
    """Return a line with the number of users whose terms are wrong, or an empty list."""
    user_count = len(list(_drifted_users(session)))
    return [f"user_terms: wrong for {user_count} users"] if user_count else []


def repair_terms(session: Session) -> list[str]:
    """Correct the terms of all users. Return a line with their number, or an empty list."""
    keys = list(_drifted_users(session))
    for key in keys:
        # The lock reads the newest row, so that no terms come back of an account that is being deleted.
        user = session.execute(USERS.where(User.id == key).with_for_update()).one()
        _replace_terms(session, key, _expected_terms(user))
    return [f"user_terms: {len(keys)} users repaired"] if keys else []


def _expected_terms(user: Any) -> list[str]:
    """Return the terms of a user: an entity or a row of `USERS`. Deleted users have none."""
    if user.deleted_at is not None:
        return []
    return user_terms(user.first_name, user.last_name, user.username, user.email)


def _replace_terms(session: Session, user_key: int, terms: list[str]) -> None:
    remove_user(session, user_key)
    if rows := [{"term": term, "user_id": user_key} for term in terms]:
        session.execute(insert(UserTerm), rows)


def _drifted_users(session: Session) -> Iterator[int]:
    """Yield the keys of the users whose stored terms differ from those of their names and email address."""
    last_key = 0
    while rows := session.execute(USERS.where(User.id > last_key).order_by(User.id).limit(BATCH_SIZE)).all():
        last_key = rows[-1].id
        stored: dict[int, list[str]] = {}
        in_batch = UserTerm.user_id.between(rows[0].id, last_key)
        for term, user_key in session.execute(select(UserTerm.term, UserTerm.user_id).where(in_batch)):
            stored.setdefault(user_key, []).append(term)
        for row in rows:
            if sorted(stored.get(row.id, [])) != _expected_terms(row):
                yield row.id
