"""People as they are read: rows, not entities, and only those that the viewer may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User, UserTerm, full_name
from lms_graphql.accounts.policies import visible_to
from lms_graphql.core.actor import AccessLevel, Actor, Role
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.search_terms import MAX_CHARACTER
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows


@with_global_id("User")
class UserRow(NamedTuple):
    key: int
    username: str
    first_name: str
    last_name: str
    role: Role
    bio: str | None
    profile_image_url: str | None
    created_at: datetime
    email: str | None
    is_active: bool
    is_email_verified: bool
    last_login_at: datetime | None
    deleted_at: datetime | None
    name_key: str

    @property
    def full_name(self) -> str:
        return full_name(self.first_name, self.last_name, self.deleted_at)


COLUMNS = (
    User.id,
    User.username,
    User.first_name,
    User.last_name,
    User.role,
    User.bio,
    User.profile_image,
    User.created_at,
    User.email,
    User.is_active,
    User.is_verified,
    User.last_login,
    User.deleted_at,
    User.name_key,
)


@cache
def _by_id(scope: AccessLevel) -> RowSelect:
    return select(*COLUMNS).where(User.id.in_(KEYS), visible_to(scope))


def users_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, UserRow]:
    rows = fetch_rows(session, _by_id(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: UserRow._make(row) for row in rows}


class UserOrder(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class UserFilter:
    """What a person must be; None asks nothing. `words`: all of them, the last one as a prefix."""

    words: tuple[str, ...] | None = None
    role: Role | None = None
    is_active: bool | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@lru_cache(maxsize=64)
def users(asked: UserFilter, order_by: UserOrder) -> ListQuery:
    return ListQuery(select(*COLUMNS).where(*_clauses(asked)), _make, _order(order_by))


def _clauses(asked: UserFilter) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if asked.words == ():
        clauses.append(false())  # signs alone are in no name
    elif asked.words is not None:
        *whole, prefix = asked.words
        clauses += [User.id.in_(select(UserTerm.user_id).where(UserTerm.term == word)) for word in whole]
        begins = (UserTerm.term >= prefix, UserTerm.term < prefix + MAX_CHARACTER)
        clauses.append(User.id.in_(select(UserTerm.user_id).where(*begins)))
    if asked.role is not None:
        clauses.append(User.role == asked.role)
    if asked.is_active is not None:
        clauses.append(User.is_active == asked.is_active)
    if asked.created_after is not None:
        clauses.append(User.created_at > asked.created_after)
    if asked.created_before is not None:
        clauses.append(User.created_at < asked.created_before)
    return clauses


def _order(order_by: UserOrder) -> SortOrder:
    created = SortKey(User.created_at, lambda row: row.created_at, datetime)
    name = SortKey(User.name_key, lambda row: row.name_key, str)
    terms = (name,) if order_by is UserOrder.NAME else (created,)
    key = SortKey(User.id, lambda row: row.key, int)
    return SortOrder(f"users:{order_by.value}", (*terms, key), descending=order_by is UserOrder.NEWEST)


def _make(row: Any) -> UserRow:
    return UserRow._make(row)
