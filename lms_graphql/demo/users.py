"""Demo instructors and learners. They have no passwords, so that logging in as one of them is impossible."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from lms_graphql.accounts.email_addresses import normalize_email
from lms_graphql.accounts.models import User, UserTerm
from lms_graphql.accounts.search_index import user_terms
from lms_graphql.core.actor import Role
from lms_graphql.core.text import slugify, sort_key
from lms_graphql.demo import media, resources
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import START

EMAIL_DOMAIN = "example.org"


class Name(NamedTuple):
    first: str
    last: str
    username: str


def add_instructors(rows: RowBuffer, existing_keys: Mapping[str, int], taken: set[str]) -> dict[str, int]:
    """
    Add the instructors of the pool and return their user keys by pool key. Entries with an email are users of
    `db init`, whose keys are in `existing_keys`.
    """
    keys = {}
    for number, (pool_key, text) in enumerate(resources.read("pools/instructors").items()):
        if "email" in text:
            keys[pool_key] = existing_keys[text["email"]]
            continue
        name = Name(text["first_name"], text["last_name"], unique_name(text["username"], taken, ""))
        registered_at = START - timedelta(days=50) + timedelta(days=number)
        keys[pool_key] = add_user(rows, name, Role.INSTRUCTOR, registered_at, bio=text["bio"])
    return keys


def add_user(rows: RowBuffer, name: Name, role: Role, registered_at: datetime, bio: str | None = None) -> int:
    email = f"{name.username}@{EMAIL_DOMAIN}"
    key = rows.next_key(User)
    rows.add(
        User,
        id=key,
        created_at=registered_at,
        updated_at=registered_at,
        email=email,
        email_key=normalize_email(email),
        username=name.username,
        username_key=name.username.casefold(),
        first_name=name.first,
        last_name=name.last,
        name_key=sort_key(f"{name.first} {name.last}"),
        password_hash=None,
        role=role,
        is_active=True,
        is_verified=True,
        bio=bio,
        profile_image=media.profile_picture(name.username),
    )
    for term, is_name in user_terms(name.first, name.last, name.username, email).items():
        rows.add(UserTerm, term=term, user_id=key, is_name=is_name)
    return key


def learner_name(rng: Random, taken: set[str]) -> Name:
    """Return a random name whose parts fit together, with an unused username."""
    pool = resources.read("pools/names")
    names = rng.choice(pool["peoples"])
    first, last = rng.choice(names["given"]), rng.choice(names["family"])
    spelled = pool["spelled"]
    preferred = ".".join(slugify(spelled.get(part, part)) for part in (first, last))[:24].rstrip(".-")
    return Name(first, last, unique_name(preferred, taken, ""))


def unique_name(preferred: str, taken: set[str], separator: str) -> str:
    """Return `preferred`, with the separator and a number if it is taken. Add the result to `taken`."""
    name, number = preferred, 1
    while name in taken:
        number += 1
        name = f"{preferred}{separator}{number}"
    taken.add(name)
    return name
