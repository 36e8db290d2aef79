"""Instructor applications: learners apply to teach, super admins review."""

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
    """Create a pending application and return its key. Raise ALREADY_EXISTS if another one is pending."""
    validator = Validator()
    values = {
        "motivation": validator.multi_line("motivation", motivation, max_length=MAX_TEXT_LENGTH, required=True),
        "experience": validator.multi_line("experience", experience, max_length=MAX_TEXT_LENGTH, required=True),
    }
    validator.raise_errors()
    application = InstructorApplication(user_id=actor.key, pending_of=actor.key, **values)
    session.add(application)
    try:
        session.flush()
    except IntegrityError:
        message = "Your last application is still pending. Wait for its review."
        raise DomainError(ErrorCode.ALREADY_EXISTS, message) from None
    return application.id


def review_application(session: Session, actor: Actor, application_id: str, approve: bool, note: str | None) -> int:
    """Approve or reject a pending application, and return its key. Approval makes the learner an instructor.

    Raise NOT_FOUND, or INVALID_TRANSITION if it is not pending. Exactly one of several concurrent reviews succeeds.
    """
    validator = Validator()
    note = validator.multi_line("note", note, max_length=MAX_REASON_LENGTH)
    key = global_ids.decode_key("InstructorApplication", application_id)
    application = session.get(InstructorApplication, key) if key is not None else None
    if application is None:
        raise DomainError(ErrorCode.NOT_FOUND, "There is no application with this id.", ("application_id",))
    validator.raise_errors()
    is_pending = (InstructorApplication.id == key, InstructorApplication.status == ApplicationStatus.PENDING)
    now = clock.now()
    review = (
        update(InstructorApplication)
        .where(*is_pending)
        .values(
            status=ApplicationStatus.APPROVED if approve else ApplicationStatus.REJECTED,
            pending_of=None,
            review_note=note,
            reviewed_by_id=actor.key,
            reviewed_at=now,
            updated_at=now,
        )
    )
    if not execute_dml(session, review):
        message = "This application was reviewed already. Reload it to see the result."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, ("application_id",))
    if approve:
        _promote(session, actor, application.user_id)
    audit.record(
        session,
        "application.reviewed",
        actor=actor.key,
        subject=application.id,
        user=application.user_id,
        approved=approve,
    )
    return application.id


def _promote(session: Session, actor: Actor, user_key: int) -> None:
    """Make a learner an instructor, and end their sessions because an access token states the role."""
    is_learner = (User.id == user_key, User.role == Role.LEARNER, User.deleted_at.is_(None))
    if execute_dml(session, update(User).where(*is_learner).values(role=Role.INSTRUCTOR, updated_at=clock.now())):
        end_all_sessions(session, user_key)
        audit.record(
            session, "account.role_changed", actor=actor.key, subject=user_key, old="learner", new="instructor"
        )


def withdraw_applications(session: Session, user_key: int) -> None:
    """Erase the texts of a deleted user's applications, and reject the pending one so that no review is due."""
    applications = update(InstructorApplication).where(InstructorApplication.user_id == user_key)
    execute_dml(session, applications.values(motivation="", experience="", review_note=None, pending_of=None))
    pending = applications.where(InstructorApplication.status == ApplicationStatus.PENDING)
    execute_dml(session, pending.values(status=ApplicationStatus.REJECTED, reviewed_at=clock.now()))
