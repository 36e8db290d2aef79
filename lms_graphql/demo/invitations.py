"""Demo invitations into the first demo course: pending, accepted, cancelled and expired ones.

They are made by the services, in transactions of their own. So their times are those of now, and differ from one demo
to the next.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple, TypeVar

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from lms_graphql import wiring
from lms_graphql.catalog.models import Course, Enrollment, EnrollmentStatus
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.database import Database
from lms_graphql.demo.builder import MARKER_SLUG
from lms_graphql.demo.users import EMAIL_DOMAIN
from lms_graphql.learning.invitation_models import Invitation
from lms_graphql.learning.services.invitation_acceptance import accept_invitation
from lms_graphql.learning.services.invitations import (
    INVITATION_MAIL,
    InvitationRequest,
    cancel_invitation,
    invite_learners,
    make_invitation_token,
)
from lms_graphql.mail.models import Mail
from lms_graphql.settings import SESSION_SETTINGS_KEY, Settings

T = TypeVar("T")

NAMES = ("nadia", "tomasz", "wei", "expired", "cancelled", "accepted")
EMAILS = tuple(f"{name}.invited@{EMAIL_DOMAIN}" for name in NAMES)
MESSAGE = "Welcome to the course! We meet every Tuesday."


class Invited(NamedTuple):
    """The course's instructor, a learner who has access already, and the keys of its invitations.

    Acceptance changes nothing in the learner's enrollment, which has its times from the demo's calendar.
    """

    instructor_key: int
    learner_key: int | None
    keys: list[int]


def add_invitations(database: Database, settings: Settings) -> None:
    """Invite invented addresses. Their mails are deleted, so that none is ever sent to them."""

    def run(work: Callable[[Session], T]) -> T:
        def with_settings(session: Session) -> T:
            session.info[SESSION_SETTINGS_KEY] = settings
            return work(session)

        return database.write_sync(with_settings)

    wiring.register_hooks()  # upper packages add what a course requires
    invited = run(_invite)
    if invited is None:
        return
    *_, expired, cancelled, accepted = invited.keys
    instructor = Actor(invited.instructor_key, Role.INSTRUCTOR)
    ended = update(Invitation).where(Invitation.id == expired).values(expires_at=clock.now() - timedelta(days=1))
    run(lambda session: session.execute(ended))
    run(lambda session: cancel_invitation(session, instructor, global_ids.encode("Invitation", cancelled)))
    token = run(lambda session: make_invitation_token(session, accepted, 0))
    if invited.learner_key is not None and token is not None:
        learner = Actor(invited.learner_key, Role.LEARNER)
        run(lambda session: accept_invitation(session, learner, token))


def _invite(session: Session) -> Invited | None:
    course = session.scalar(select(Course).where(Course.slug == MARKER_SLUG))
    if course is None:
        return None
    last_mail = session.scalar(select(func.max(Mail.id))) or 0
    instructor = Actor(course.instructor_id, Role.INSTRUCTOR)
    request = InvitationRequest(global_ids.encode("Course", course.id), EMAILS, message=MESSAGE)
    keys = invite_learners(session, instructor, request)
    session.execute(delete(Mail).where(Mail.id > last_mail, Mail.kind == INVITATION_MAIL))
    active = (Enrollment.status == EnrollmentStatus.ACTIVE, Enrollment.access_expires_at.is_(None))
    learners = select(Enrollment.user_id).where(Enrollment.course_id == course.id, *active)
    learner = session.scalar(learners.order_by(Enrollment.id.desc()).limit(1))
    return Invited(course.instructor_id, learner, keys)
