"""People in lists, for who looks after them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, false, select

from lms_graphql.accounts.models import User, UserTerm
from lms_graphql.accounts.reads.users import COLUMNS, UserRow
from lms_graphql.core.actor import Role
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.search_terms import MAX_CHARACTER


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
