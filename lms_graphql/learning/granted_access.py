"""Access that a grant gives: source and end of access of an enrollment that exists already."""

from datetime import datetime

from lms_graphql.catalog.models import Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.core import clock
from lms_graphql.learning.enrollment_status import ACCESS_STATUSES, status_as_of

Access = tuple[EnrollmentSource, datetime | None]
"""Source and end of access. None means that access never ends."""


def has_access(enrollment: Enrollment) -> bool:
    return status_as_of(clock.now(), enrollment.status, enrollment.access_expires_at) in ACCESS_STATUSES


def is_cancelled_early(enrollment: Enrollment) -> bool:
    """Return whether it was cancelled and its access would not have ended yet."""
    expires_at = enrollment.access_expires_at
    return enrollment.status is EnrollmentStatus.CANCELLED and (expires_at is None or expires_at > clock.now())


def granted_access(enrollment: Enrollment, expires_at: datetime | None) -> Access:
    """Return the access after a grant until this instant. It replaces an earlier grant and shortens nothing else."""
    is_restored_purchase = is_cancelled_early(enrollment) and enrollment.source is EnrollmentSource.PURCHASE
    keeps_source = has_access(enrollment) or is_restored_purchase
    if enrollment.source is EnrollmentSource.GRANT or not keeps_source:
        return EnrollmentSource.GRANT, expires_at
    return enrollment.source, _later(enrollment.access_expires_at, expires_at)


def extended_access(enrollment: Enrollment, expires_at: datetime | None) -> Access:
    """Return the access like `granted_access`, except that an earlier grant that still gives access is not shortened.

    It is for invitations, because users must not lose access by accepting one.
    """
    if has_access(enrollment):
        return enrollment.source, _later(enrollment.access_expires_at, expires_at)
    return granted_access(enrollment, expires_at)


def _later(first: datetime | None, second: datetime | None) -> datetime | None:
    return None if first is None or second is None else max(first, second)
