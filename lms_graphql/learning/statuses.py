"""What an enrollment's status reads as: access that has run out is EXPIRED from that instant on, whatever is kept."""

from sqlalchemy import ColumnElement, and_, case, or_

from lms_graphql.catalog.models import Enrollment, EnrollmentStatus
from lms_graphql.core.statements import NOW

GIVES_ACCESS = (EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED)


def status_now() -> ColumnElement[EnrollmentStatus]:
    """Needs `NOW`, as all of these."""
    return case((_has_run_out(), EnrollmentStatus.EXPIRED), else_=Enrollment.status)


def reads_as(status: EnrollmentStatus) -> ColumnElement[bool]:
    """The same as a clause: spelled out, so that an index on the kept status serves it."""
    kept = Enrollment.status == status
    if status is EnrollmentStatus.EXPIRED:
        return or_(kept, _has_run_out())
    if status in GIVES_ACCESS:
        return and_(kept, or_(Enrollment.access_expires_at.is_(None), Enrollment.access_expires_at > NOW))
    return kept


def has_completed() -> ColumnElement[bool]:
    """Whether the course was ever finished, whatever has become of the access."""
    return or_(Enrollment.completed_at.is_not(None), Enrollment.status == EnrollmentStatus.COMPLETED)


def _has_run_out() -> ColumnElement[bool]:
    return and_(Enrollment.status.in_(GIVES_ACCESS), Enrollment.access_expires_at <= NOW)
