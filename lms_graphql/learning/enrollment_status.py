"""Status of an enrollment: expired access reads as EXPIRED at once, whatever status is stored."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, or_

from lms_graphql.catalog.models import Enrollment, EnrollmentStatus
from lms_graphql.core.statements import NOW

ACCESS_STATUSES = (EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED)


def status_as_of(now: datetime, stored: EnrollmentStatus, expires_at: datetime | None) -> EnrollmentStatus:
    """Return the status at an instant, given the stored status and the end of access."""
    is_expired = stored in ACCESS_STATUSES and expires_at is not None and expires_at <= now
    return EnrollmentStatus.EXPIRED if is_expired else stored


def current_status() -> ColumnElement[EnrollmentStatus]:
    """Return the status of a row now, as a column. Needs `NOW`, like the other clauses of this module."""
    return case((has_expired(), EnrollmentStatus.EXPIRED), else_=Enrollment.status)


def has_status(status: EnrollmentStatus) -> ColumnElement[bool]:
    """Return the clause "has this status now". It compares the stored status, so that an index serves it."""
    is_stored = Enrollment.status == status
    if status is EnrollmentStatus.EXPIRED:
        return or_(is_stored, has_expired())
    if status in ACCESS_STATUSES:
        return and_(is_stored, or_(Enrollment.access_expires_at.is_(None), Enrollment.access_expires_at > NOW))
    return is_stored


def has_completed() -> ColumnElement[bool]:
    """Return the clause "the course was ever completed", whether or not access continues."""
    return or_(Enrollment.completed_at.is_not(None), Enrollment.status == EnrollmentStatus.COMPLETED)


def has_expired(now: ColumnElement[datetime] | datetime = NOW) -> ColumnElement[bool]:
    """Return the clause "the stored status still grants access, but access has ended"."""
    return and_(Enrollment.status.in_(ACCESS_STATUSES), Enrollment.access_expires_at <= now)
