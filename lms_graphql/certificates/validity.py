"""Whether a certificate is good, what it is called, and how long it lasts."""

from calendar import monthrange
from datetime import datetime
from enum import StrEnum


class CertificateStatus(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


def certificate_status(now: datetime, expires_at: datetime | None, revoked_at: datetime | None) -> CertificateStatus:
    """REVOKED before EXPIRED before VALID."""
    if revoked_at is not None:
        return CertificateStatus.REVOKED
    if expires_at is not None and expires_at <= now:
        return CertificateStatus.EXPIRED
    return CertificateStatus.VALID


def expiry_date(issued_at: datetime, months: int | None) -> datetime | None:
    """The same day so many months later, or the month's last where it has no such day. Without months: never."""
    if months is None:
        return None
    years, month = divmod(issued_at.month - 1 + months, 12)
    year = issued_at.year + years
    return issued_at.replace(year=year, month=month + 1, day=min(issued_at.day, monthrange(year, month + 1)[1]))


def certificate_title(course_title: str) -> str:
    return f"Certificate of Completion: {course_title}"
