"""Reads of enrollments: by key, the viewer's by course, and lists of a user and of a course."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.accounts.reads.users import matches_terms
from lms_graphql.catalog.models import Course, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.catalog.policies import courses_visible_to
from lms_graphql.core import clock
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.search_terms import QueryTerms
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows
from lms_graphql.learning.enrollment_status import current_status, has_status
from lms_graphql.learning.policies import enrollments_visible_to


@with_global_id("Enrollment")
class EnrollmentRow(NamedTuple):
    """An enrollment. `status` is the status at the instant of the read.

    `progress_hundredths` serves orders. Clients read the percentage of `ProgressRow`, which is the same.
    """

    key: int
    user_key: int
    course_key: int
    status: EnrollmentStatus
    source: EnrollmentSource
    enrolled_at: datetime
    completed_at: datetime | None
    access_expires_at: datetime | None
    last_accessed_at: datetime | None
    progress_hundredths: int


class EnrollmentOrder(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    LAST_ACCESSED = "last_accessed"
    MOST_PROGRESS = "most_progress"
    LEAST_PROGRESS = "least_progress"


ENROLLMENT_COLUMNS = (
    Enrollment.id,
    Enrollment.user_id,
    Enrollment.course_id,
    current_status().label("status_now"),
    Enrollment.source,
    Enrollment.enrolled_at,
    Enrollment.completed_at,
    Enrollment.access_expires_at,
    Enrollment.last_accessed,
    Enrollment.progress_hundredths,
)
ENROLLMENTS = select(*ENROLLMENT_COLUMNS)
VIEWER_ENROLLMENTS = ENROLLMENTS.where(Enrollment.user_id == VIEWER, Enrollment.course_id.in_(KEYS))


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    is_visible = enrollments_visible_to(access_level)
    return ENROLLMENTS.join(Course, Course.id == Enrollment.course_id).where(Enrollment.id.in_(KEYS), is_visible)


def enrollments_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, EnrollmentRow]:
    params = {**actor.bind_params, "keys": keys, "now": clock.now()}
    rows = fetch_rows(session, _by_key(actor.access_level), params)
    return {row[0]: EnrollmentRow._make(row) for row in rows}


def viewer_enrollments_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, EnrollmentRow]:
    rows = fetch_rows(session, VIEWER_ENROLLMENTS, {**actor.bind_params, "keys": keys, "now": clock.now()})
    return {row[2]: EnrollmentRow._make(row) for row in rows}


@cache
def enrollments_of_user(
    access_level: AccessLevel, status: EnrollmentStatus | None, order_by: EnrollmentOrder
) -> ListQuery:
    """Return the query for a user's enrollments. The caller checks that the viewer may read them."""
    rows = ENROLLMENTS.join(Course, Course.id == Enrollment.course_id).where(courses_visible_to(access_level))
    sort_order = _sort_order("user.enrollments", order_by)
    return ListQuery(_with_status(rows, status), _to_row, sort_order, Enrollment.user_id)


@lru_cache(maxsize=64)
def enrollments_of_course(
    status: EnrollmentStatus | None, terms: QueryTerms | None, order_by: EnrollmentOrder
) -> ListQuery:
    """Return the query for a course's enrollments. The caller checks that the viewer is staff.

    All `terms` must match the learner's name; None finds everyone. Deleted users have no name.
    """
    rows = _with_status(ENROLLMENTS, status)
    if terms is not None:
        rows = rows.where(matches_terms(Enrollment.user_id, terms, names_only=True))
    return ListQuery(rows, _to_row, _sort_order("course.enrollments", order_by), Enrollment.course_id)


def _with_status(rows: RowSelect, status: EnrollmentStatus | None) -> RowSelect:
    return rows if status is None else rows.where(has_status(status))


def _sort_order(list_name: str, order_by: EnrollmentOrder) -> SortOrder:
    """Return the order of a list. `list_name` is part of its cursors."""
    enrolled_at = SortKey(Enrollment.enrolled_at, lambda row: row.enrolled_at, datetime)
    accessed_at = SortKey(Enrollment.last_accessed, lambda row: row.last_accessed_at, datetime, nullable=True)
    progress = SortKey(Enrollment.progress_hundredths, lambda row: row.progress_hundredths, int)
    primary = {
        EnrollmentOrder.LAST_ACCESSED: accessed_at,
        EnrollmentOrder.MOST_PROGRESS: progress,
        EnrollmentOrder.LEAST_PROGRESS: progress,
    }.get(order_by, enrolled_at)
    key = SortKey(Enrollment.id, lambda row: row.key, int)
    is_descending = order_by not in (EnrollmentOrder.OLDEST, EnrollmentOrder.LEAST_PROGRESS)
    return SortOrder(f"{list_name}:{order_by.value}", (primary, key), descending=is_descending)


def _to_row(row: Any) -> EnrollmentRow:
    return EnrollmentRow._make(row)
