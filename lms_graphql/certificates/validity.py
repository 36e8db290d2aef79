"""Status, expiry date and title of certificates."""

from calendar import monthrange
from datetime import datetime
from enum import StrEnum


class CertificateStatus(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


def certificate_status(now: datetime, expires_at: datetime | None, revoked_at: datetime | None) -> CertificateStatus:
    """Return the status. A certificate that is both revoked and expired is REVOKED."""
    if revoked_at is not None:
        return CertificateStatus.REVOKED
    if expires_at is not None and expires_at <= now:
        return CertificateStatus.EXPIRED
    return CertificateStatus.VALID


def expiry_date(issued_at: datetime, months: int | None) -> datetime | None:
    """Return the same day so many months later, or the last day of a shorter month. Return None without `months`."""
    if months is None:
        return None
    years, month = divmod(issued_at.month - 1 + months, 12)
    year = issued_at.year + years
    return issued_at.replace(year=year, month=month + 1, day=min(issued_at.day, monthrange(year, month + 1)[1]))


def certificate_title(course_title: str) -> str:
    return f"Certificate of Completion: {course_title}"
