"""Reads of enrollments: by key, the viewer's by course, and lists of a user and of a course."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import SQLColumnExpression, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.catalog.policies import courses_visible_to
from lms_graphql.core import clock
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows
from lms_graphql.learning.enrollment_status import current_status, has_status
from lms_graphql.learning.policies import enrollments_visible_to


@with_global_id("Enrollment")
class EnrollmentRow(NamedTuple):
    """An enrollment. `status` is the status at the instant of the read."""

    key: int
    user_key: int
    course_key: int
    status: EnrollmentStatus
    source: EnrollmentSource
    enrolled_at: datetime
    completed_at: datetime | None
    access_expires_at: datetime | None
    last_accessed_at: datetime | None


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
def enrollments_of_user(access_level: AccessLevel, status: EnrollmentStatus | None) -> ListQuery:
    """Return the query for a user's enrollments, newest first. The caller checks that the viewer may read them."""
    rows = ENROLLMENTS.join(Course, Course.id == Enrollment.course_id).where(courses_visible_to(access_level))
    return _list_query("user.enrollments", rows, Enrollment.user_id, status)


@cache
def enrollments_of_course(status: EnrollmentStatus | None) -> ListQuery:
    """Return the query for a course's enrollments, newest first. The caller checks that the viewer is staff."""
    return _list_query("course.enrollments", ENROLLMENTS, Enrollment.course_id, status)


def _list_query(
    name: str, rows: RowSelect, parent: SQLColumnExpression[int], status: EnrollmentStatus | None
) -> ListQuery:
    if status is not None:
        rows = rows.where(has_status(status))
    enrolled_at = SortKey(Enrollment.enrolled_at, lambda row: row.enrolled_at, datetime)
    key = SortKey(Enrollment.id, lambda row: row.key, int)
    return ListQuery(rows, _to_row, SortOrder(f"{name}:newest", (enrolled_at, key), descending=True), parent)


def _to_row(row: Any) -> EnrollmentRow:
    return EnrollmentRow._make(row)
