"""Seed data of every installation: five categories, and a user for each role."""

import secrets
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.accounts import search_index
from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Category
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
    """Added categories and users. `password` is that of the new users and is not stored; None without new users."""

    categories: list[str]
    users: list[str]
    password: str | None


def seed(session: Session, password: str | None = None) -> SeedResult:
    """Add the missing seed data. Without a password, generate one."""
    slugs = set(session.scalars(select(Category.slug)))
    categories = [name for name in CATEGORIES if slugify(name) not in slugs]
    for name in categories:
        session.add(Category(name=name, slug=slugify(name), description=CATEGORIES[name]))
    emails = set(session.scalars(select(User.email_key)))
    missing = [user for user in USERS if user.email not in emails]
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
