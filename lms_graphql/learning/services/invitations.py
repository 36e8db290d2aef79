"""Invitations by email: invite, cancel and delete. Lock order: docs/architecture.md.

Nothing here depends on whether an address has an account. So neither an answer nor its time reveals it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Date, Select, bindparam, case, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, email_addresses
from lms_graphql.accounts.services.registration import validate_email_field
from lms_graphql.catalog.models import Course, Enrollment
from lms_graphql.catalog.services.course_locks import lock_course, lock_visible_course
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode, not_found
from lms_graphql.core.signing import new_token, token_hash
from lms_graphql.core.statements import execute_dml, fetch_rows, insert_ignore, peek_scalar
from lms_graphql.core.validation import MAX_REASON_LENGTH, REQUIRED_MESSAGE, Validator
from lms_graphql.learning.invitation_models import Invitation, InvitationCounter, InvitationStatus
from lms_graphql.learning.invitation_status import is_open
from lms_graphql.learning.reads.invitations import invitations_by_key
from lms_graphql.learning.services.enrollments import (
    COURSE,
    require_may_grant,
    require_not_draft,
    validate_end_of_access,
)
from lms_graphql.mail.outbox import enqueue_many
from lms_graphql.settings import settings_of

INVITATION_MAIL = "invitation"
"""Kind of the mail with the link that accepts an invitation."""
MAX_EMAILS = 200
"""Addresses in one request."""
MAX_MESSAGE_LENGTH = MAX_REASON_LENGTH
RETENTION = timedelta(days=30)
"""How long invitations that were not accepted are stored after their end, with their addresses."""
PURGE_BATCH_SIZE = 1_000
EMAILS, INVITATION = ("emails",), ("invitation_id",)
NOT_ACCEPTED = tuple(status for status in InvitationStatus if status is not InvitationStatus.ACCEPTED)
ENDED: dict[str, Any] = {"pending_email_key": None, "token_hash": None}
"""Columns of an invitation that is no longer pending."""


class InvitationRequest(NamedTuple):
    """Addresses to invite into a course, with a message for all of them."""

    course_id: str
    emails: Sequence[str]
    access_expires_at: datetime | None = None
    message: str | None = None


class StoredInvitation(NamedTuple):
    """A stored invitation, with the number of its newest mail."""

    key: int
    mail_number: int
    expires_at: datetime


def invite_learners(session: Session, actor: Actor, request: InvitationRequest) -> list[int]:
    """Invite addresses into a course, and enqueue a mail to each. Return the keys of the invitations, in order.

    An address that is named twice is invited once. A pending invitation of the address is renewed: it gets a new link
    and a new end, and the old link stops. Raise NOT_FOUND, FORBIDDEN, an error for each address that is invalid,
    LIMIT_REACHED or NOT_PUBLISHED.
    """
    validator = Validator()
    emails = _validate_emails(validator, request.emails)
    message = validator.multi_line("message", request.message, max_length=MAX_MESSAGE_LENGTH)
    validate_end_of_access(validator, request.access_expires_at)
    course = lock_visible_course(session, actor, request.course_id)
    if course is None:
        raise not_found(*COURSE)
    require_may_grant(actor, course)
    validator.raise_errors()
    require_not_draft(course)
    _count_invitations(session, course.id, len(emails))
    invitations = _store_invitations(session, course.id, emails, request.access_expires_at)
    stored = [invitations[email_key] for email_key in emails]
    facts = [
        {"invitation": invitation.key, "mail_number": invitation.mail_number, "message": message}
        for invitation in stored
    ]
    enqueue_many(session, INVITATION_MAIL, facts)
    keys = [invitation.key for invitation in stored]
    audit.record(session, "course.learners_invited", actor=actor.key, subject=course.id, invitations=keys)
    return keys


def _validate_emails(validator: Validator, emails: Sequence[str]) -> dict[str, str]:
    """Return the addresses by their normal form, each once and as it was written first."""
    if not emails:
        validator.add_error(ErrorCode.REQUIRED, REQUIRED_MESSAGE, *EMAILS)
    if len(emails) > MAX_EMAILS:
        message = f"Invite at most {MAX_EMAILS} addresses at once. Send the others in another request."
        validator.add_error(ErrorCode.LIMIT_REACHED, message, *EMAILS, limit=MAX_EMAILS)
    nested, valid = validator.within(*EMAILS), dict[str, str]()
    for index, text in enumerate(emails[:MAX_EMAILS]):
        email = validate_email_field(nested, text, str(index))
        if not nested.has_error(str(index)):
            valid.setdefault(email_addresses.normalize_email(email), email)
    return valid


def _count_invitations(session: Session, course_key: int, number: int) -> None:
    """Add to the course's invitations of today. Raise LIMIT_REACHED if there would be too many.

    One conditional UPDATE decides, so the limit holds for concurrent requests.
    """
    limit, today = settings_of(session).invitations_per_course, clock.now().date()
    if number <= limit:
        binds = {"course": course_key, "today": today, "number": number, "most": limit - number}
        if execute_dml(session, _COUNT, binds):
            return
        session.execute(insert_ignore(InvitationCounter), {"course_id": course_key, "day": today})
        if execute_dml(session, _COUNT, binds):
            return
    message = f"A course can invite {limit:,} addresses a day (UTC). Invite fewer, or the others tomorrow."
    raise DomainError(ErrorCode.LIMIT_REACHED, message, EMAILS, limit=limit)


_IS_OTHER_DAY = InvitationCounter.day != bindparam("today", type_=Date())
_COUNT = (
    update(InvitationCounter)
    .where(InvitationCounter.course_id == bindparam("course"))
    .where(or_(_IS_OTHER_DAY, InvitationCounter.invitation_count <= bindparam("most")))
    # The count comes first, because MySQL assigns from left to right and would see the new day.
    .ordered_values(
        (
            InvitationCounter.invitation_count,
            case((_IS_OTHER_DAY, 0), else_=InvitationCounter.invitation_count) + bindparam("number"),
        ),
        (InvitationCounter.day, bindparam("today", type_=Date())),
    )
)


def _store_invitations(
    session: Session, course_key: int, emails: Mapping[str, str], access_expires_at: datetime | None
) -> dict[str, StoredInvitation]:
    """Renew pending invitations and add the others. Return all by the normal form of their addresses.

    They are read before they are changed by key. An UPDATE of rows that may not exist would lock the gaps where
    other courses insert theirs. The course is locked.
    """
    now = clock.now()
    expires_at = now + timedelta(days=settings_of(session).invitation_days)
    if access_expires_at is not None:
        expires_at = min(expires_at, access_expires_at)  # a later acceptance would give no access
    values = {"access_expires_at": access_expires_at, "expires_at": expires_at, "updated_at": now}
    stored = _stored_invitations(session, course_key, emails)
    if expired := [invitation.key for invitation in stored.values() if invitation.expires_at <= now]:
        ended = {**ENDED, "status": InvitationStatus.EXPIRED, "updated_at": now}
        execute_dml(session, update(Invitation).where(Invitation.id.in_(expired)).values(ended))
    if pending := [invitation.key for invitation in stored.values() if invitation.expires_at > now]:
        renewed = {**values, "mail_number": Invitation.mail_number + 1, "token_hash": None}
        execute_dml(session, update(Invitation).where(Invitation.id.in_(pending)).values(renewed))
    new = [
        {"course_id": course_key, "email": email, "pending_email_key": email_key, "created_at": now, **values}
        for email_key, email in emails.items()
        if email_key not in stored or stored[email_key].expires_at <= now
    ]
    if new:
        session.connection().execute(insert(Invitation), new)
    return _stored_invitations(session, course_key, emails)


def _stored_invitations(session: Session, course_key: int, emails: Mapping[str, str]) -> dict[str, StoredInvitation]:
    """Return the invitations of these addresses that are stored as PENDING, by the normal form of the addresses."""
    is_stored = (Invitation.course_id == course_key, Invitation.pending_email_key.in_(emails))
    columns = (Invitation.pending_email_key, Invitation.id, Invitation.mail_number, Invitation.expires_at)
    rows = fetch_rows(session, select(*columns).where(*is_stored))
    return {email_key: StoredInvitation(*values) for email_key, *values in rows}


def cancel_invitation(session: Session, actor: Actor, invitation_id: str) -> int:
    """Cancel a pending invitation, so that its link stops, and return its key. Cancelling twice changes nothing.

    Raise NOT_FOUND, or INVALID_TRANSITION if it was accepted or has expired.
    """
    key = global_ids.decode_key("Invitation", invitation_id)
    course_key = None if key is None else peek_scalar(session, _course_of(Invitation.id == key))
    if key is None or course_key is None or not lock_course(session, Course.id == course_key):
        raise not_found(*INVITATION)
    invitation = invitations_by_key(session, actor, [key]).get(key)
    if invitation is None:
        raise not_found(*INVITATION)
    if invitation.status is InvitationStatus.CANCELLED:
        return key
    cancelled = {**ENDED, "status": InvitationStatus.CANCELLED}
    if not execute_dml(
        session, update(Invitation).where(Invitation.id == key, is_open(clock.now())).values(cancelled)
    ):
        message = "This invitation was accepted or has expired. To end a learner's access, cancel the enrollment."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, INVITATION)
    audit.record(session, "invitation.cancelled", actor=actor.key, subject=key)
    return key


def _course_of(is_invitation: ColumnElement[bool]) -> Select[int]:
    return select(Invitation.course_id).where(is_invitation)


def make_invitation_token(session: Session, key: int, mail_number: int) -> str | None:
    """Return a new token for this mail of an invitation, and store its hash in place of the former one.

    Return None if the invitation has ended or has a newer mail.
    """
    token = new_token()
    is_newest = (Invitation.id == key, Invitation.mail_number == mail_number, is_open(clock.now()))
    statement = update(Invitation).where(*is_newest).values(token_hash=token_hash(token))
    return token if execute_dml(session, statement) else None


def delete_invitations_of_user(session: Session, user_key: int) -> None:
    """Delete the invitations that an erased user has accepted, because they have email addresses.

    Others stay until they have ended, even if they were sent to an address of the user. Course staff could see from
    their deletion that the address had an account.
    """
    accepted = select(Invitation.id).join(Enrollment, Enrollment.id == Invitation.enrollment_id)
    # A locking read, because a plain one would miss what was accepted since the transaction began.
    keys = session.scalars(accepted.where(Enrollment.user_id == user_key).with_for_update()).all()
    if keys:
        execute_dml(session, delete(Invitation).where(Invitation.id.in_(keys)))


def purge_invitations(session: Session) -> int:
    """Delete a batch of the invitations that ended long ago without being accepted. Return their number."""
    has_ended = (Invitation.status.in_(NOT_ACCEPTED), Invitation.expires_at < clock.now() - RETENTION)
    keys = session.scalars(select(Invitation.id).where(*has_ended).limit(PURGE_BATCH_SIZE)).all()
    return execute_dml(session, delete(Invitation).where(Invitation.id.in_(keys), *has_ended)) if keys else 0
