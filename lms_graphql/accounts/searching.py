"""The words by which super admins find a person: of the names and the address."""

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User, UserTerm
from lms_graphql.core.statements import changed
from lms_graphql.core.words import terms_of


def terms(*texts: str | None) -> list[str]:
    return sorted({term for text in texts for term in terms_of(text or "")})


def index(session: Session, user: User) -> None:
    """To be called in the transaction that changes a name or the address."""
    forget(session, user.id)
    found = terms(user.first_name, user.last_name, user.username, user.email)
    if rows := [{"term": term, "user_id": user.id} for term in found]:
        session.execute(insert(UserTerm), rows)


def forget(session: Session, user_key: int) -> None:
    changed(session, delete(UserTerm).where(UserTerm.user_id == user_key))
