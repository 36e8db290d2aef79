"""Learners ask to teach, and super admins answer."""

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.accounts.models import ApplicationStatus, InstructorApplication, User
from lms_graphql.accounts.service.sessions import end_sessions
from lms_graphql.core import clock, ids
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import ErrorCode, Refusal
from lms_graphql.core.forms import LONGEST_REASON, LONGEST_TEXT, Form
from lms_graphql.core.statements import changed


def apply_to_teach(session: Session, actor: Actor, motivation: str, experience: str) -> int:
    """One pending application at a time. Its key."""
    form = Form()
    said = {
        "motivation": form.text("motivation", motivation, most=LONGEST_TEXT, required=True),
        "experience": form.text("experience", experience, most=LONGEST_TEXT, required=True),
    }
    form.done()
    application = InstructorApplication(user_id=actor.id, pending_of=actor.id, **said)
    session.add(application)
    try:
        session.flush()
    except IntegrityError:
        raise Refusal(ErrorCode.ALREADY_EXISTS, "Your application is being looked at already.") from None
    return application.id


def review_application(session: Session, actor: Actor, application_id: str, approve: bool, note: str | None) -> int:
    """Approving makes the learner an instructor, who signs in anew. Of two reviews at once one counts."""
    form = Form()
    note = form.text("note", note, most=LONGEST_REASON)
    key = ids.key_of("InstructorApplication", application_id)
    application = session.get(InstructorApplication, key) if key is not None else None
    if application is None:
        raise Refusal(ErrorCode.NOT_FOUND, "There is no such application.", ("application_id",))
    form.done()
    pending = (InstructorApplication.id == key, InstructorApplication.status == ApplicationStatus.PENDING)
    reviewed = update(InstructorApplication).where(*pending)
    now = clock.now()
    decided = reviewed.values(
        status=ApplicationStatus.APPROVED if approve else ApplicationStatus.REJECTED,
        pending_of=None,
        review_note=note,
        reviewed_by_id=actor.id,
        reviewed_at=now,
        updated_at=now,
    )
    if not changed(session, decided):
        message = "This application was reviewed already."
        raise Refusal(ErrorCode.INVALID_TRANSITION, message, ("application_id",))
    if approve:
        _promote(session, actor, application.user_id)
    audit.record(session, "application.reviewed", actor=actor.id, subject=application.user_id, approved=approve)
    return application.id


def _promote(session: Session, actor: Actor, user_key: int) -> None:
    learner = (User.id == user_key, User.role == Role.LEARNER, User.deleted_at.is_(None))
    if changed(session, update(User).where(*learner).values(role=Role.INSTRUCTOR, updated_at=clock.now())):
        end_sessions(session, user_key)
        audit.record(
            session, "account.role_changed", actor=actor.id, subject=user_key, old="learner", new="instructor"
        )


def withdraw_applications(session: Session, user_key: int) -> None:
    """Of somebody who leaves: nothing that they wrote is kept, and nobody need decide any more."""
    theirs = update(InstructorApplication).where(InstructorApplication.user_id == user_key)
    changed(session, theirs.values(motivation="", experience="", review_note=None, pending_of=None))
    pending = theirs.where(InstructorApplication.status == ApplicationStatus.PENDING)
    changed(session, pending.values(status=ApplicationStatus.REJECTED, reviewed_at=clock.now()))
