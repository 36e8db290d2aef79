"""Reads of invitations: by key, and as a list of a course."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course
from lms_graphql.core import clock
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows
from lms_graphql.learning.invitation_models import Invitation, InvitationStatus
from lms_graphql.learning.invitation_status import current_status, has_status
from lms_graphql.learning.policies import invitations_visible_to


@with_global_id("Invitation")
class InvitationRow(NamedTuple):
    """An invitation. `status` is the status at the instant of the read."""

    key: int
    course_key: int
    email: str
    status: InvitationStatus
    access_expires_at: datetime | None
    created_at: datetime
    expires_at: datetime
    enrollment_key: int | None


INVITATIONS = select(
    Invitation.id,
    Invitation.course_id,
    Invitation.email,
    current_status().label("status_now"),
    Invitation.access_expires_at,
    Invitation.created_at,
    Invitation.expires_at,
    Invitation.enrollment_id,
)


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    is_visible = invitations_visible_to(access_level)
    return INVITATIONS.join(Course, Course.id == Invitation.course_id).where(Invitation.id.in_(KEYS), is_visible)


def invitations_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, InvitationRow]:
    params = {**actor.bind_params, "keys": keys, "now": clock.now()}
    rows = fetch_rows(session, _by_key(actor.access_level), params)
    return {row[0]: InvitationRow._make(row) for row in rows}


@cache
def invitations_of_course(status: InvitationStatus | None) -> ListQuery:
    """Return the query for a course's invitations, newest first. The caller checks that the viewer is staff."""
    rows = INVITATIONS if status is None else INVITATIONS.where(has_status(status))
    created_at = SortKey(Invitation.created_at, lambda row: row.created_at, datetime)
    key = SortKey(Invitation.id, lambda row: row.key, int)
    sort_order = SortOrder("course.invitations:newest", (created_at, key), descending=True)
    return ListQuery(rows, _to_row, sort_order, Invitation.course_id)


def _to_row(row: Any) -> InvitationRow:
    return InvitationRow._make(row)
