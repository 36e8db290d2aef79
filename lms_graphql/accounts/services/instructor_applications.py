"""Learners ask to teach, and super admins answer."""

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.accounts.models import ApplicationStatus, InstructorApplication, User
from lms_graphql.accounts.services.sessions import end_all_sessions
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import MAX_REASON_LENGTH, MAX_TEXT_LENGTH, Validator


def apply_to_teach(session: Session, actor: Actor, motivation: str, experience: str) -> int:
    """One pending application at a time. Its key."""
    form = Validator()
    said = {
        "motivation": form.multi_line("motivation", motivation, most=MAX_TEXT_LENGTH, required=True),
        "experience": form.multi_line("experience", experience, most=MAX_TEXT_LENGTH, required=True),
    }
    form.raise_errors()
    application = InstructorApplication(user_id=actor.key, pending_of=actor.key, **said)
    session.add(application)
    try:
        session.flush()
    except IntegrityError:
        raise DomainError(ErrorCode.ALREADY_EXISTS, "Your application is being looked at already.") from None
    return application.id


def review_application(session: Session, actor: Actor, application_id: str, approve: bool, note: str | None) -> int:
    """Approving makes the learner an instructor, who signs in anew. Of two reviews at once one counts."""
    form = Validator()
    note = form.multi_line("note", note, most=MAX_REASON_LENGTH)
    key = global_ids.decode_key("InstructorApplication", application_id)
    application = session.get(InstructorApplication, key) if key is not None else None
    if application is None:
        raise DomainError(ErrorCode.NOT_FOUND, "There is no such application.", ("application_id",))
    form.raise_errors()
    pending = (InstructorApplication.id == key, InstructorApplication.status == ApplicationStatus.PENDING)
    reviewed = update(InstructorApplication).where(*pending)
    now = clock.now()
    decided = reviewed.values(
        status=ApplicationStatus.APPROVED if approve else ApplicationStatus.REJECTED,
        pending_of=None,
        review_note=note,
        reviewed_by_id=actor.key,
        reviewed_at=now,
        updated_at=now,
    )
    if not execute_dml(session, decided):
        message = "This application was reviewed already."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, ("application_id",))
    if approve:
        _promote(session, actor, application.user_id)
    audit.record(session, "application.reviewed", actor=actor.key, subject=application.user_id, approved=approve)
    return application.id


def _promote(session: Session, actor: Actor, user_key: int) -> None:
    learner = (User.id == user_key, User.role == Role.LEARNER, User.deleted_at.is_(None))
    if execute_dml(session, update(User).where(*learner).values(role=Role.INSTRUCTOR, updated_at=clock.now())):
        end_all_sessions(session, user_key)
        audit.record(
            session, "account.role_changed", actor=actor.key, subject=user_key, old="learner", new="instructor"
        )


def withdraw_applications(session: Session, user_key: int) -> None:
    """Of somebody who leaves: nothing that they wrote is kept, and nobody need decide any more."""
    theirs = update(InstructorApplication).where(InstructorApplication.user_id == user_key)
    execute_dml(session, theirs.values(motivation="", experience="", review_note=None, pending_of=None))
    pending = theirs.where(InstructorApplication.status == ApplicationStatus.PENDING)
    execute_dml(session, pending.values(status=ApplicationStatus.REJECTED, reviewed_at=clock.now()))
