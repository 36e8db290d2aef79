"""Certificates: issued once, taken back, made good again."""

from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.accounts.models import User, full_name
from lms_graphql.catalog.models import Course
from lms_graphql.certificates import codes
from lms_graphql.certificates.models import Certificate, RevocationReason
from lms_graphql.certificates.validity import certificate_title, expiry_date
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml, insert_ignore
from lms_graphql.core.validation import MAX_REASON_LENGTH, Validator
from lms_graphql.mail.outbox import enqueue
from lms_graphql.settings import Settings

CERTIFICATE_ISSUED = "certificate_issued"
"""The mail to the learner."""
NAME_COLUMNS: tuple[SQLColumnExpression[Any], ...] = (User.first_name, User.last_name, User.deleted_at)
MAX_ATTEMPTS = 5
"""Until a serial is one that nobody has yet, which the first nearly always is."""


def issue_certificate(session: Session, user_key: int, course_key: int, settings: Settings) -> int:
    """
    The key of this person's certificate for this course, made where there is none. What is true now stays on it. To
    be called in the transaction that completes the course. Of several at once one makes it, and the others find it;
    one that is there stays as it is, revoked or not.
    """
    # Shared, so that those who come second do not lock each other out; and a locking read sees what is there now.
    there = select(Certificate.id).where(*_of(user_key, course_key)).with_for_update(read=True)
    for _ in range(MAX_ATTEMPTS):
        new = insert_ignore(Certificate).values(_snapshot(session, user_key, course_key, settings))
        is_new = execute_dml(session, new) == 1
        key = session.scalar(there)
        if key is not None:
            if is_new:
                enqueue(session, CERTIFICATE_ISSUED, user_id=user_key, certificate=key)
                audit.record(session, "certificate.issued", subject=user_key, certificate=key, course=course_key)
            return key
    raise RuntimeError("No serial and code were free.")


def _snapshot(session: Session, user_key: int, course_key: int, settings: Settings) -> dict[str, object]:
    """What is true now, by the certificate's columns."""
    learner = session.execute(select(*NAME_COLUMNS).where(User.id == user_key)).one()
    taught = (
        select(*NAME_COLUMNS, Course.title)
        .join(Course, Course.instructor_id == User.id)
        .where(Course.id == course_key)
    )
    *instructor, course_title = session.execute(taught).one()
    now = clock.now()
    return {
        "user_id": user_key,
        "course_id": course_key,
        "serial": codes.new_serial(now),
        "verification_code": codes.new_code(),
        "title": certificate_title(course_title),
        "learner_name": full_name(*learner),
        "course_title": course_title,
        "instructor_name": full_name(*instructor),
        "issued_at": now,
        "expires_at": expiry_date(now, settings.certificate_months),
    }


def revoke_certificate(
    session: Session, actor: Actor, certificate_id: str, reason: RevocationReason, note: str | None
) -> int:
    """
    Takes it back, for all to see who verify it. Again for the same reason: the wish is already true, and the first
    note stays. For another reason it is to be reinstated first, so that no reason is lost.
    """
    form = Validator()
    note = form.multi_line("note", note, most=MAX_REASON_LENGTH)
    certificate = _to_change(session, certificate_id)
    form.raise_errors()
    if certificate.revocation_reason is reason:
        return certificate.id
    if certificate.revoked_at is not None:
        message = "This certificate is revoked for another reason. Reinstate it first."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, ("certificate_id",))
    certificate.revoked_at = clock.now()
    certificate.revocation_reason = reason
    certificate.revocation_note = note
    _record(session, "certificate.revoked", certificate.user_id, certificate.course_id, reason, actor.key)
    return certificate.id


def reinstate_certificate(session: Session, actor: Actor, certificate_id: str) -> int:
    """Makes it good again, whatever it was revoked for; one that is good stays so."""
    certificate = _to_change(session, certificate_id)
    if (reason := certificate.revocation_reason) is not None:
        certificate.revoked_at = certificate.revocation_reason = certificate.revocation_note = None
        _record(session, "certificate.reinstated", certificate.user_id, certificate.course_id, reason, actor.key)
    return certificate.id


def revoke_for_refund(session: Session, user_key: int, course_key: int, actor_key: int | None = None) -> None:
    """
    The course is paid back in full. A certificate that is revoked already keeps its reason; there may be none.
    `actor_key`: who pays back, where that is a person.
    """
    good = (*_of(user_key, course_key), Certificate.revoked_at.is_(None))
    now, reason = clock.now(), RevocationReason.REFUND
    revoked = update(Certificate).where(*good).values(revoked_at=now, revocation_reason=reason, updated_at=now)
    if execute_dml(session, revoked):
        _record(session, "certificate.revoked", user_key, course_key, reason, actor_key)


def reinstate_after_refund(session: Session, user_key: int, course_key: int, actor_key: int | None = None) -> None:
    """They have come back to the course. Only what a refund has revoked is good again."""
    refunded = (*_of(user_key, course_key), Certificate.revocation_reason == RevocationReason.REFUND)
    nothing = {"revoked_at": None, "revocation_reason": None, "revocation_note": None}
    if execute_dml(session, update(Certificate).where(*refunded).values(**nothing, updated_at=clock.now())):
        _record(session, "certificate.reinstated", user_key, course_key, RevocationReason.REFUND, actor_key)


def _of(user_key: int, course_key: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Certificate.user_id == user_key, Certificate.course_id == course_key


def _to_change(session: Session, certificate_id: str) -> Certificate:
    """Locked before anything else is read, so that two super admins take turns."""
    key = global_ids.decode_key("Certificate", certificate_id)
    certificate = session.get(Certificate, key, with_for_update=True) if key is not None else None
    if certificate is None:
        raise DomainError(ErrorCode.NOT_FOUND, "There is no such certificate.", ("certificate_id",))
    return certificate


def _record(
    session: Session, what: str, user_key: int, course_key: int, reason: RevocationReason, actor_key: int | None
) -> None:
    audit.record(session, what, actor=actor_key, subject=user_key, course=course_key, reason=reason.value)
