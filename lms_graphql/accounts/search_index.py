"""Search index of users: words of their names, and for super admins of their usernames and email addresses too."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User, UserTerm
from lms_graphql.core import term_index
from lms_graphql.core.search_terms import index_terms
from lms_graphql.core.statements import execute_dml

TERMS = term_index.TermTable(UserTerm.term, UserTerm.user_id, UserTerm.is_name)
USERS = select(User.id, User.first_name, User.last_name, User.username, User.email, User.deleted_at)


def user_terms(first_name: str, last_name: str, username: str, email: str | None) -> dict[str, bool]:
    """Return the sorted search terms of a user. The value of each is whether it is a word of the name."""
    names = {*index_terms(first_name), *index_terms(last_name)}
    others = {*index_terms(username), *index_terms(email or "")}
    return {term: term in names for term in sorted(names | others)}


def index_user(session: Session, user: User) -> None:
    """Replace the user's terms. Call it in the transaction that changes a name or the email address."""
    _replace_terms(session, user.id, _expected_terms(user))


def remove_user(session: Session, user_key: int) -> None:
    execute_dml(session, delete(UserTerm).where(UserTerm.user_id == user_key))


def find_term_drift(session: Session) -> list[str]:
    """Return a line with the number of users whose terms are wrong, or an empty list."""
    user_count = sum(1 for _ in _drifts(session))
    return [f"user_terms: wrong for {user_count} users"] if user_count else []


def repair_terms(session: Session) -> list[str]:
    """Correct the terms of all users. Return a line with their number, or an empty list."""
    keys = [drift.owner_key for drift in _drifts(session)]
    for key in keys:
        # The lock reads the newest row, so that no terms come back of an account that is being deleted.
        user = session.execute(USERS.where(User.id == key).with_for_update()).one()
        _replace_terms(session, key, _expected_terms(user))
    return [f"user_terms: {len(keys)} users repaired"] if keys else []


def _expected_terms(user: Any) -> dict[str, bool]:
    """Return the terms of a user: an entity or a row of `USERS`. Deleted users have none."""
    if user.deleted_at is not None:
        return {}
    return user_terms(user.first_name, user.last_name, user.username, user.email)


def _replace_terms(session: Session, user_key: int, terms: dict[str, bool]) -> None:
    remove_user(session, user_key)
    if rows := [{"term": term, "user_id": user_key, "is_name": is_name} for term, is_name in terms.items()]:
        session.execute(insert(UserTerm), rows)


def _drifts(session: Session) -> Iterator[term_index.TermDrift]:
    return term_index.find_drift(session, TERMS, USERS, lambda user: set(_expected_terms(user).items()))
