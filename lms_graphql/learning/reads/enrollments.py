"""Enrollments: one by one, the viewer's own, and in the lists of a person and of a course."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import SQLColumnExpression, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.catalog.policies import visible_to
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
    """`status` is what it was at the instant of the read."""

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
MINE = ENROLLMENTS.where(Enrollment.user_id == VIEWER, Enrollment.course_id.in_(KEYS))


@cache
def _by_id(scope: AccessLevel) -> RowSelect:
    seen = enrollments_visible_to(scope)
    return ENROLLMENTS.join(Course, Course.id == Enrollment.course_id).where(Enrollment.id.in_(KEYS), seen)


def enrollments_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, EnrollmentRow]:
    rows = fetch_rows(session, _by_id(actor.access_level), {**actor.bind_params, "keys": keys, "now": clock.now()})
    return {row[0]: EnrollmentRow._make(row) for row in rows}


def viewer_enrollments_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, EnrollmentRow]:
    rows = fetch_rows(session, MINE, {**actor.bind_params, "keys": keys, "now": clock.now()})
    return {row[2]: EnrollmentRow._make(row) for row in rows}


@cache
def enrollments_of_user(scope: AccessLevel, status: EnrollmentStatus | None) -> ListQuery:
    """Someone's, the newest first: for the person and super admins."""
    rows = ENROLLMENTS.join(Course, Course.id == Enrollment.course_id).where(visible_to(scope))
    return _listing("user.enrollments", rows, Enrollment.user_id, status)


@cache
def enrollments_of_course(status: EnrollmentStatus | None) -> ListQuery:
    """All in a course, the newest first: for its staff."""
    return _listing("course.enrollments", ENROLLMENTS, Enrollment.course_id, status)


def _listing(
    name: str, rows: RowSelect, parent: SQLColumnExpression[int], status: EnrollmentStatus | None
) -> ListQuery:
    if status is not None:
        rows = rows.where(has_status(status))
    enrolled = SortKey(Enrollment.enrolled_at, lambda row: row.enrolled_at, datetime)
    key = SortKey(Enrollment.id, lambda row: row.key, int)
    return ListQuery(rows, _make, SortOrder(f"{name}:newest", (enrolled, key), descending=True), parent)


def _make(row: Any) -> EnrollmentRow:
    return EnrollmentRow._make(row)
