"""Certificates: issue, revoke, reinstate."""

from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.accounts.models import User, full_name
from lms_graphql.catalog.models import Course
from lms_graphql.certificates import serials
from lms_graphql.certificates.models import Certificate, RevocationReason
from lms_graphql.certificates.validity import certificate_title, expiry_date
from lms_graphql.core import clock, codes, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml, insert_ignore
from lms_graphql.core.validation import MAX_REASON_LENGTH, Validator
from lms_graphql.mail.outbox import enqueue
from lms_graphql.settings import Settings

CERTIFICATE_ISSUED_MAIL = "certificate_issued"
"""Kind of the mail to the learner."""
NAME_COLUMNS: tuple[SQLColumnExpression[Any], ...] = (User.first_name, User.last_name, User.deleted_at)
MAX_ATTEMPTS = 5
"""Attempts to find an unused serial and code. The first is nearly always unused."""


def issue_certificate(session: Session, user_key: int, course_key: int, settings: Settings) -> int:
    """Issue a certificate with the names and titles of now, and return its key. Enqueue the mail to the learner.

    If the user has a certificate for the course, return its key and leave it as it is, even if it is revoked. Call it
    in the transaction that completes the course. If several calls run at once, one of them issues the certificate.
    """
    # A shared lock, so that the calls that lost the race do not block each other. A locking read also sees rows that
    # were committed after the transaction's snapshot.
    existing = select(Certificate.id).where(*_belongs_to(user_key, course_key)).with_for_update(read=True)
    for _ in range(MAX_ATTEMPTS):
        new = insert_ignore(Certificate).values(_values_at_issue(session, user_key, course_key, settings))
        is_new = execute_dml(session, new) == 1
        key = session.scalar(existing)
        if key is not None:
            if is_new:
                enqueue(session, CERTIFICATE_ISSUED_MAIL, user_key=user_key, certificate=key)
                audit.record(session, "certificate.issued", subject=key, user=user_key, course=course_key)
            return key
    raise RuntimeError(f"No unused serial and code were found in {MAX_ATTEMPTS} attempts.")


def _values_at_issue(session: Session, user_key: int, course_key: int, settings: Settings) -> dict[str, object]:
    """Return the values of the certificate's columns as of now.

    If the instructor's account was deleted, the platform signs in their place.
    """
    learner = session.execute(select(*NAME_COLUMNS).where(User.id == user_key)).one()
    instructor_and_title = (
        select(*NAME_COLUMNS, Course.title)
        .join(Course, Course.instructor_id == User.id)
        .where(Course.id == course_key)
    )
    *instructor, course_title = session.execute(instructor_and_title).one()
    is_instructor_deleted = instructor[-1] is not None
    now = clock.now()
    return {
        "user_id": user_key,
        "course_id": course_key,
        "serial": serials.new_serial(settings.site_name, now),
        "verification_code": codes.new_code(),
        "title": certificate_title(course_title),
        "learner_name": full_name(*learner),
        "course_title": course_title,
        "instructor_name": settings.site_name if is_instructor_deleted else full_name(*instructor),
        "issued_at": now,
        "expires_at": expiry_date(now, settings.certificate_months),
    }


def revoke_certificate(
    session: Session, actor: Actor, certificate_id: str, reason: RevocationReason, note: str | None
) -> int:
    """Revoke a certificate, so that it verifies as REVOKED, and return its key.

    Revoking it again for the same reason succeeds and changes nothing. Raise NOT_FOUND, TOO_LONG, or
    INVALID_TRANSITION if it is revoked for another reason: it must be reinstated first, so that no reason is lost.
    """
    validator = Validator()
    note = validator.multi_line("note", note, max_length=MAX_REASON_LENGTH)
    certificate = _lock_certificate(session, certificate_id)
    validator.raise_errors()
    if certificate.revocation_reason is reason:
        return certificate.id
    if certificate.revoked_at is not None:
        message = "This certificate is revoked for another reason. Reinstate it first."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, ("certificate_id",))
    certificate.revoked_at = clock.now()
    certificate.revocation_reason = reason
    certificate.revocation_note = note
    _audit(session, "certificate.revoked", certificate, reason, actor.key)
    return certificate.id


def reinstate_certificate(session: Session, actor: Actor, certificate_id: str) -> int:
    """Undo a revocation, whatever its reason. If the certificate is not revoked, change nothing.

    Return its key. Raise NOT_FOUND.
    """
    certificate = _lock_certificate(session, certificate_id)
    if (reason := certificate.revocation_reason) is not None:
        certificate.revoked_at = certificate.revocation_reason = certificate.revocation_note = None
        _audit(session, "certificate.reinstated", certificate, reason, actor.key)
    return certificate.id


def revoke_for_refund(session: Session, user_key: int, course_key: int, actor_key: int | None = None) -> None:
    """Revoke the certificate, if there is one, because the course was refunded in full.

    If it is revoked already, it keeps its reason. `actor_key` is the user who refunds, or None if a gateway does.
    """
    not_revoked = (*_belongs_to(user_key, course_key), Certificate.revoked_at.is_(None))
    now, reason = clock.now(), RevocationReason.REFUND
    statement = (
        update(Certificate).where(*not_revoked).values(revoked_at=now, revocation_reason=reason, updated_at=now)
    )
    if execute_dml(session, statement):
        _audit(session, "certificate.revoked", _certificate_of(session, user_key, course_key), reason, actor_key)


def reinstate_after_refund(session: Session, user_key: int, course_key: int, actor_key: int | None = None) -> None:
    """Reinstate the certificate when the learner enrolls again, if a refund was the reason of its revocation."""
    refunded = (*_belongs_to(user_key, course_key), Certificate.revocation_reason == RevocationReason.REFUND)
    not_revoked = {"revoked_at": None, "revocation_reason": None, "revocation_note": None}
    if execute_dml(session, update(Certificate).where(*refunded).values(**not_revoked, updated_at=clock.now())):
        certificate = _certificate_of(session, user_key, course_key)
        _audit(session, "certificate.reinstated", certificate, RevocationReason.REFUND, actor_key)


def _belongs_to(user_key: int, course_key: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Certificate.user_id == user_key, Certificate.course_id == course_key


def _certificate_of(session: Session, user_key: int, course_key: int) -> Certificate:
    return session.scalars(select(Certificate).where(*_belongs_to(user_key, course_key))).one()


def _lock_certificate(session: Session, certificate_id: str) -> Certificate:
    """Lock and return the certificate. Raise NOT_FOUND.

    It is locked before anything else is read, so that concurrent changes run one after the other.
    """
    key = global_ids.decode_key("Certificate", certificate_id)
    certificate = session.get(Certificate, key, with_for_update=True) if key is not None else None
    if certificate is None:
        raise DomainError(ErrorCode.NOT_FOUND, "There is no certificate with this id.", ("certificate_id",))
    return certificate


def _audit(
    session: Session, action: str, certificate: Certificate, reason: RevocationReason, actor_key: int | None
) -> None:
    user, course = certificate.user_id, certificate.course_id
    audit.record(
        session, action, actor=actor_key, subject=certificate.id, user=user, course=course, reason=reason.value
    )
