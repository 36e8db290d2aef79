"""Who teaches and who learns. None of them has a password, so that nobody can sign in as one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from lms_graphql.accounts.email_addresses import normalize_email
from lms_graphql.accounts.models import User, UserTerm
from lms_graphql.accounts.search_index import user_terms
from lms_graphql.core.actor import Role
from lms_graphql.core.text import slugify, sort_key
from lms_graphql.demo import resources
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import FIRST

MAIL = "example.org"


class Name(NamedTuple):
    first: str
    last: str
    username: str


def place_instructors(rows: RowBuffer, existing: Mapping[str, int], taken: set[str]) -> dict[str, int]:
    """Their keys by the name that courses call them by. Those with an address are users of `db init`."""
    ids = {}
    for number, (key, text) in enumerate(resources.read("pools/instructors").items()):
        if "email" in text:
            ids[key] = existing[text["email"]]
            continue
        name = Name(text["first_name"], text["last_name"], free_name(text["username"], taken, ""))
        came_at = FIRST - timedelta(days=50) + timedelta(days=number)
        ids[key] = place_person(rows, name, Role.INSTRUCTOR, came_at, bio=text["bio"])
    return ids


def place_person(rows: RowBuffer, name: Name, role: Role, came_at: datetime, bio: str | None = None) -> int:
    email = f"{name.username}@{MAIL}"
    key = rows.key(User)
    rows.add(
        User,
        id=key,
        created_at=came_at,
        updated_at=came_at,
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
    )
    for term in user_terms(name.first, name.last, name.username, email):
        rows.add(UserTerm, term=term, user_id=key)
    return key


def learner_name(rng: Random, taken: set[str]) -> Name:
    """A name that goes together, with a username that nobody has yet."""
    pool = resources.read("pools/names")
    people = rng.choice(pool["peoples"])
    first, last = rng.choice(people["given"]), rng.choice(people["family"])
    spelled = pool["spelled"]
    wished = ".".join(slugify(spelled.get(part, part)) for part in (first, last))[:24].rstrip(".-")
    return Name(first, last, free_name(wished, taken, ""))


def free_name(wished: str, taken: set[str], joint: str) -> str:
    """As wished, or else with a number after the joint. It is taken from now on."""
    name, number = wished, 1
    while name in taken:
        number += 1
        name = f"{wished}{joint}{number}"
    taken.add(name)
    return name
