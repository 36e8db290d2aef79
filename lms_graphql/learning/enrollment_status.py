"""What an enrollment's status reads as: access that has run out is EXPIRED from that instant on, whatever is kept."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, or_

from lms_graphql.catalog.models import Enrollment, EnrollmentStatus
from lms_graphql.core.statements import NOW

ACCESS_STATUSES = (EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED)


def status_as_of(now: datetime, kept: EnrollmentStatus, expires_at: datetime | None) -> EnrollmentStatus:
    """Of one at hand."""
    has_run_out = kept in ACCESS_STATUSES and expires_at is not None and expires_at <= now
    return EnrollmentStatus.EXPIRED if has_run_out else kept


def current_status() -> ColumnElement[EnrollmentStatus]:
    """The same of a row. Needs `NOW`, as all of these."""
    return case((has_expired(), EnrollmentStatus.EXPIRED), else_=Enrollment.status)


def has_status(status: EnrollmentStatus) -> ColumnElement[bool]:
    """The same as a clause: spelled out, so that an index on the kept status serves it."""
    kept = Enrollment.status == status
    if status is EnrollmentStatus.EXPIRED:
        return or_(kept, has_expired())
    if status in ACCESS_STATUSES:
        return and_(kept, or_(Enrollment.access_expires_at.is_(None), Enrollment.access_expires_at > NOW))
    return kept


def has_completed() -> ColumnElement[bool]:
    """Whether the course was ever finished, whatever has become of the access."""
    return or_(Enrollment.completed_at.is_not(None), Enrollment.status == EnrollmentStatus.COMPLETED)


def has_expired(now: ColumnElement[datetime] | datetime = NOW) -> ColumnElement[bool]:
    """Whether it is still kept as one that gives access, which is over."""
    return and_(Enrollment.status.in_(ACCESS_STATUSES), Enrollment.access_expires_at <= now)
