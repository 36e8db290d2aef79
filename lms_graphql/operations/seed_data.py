"""Seed data of every installation: five categories, and a user for each role."""

import secrets
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, search_index
from lms_graphql.accounts.models import User
from lms_graphql.accounts.services.email_changes import cancel_email_change
from lms_graphql.accounts.services.sessions import end_all_sessions
from lms_graphql.catalog.models import Category
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.core.password_hashing import hash_password
from lms_graphql.core.text import slugify

CATEGORIES = {
    "Programming": "Languages, tools and the craft of software.",
    "Data Science": "Statistics, machine learning and what to do with data.",
    "Design": "How things look, and how they are used.",
    "Business": "Founding, leading and running an enterprise.",
    "Marketing": "Being found, being understood, being chosen.",
}


class SeedUser(NamedTuple):
    email: str
    username: str
    first_name: str
    last_name: str
    role: Role


USERS = (
    SeedUser("admin@learnwithroko.com", "admin", "Ada", "Admin", Role.SUPER_ADMIN),
    SeedUser("instructor@learnwithroko.com", "instructor", "John", "Instructor", Role.INSTRUCTOR),
    SeedUser("learner@learnwithroko.com", "learner", "Jane", "Learner", Role.LEARNER),
)


class SeedResult(NamedTuple):
    """Added categories and users. `password` is that of the users and is not stored; None without users."""

    categories: list[str]
    users: list[str]
    password: str | None


def seed(session: Session, password: str | None = None) -> SeedResult:
    """Add the missing seed data. Without a password, generate one."""
    slugs = set(session.scalars(select(Category.slug)))
    categories = [name for name in CATEGORIES if slugify(name) not in slugs]
    for name in categories:
        session.add(Category(name=name, slug=slugify(name), description=CATEGORIES[name]))
    emails, usernames = set(session.scalars(select(User.email_key))), set(session.scalars(select(User.username_key)))
    # A seed user who has changed only the email address or only the username is still there.
    missing = [user for user in USERS if user.email not in emails and user.username not in usernames]
    if not missing:
        return SeedResult(categories, [], None)
    password = password or secrets.token_urlsafe(12)
    password_hash = hash_password(password)
    for seed_user in missing:
        user = User(**seed_user._asdict(), password_hash=password_hash, is_active=True, is_verified=True)
        session.add(user)
        session.flush()
        search_index.index_user(session, user)
    return SeedResult(categories, [user.email for user in missing], password)


def renew_passwords(session: Session, result: SeedResult, password: str | None = None) -> SeedResult:
    """Give all seed users one new password, end their sessions, and add them to the result.

    Without a password, generate one.
    """
    statement = (
        select(User.id, User.email).where(User.email_key.in_([user.email for user in USERS])).order_by(User.id)
    )
    users = session.execute(statement).all()
    password = password or secrets.token_urlsafe(12)
    keys = [user.id for user in users]
    values = {"password_hash": hash_password(password), "updated_at": clock.now()}
    session.execute(update(User).where(User.id.in_(keys)).values(values))
    for key in keys:
        audit.record(session, "account.password_reset", subject=key)
    for key in keys:
        end_all_sessions(session, key)
        cancel_email_change(session, key)
    return SeedResult(result.categories, [user.email or "" for user in users], password)
