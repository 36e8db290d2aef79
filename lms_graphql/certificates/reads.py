"""Reads of certificates: by key, by enrollment, by user, and by verification code."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Enrollment
from lms_graphql.certificates.models import Certificate
from lms_graphql.certificates.policies import certificates_visible_to
from lms_graphql.certificates.validity import CertificateStatus, certificate_status
from lms_graphql.core import clock
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows


@with_global_id("Certificate")
class CertificateRow(NamedTuple):
    key: int
    serial: str
    verification_code: str
    user_key: int
    course_key: int
    title: str
    learner_name: str
    course_title: str
    instructor_name: str
    issued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def status(self) -> CertificateStatus:
        return certificate_status(clock.now(), self.expires_at, self.revoked_at)


class VerificationStatus(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NOT_FOUND = "not_found"


class VerificationRow(NamedTuple):
    """Result of a verification: all that anyone with the code may see."""

    status: VerificationStatus
    serial: str | None = None
    learner_name: str | None = None
    course_title: str | None = None
    instructor_name: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None


UNKNOWN_CODE = VerificationRow(VerificationStatus.NOT_FOUND)

CERTIFICATES = select(
    Certificate.id,
    Certificate.serial,
    Certificate.verification_code,
    Certificate.user_id,
    Certificate.course_id,
    Certificate.title,
    Certificate.learner_name,
    Certificate.course_title,
    Certificate.instructor_name,
    Certificate.issued_at,
    Certificate.expires_at,
    Certificate.revoked_at,
)
CERTIFICATES_BY_CODE = CERTIFICATES.where(Certificate.verification_code.in_(KEYS))


def _visible(access_level: AccessLevel) -> RowSelect:
    joined = CERTIFICATES.join(Course, Course.id == Certificate.course_id)
    return joined.where(certificates_visible_to(access_level))


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    return _visible(access_level).where(Certificate.id.in_(KEYS))


@cache
def _by_enrollment(access_level: AccessLevel) -> RowSelect:
    is_of_enrollment = and_(Enrollment.user_id == Certificate.user_id, Enrollment.course_id == Certificate.course_id)
    return (
        _visible(access_level)
        .join(Enrollment, is_of_enrollment)
        .add_columns(Enrollment.id)
        .where(Enrollment.id.in_(KEYS))
    )


def certificates_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, CertificateRow]:
    rows = fetch_rows(session, _by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: CertificateRow._make(row) for row in rows}


def certificates_by_enrollment(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, CertificateRow]:
    rows = fetch_rows(session, _by_enrollment(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[-1]: CertificateRow._make(row[:-1]) for row in rows}


def certificates_by_code(session: Session, actor: Actor, codes: Sequence[str]) -> dict[str, CertificateRow]:
    """Return certificates by code, to any actor: who knows a code may see its certificate."""
    rows = fetch_rows(session, CERTIFICATES_BY_CODE, {"keys": codes})
    return {row[2]: CertificateRow._make(row) for row in rows}


def to_verification(certificate: CertificateRow) -> VerificationRow:
    return VerificationRow(
        VerificationStatus(certificate.status.value),
        certificate.serial,
        certificate.learner_name,
        certificate.course_title,
        certificate.instructor_name,
        certificate.issued_at,
        certificate.expires_at,
    )


@cache
def certificates_of_user() -> ListQuery:
    """Return the query for all certificates of a user, newest first.

    It checks no visibility, so the field that uses it must require the user or a super admin.
    """
    issued = SortKey(Certificate.issued_at, lambda row: row.issued_at, datetime)
    key = SortKey(Certificate.id, lambda row: row.key, int)
    order = SortOrder("user.certificates:newest", (issued, key), descending=True)
    return ListQuery(CERTIFICATES, _to_row, order, parent=Certificate.user_id)


def _to_row(row: Any) -> CertificateRow:
    return CertificateRow._make(row)
