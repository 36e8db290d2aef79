"""Certificates: one by one, by enrollment, in a person's list, and by the code that a stranger was shown."""

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
    """What a stranger is told, and nothing else."""

    status: VerificationStatus
    serial: str | None = None
    learner_name: str | None = None
    course_title: str | None = None
    instructor_name: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None


UNKNOWN = VerificationRow(VerificationStatus.NOT_FOUND)

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
BY_CODE = CERTIFICATES.where(Certificate.verification_code.in_(KEYS))


@cache
def _visible(scope: AccessLevel) -> RowSelect:
    return CERTIFICATES.join(Course, Course.id == Certificate.course_id).where(certificates_visible_to(scope))


@cache
def _by_id(scope: AccessLevel) -> RowSelect:
    return _visible(scope).where(Certificate.id.in_(KEYS))


@cache
def _by_enrollment(scope: AccessLevel) -> RowSelect:
    its_own = and_(Enrollment.user_id == Certificate.user_id, Enrollment.course_id == Certificate.course_id)
    return _visible(scope).join(Enrollment, its_own).add_columns(Enrollment.id).where(Enrollment.id.in_(KEYS))


def certificates_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, CertificateRow]:
    rows = fetch_rows(session, _by_id(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: CertificateRow._make(row) for row in rows}


def certificates_by_enrollment(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, CertificateRow]:
    rows = fetch_rows(session, _by_enrollment(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[-1]: CertificateRow._make(row[:-1]) for row in rows}


def certificates_by_code(session: Session, actor: Actor, codes: Sequence[str]) -> dict[str, CertificateRow]:
    """Whoever asks: to know the code is to have been shown the certificate."""
    return {row[2]: CertificateRow._make(row) for row in fetch_rows(session, BY_CODE, {"keys": codes})}


def verification_of(certificate: CertificateRow) -> VerificationRow:
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
    """All of a person, the newest first: for whom that person's list is."""
    issued = SortKey(Certificate.issued_at, lambda row: row.issued_at, datetime)
    key = SortKey(Certificate.id, lambda row: row.key, int)
    order = SortOrder("user.certificates:newest", (issued, key), descending=True)
    return ListQuery(CERTIFICATES, _make, order, parent=Certificate.user_id)


def _make(row: Any) -> CertificateRow:
    return CertificateRow._make(row)
