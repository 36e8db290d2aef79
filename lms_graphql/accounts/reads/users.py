"""People as they are read: rows, not entities, and only those that the viewer may see."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User, full_name
from lms_graphql.accounts.policies import visible_to
from lms_graphql.core.actor import AccessLevel, Actor, Role
from lms_graphql.core.global_ids import with_global_id
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


def users_by_id(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, UserRow]:
    rows = fetch_rows(session, _by_id(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: UserRow._make(row) for row in rows}
