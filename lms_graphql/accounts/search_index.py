"""Search index of users: words of their names, username and email address, for super admins."""

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User, UserTerm
from lms_graphql.core.search_terms import index_terms
from lms_graphql.core.statements import execute_dml


def user_terms(*texts: str | None) -> list[str]:
    """Return the sorted search terms of these texts, without duplicates."""
    return sorted({term for text in texts for term in index_terms(text or "")})


def index_user(session: Session, user: User) -> None:
    """Replace the user's terms. Call it in the transaction that changes a name or the email address."""
    remove_user(session, user.id)
    terms = user_terms(user.first_name, user.last_name, user.username, user.email)
    if rows := [{"term": term, "user_id": user.id} for term in terms]:
        session.execute(insert(UserTerm), rows)


def remove_user(session: Session, user_key: int) -> None:
    execute_dml(session, delete(UserTerm).where(UserTerm.user_id == user_key))
