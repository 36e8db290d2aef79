"""Instructor applications, visible to the applicant and to super admins."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import ApplicationStatus, InstructorApplication
from lms_graphql.accounts.policies import applications_visible_to
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows


@with_global_id("InstructorApplication")
class ApplicationRow(NamedTuple):
    key: int
    applicant_key: int
    motivation: str
    experience: str
    status: ApplicationStatus
    review_note: str | None
    reviewer_key: int | None
    reviewed_at: datetime | None
    created_at: datetime


COLUMNS = (
    InstructorApplication.id,
    InstructorApplication.user_id,
    InstructorApplication.motivation,
    InstructorApplication.experience,
    InstructorApplication.status,
    InstructorApplication.review_note,
    InstructorApplication.reviewed_by_id,
    InstructorApplication.reviewed_at,
    InstructorApplication.created_at,
)
_NEWEST = SortOrder(
    "instructorApplications:newest",
    (
        SortKey(InstructorApplication.created_at, lambda row: row.created_at, datetime),
        SortKey(InstructorApplication.id, lambda row: row.key, int),
    ),
    descending=True,
)


@cache
def _visible(access_level: AccessLevel) -> RowSelect:
    return select(*COLUMNS).where(applications_visible_to(access_level))


def applications_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, ApplicationRow]:
    statement = _visible(actor.access_level).where(InstructorApplication.id.in_(KEYS))
    rows = fetch_rows(session, statement, {**actor.bind_params, "keys": keys})
    return {row[0]: ApplicationRow._make(row) for row in rows}


@cache
def applications(access_level: AccessLevel, status: ApplicationStatus | None) -> ListQuery:
    """Return the visible applications of this status (None: of any status), newest first."""
    statement = _visible(access_level)
    if status is not None:
        statement = statement.where(InstructorApplication.status == status)
    return ListQuery(statement, _to_row, _NEWEST)


def _to_row(row: Any) -> ApplicationRow:
    return ApplicationRow._make(row)
