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
from lms_graphql.core.actor import VIEWER, Actor, Scope
from lms_graphql.core.ids import identified
from lms_graphql.core.listing import Listing
from lms_graphql.core.paging import Order, Term
from lms_graphql.core.statements import KEYS, Rows, fetch
from lms_graphql.learning.policies import enrollments_visible_to
from lms_graphql.learning.statuses import reads_as, status_now


@identified("Enrollment")
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
    status_now().label("status_now"),
    Enrollment.source,
    Enrollment.enrolled_at,
    Enrollment.completed_at,
    Enrollment.access_expires_at,
    Enrollment.last_accessed,
)
ENROLLMENTS = select(*ENROLLMENT_COLUMNS)
MINE = ENROLLMENTS.where(Enrollment.user_id == VIEWER, Enrollment.course_id.in_(KEYS))


@cache
def _by_id(scope: Scope) -> Rows:
    seen = enrollments_visible_to(scope)
    return ENROLLMENTS.join(Course, Course.id == Enrollment.course_id).where(Enrollment.id.in_(KEYS), seen)


def enrollments_by_id(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, EnrollmentRow]:
    rows = fetch(session, _by_id(actor.scope), {**actor.binds, "keys": keys, "now": clock.now()})
    return {row[0]: EnrollmentRow._make(row) for row in rows}


def viewer_enrollments_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, EnrollmentRow]:
    rows = fetch(session, MINE, {**actor.binds, "keys": keys, "now": clock.now()})
    return {row[2]: EnrollmentRow._make(row) for row in rows}


@cache
def enrollments_of_user(scope: Scope, status: EnrollmentStatus | None) -> Listing:
    """Someone's, the newest first: for the person and super admins."""
    rows = ENROLLMENTS.join(Course, Course.id == Enrollment.course_id).where(visible_to(scope))
    return _listing("user.enrollments", rows, Enrollment.user_id, status)


@cache
def enrollments_of_course(status: EnrollmentStatus | None) -> Listing:
    """All in a course, the newest first: for its staff."""
    return _listing("course.enrollments", ENROLLMENTS, Enrollment.course_id, status)


def _listing(name: str, rows: Rows, parent: SQLColumnExpression[int], status: EnrollmentStatus | None) -> Listing:
    if status is not None:
        rows = rows.where(reads_as(status))
    enrolled = Term(Enrollment.enrolled_at, lambda row: row.enrolled_at, datetime)
    key = Term(Enrollment.id, lambda row: row.key, int)
    return Listing(rows, _make, Order(f"{name}:newest", (enrolled, key), descending=True), parent)


def _make(row: Any) -> EnrollmentRow:
    return EnrollmentRow._make(row)
