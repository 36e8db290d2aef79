"""Users as rows, not entities, and only those that the viewer may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, SQLColumnExpression, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User, UserTerm, full_name
from lms_graphql.accounts.policies import users_visible_to
from lms_graphql.core.actor import AccessLevel, Actor, Role
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.search_terms import QueryTerms
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows
from lms_graphql.core.term_matches import has_all_terms


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
def _users_by_key(access_level: AccessLevel) -> RowSelect:
    return select(*COLUMNS).where(User.id.in_(KEYS), users_visible_to(access_level))


def users_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, UserRow]:
    rows = fetch_rows(session, _users_by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: UserRow._make(row) for row in rows}


@cache
def _users_by_username(access_level: AccessLevel) -> RowSelect:
    return select(*COLUMNS).where(User.username_key.in_(KEYS), users_visible_to(access_level))


def users_by_username(session: Session, actor: Actor, usernames: Sequence[str]) -> dict[str, UserRow]:
    """Return visible users by casefolded username."""
    rows = fetch_rows(session, _users_by_username(actor.access_level), {**actor.bind_params, "keys": usernames})
    return {row[1].casefold(): UserRow._make(row) for row in rows}


class UserOrder(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Conditions on users. None means no condition. All `terms` must match."""

    terms: QueryTerms | None = None
    role: Role | None = None
    is_active: bool | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@lru_cache(maxsize=64)
def users(conditions: UserFilter, order_by: UserOrder) -> ListQuery:
    """Return the users that match the conditions, for any actor: the field requires a super admin."""
    return ListQuery(select(*COLUMNS).where(*_clauses(conditions)), _to_row, _sort_order(order_by))


def _clauses(conditions: UserFilter) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if conditions.terms is not None:
        clauses.append(matches_terms(User.id, conditions.terms))
    if conditions.role is not None:
        clauses.append(User.role == conditions.role)
    if conditions.is_active is not None:
        clauses.append(User.is_active == conditions.is_active)
    if conditions.created_after is not None:
        clauses.append(User.created_at > conditions.created_after)
    if conditions.created_before is not None:
        clauses.append(User.created_at < conditions.created_before)
    return clauses


def matches_terms(
    user_key: SQLColumnExpression[int], terms: QueryTerms, *, names_only: bool = False
) -> ColumnElement[bool]:
    """Return the clause "all terms match the user with this key". Without terms no user matches.

    Only super admins may search in usernames and email addresses. For others, set `names_only`.
    """
    conditions = (UserTerm.is_name,) if names_only else ()
    return has_all_terms(user_key, UserTerm.term, UserTerm.user_id, terms, *conditions)


def _sort_order(order_by: UserOrder) -> SortOrder:
    created = SortKey(User.created_at, lambda row: row.created_at, datetime)
    name = SortKey(User.name_key, lambda row: row.name_key, str)
    primary = name if order_by is UserOrder.NAME else created
    key = SortKey(User.id, lambda row: row.key, int)
    return SortOrder(f"users:{order_by.value}", (primary, key), descending=order_by is UserOrder.NEWEST)


def _to_row(row: Any) -> UserRow:
    return UserRow._make(row)
