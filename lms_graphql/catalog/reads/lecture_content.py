"""What a lecture teaches, for those who may have it, and the lock for those who may not."""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from sqlalchemy import and_, case, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Enrollment, Lecture
from lms_graphql.catalog.policies import content_visible_to
from lms_graphql.core import clock
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows


class LockReason(StrEnum):
    SIGN_IN_REQUIRED = "sign_in_required"
    ENROLLMENT_REQUIRED = "enrollment_required"
    ENROLLMENT_INACTIVE = "enrollment_inactive"


class ContentRow(NamedTuple):
    video_url: str | None
    body: str | None
    resource_url: str | None


class LockRow(NamedTuple):
    reason: LockReason
    message: str


SIGN_IN = LockRow(LockReason.SIGN_IN_REQUIRED, "Sign in to open this lecture.")
ENROLL = LockRow(LockReason.ENROLLMENT_REQUIRED, "Enroll in the course to open this lecture.")
INACTIVE = LockRow(LockReason.ENROLLMENT_INACTIVE, "Your access to the course has ended.")


@cache
def _contents(scope: AccessLevel) -> RowSelect:
    return (
        select(Lecture.id, Lecture.video_url, Lecture.body, Lecture.content_url)
        .join(Course, Course.id == Lecture.course_id)
        .where(Lecture.id.in_(KEYS), content_visible_to(scope))
    )


@cache
def _locked(scope: AccessLevel) -> RowSelect:
    """The locked ones of these lectures, and whether the viewer has an enrollment at all."""
    enrolled = and_(Enrollment.course_id == Course.id, Enrollment.user_id == VIEWER)
    return (
        select(Lecture.id, case((Enrollment.id.is_(None), 0), else_=1))
        .join(Course, Course.id == Lecture.course_id)
        .outerjoin(Enrollment, enrolled)
        .where(Lecture.id.in_(KEYS), ~content_visible_to(scope))
    )


def contents_by_lecture(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, ContentRow]:
    """Of the lectures whose content the viewer may have; the others are not there."""
    binds = {**actor.bind_params, "keys": keys, "now": clock.now()}
    return {row[0]: ContentRow._make(row[1:]) for row in fetch_rows(session, _contents(actor.access_level), binds)}


def locks_by_lecture(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, LockRow]:
    """Of the lectures that are locked for a viewer who is signed in."""
    if actor.is_admin:
        return {}
    binds = {**actor.bind_params, "keys": keys, "now": clock.now()}
    rows = fetch_rows(session, _locked(actor.access_level), binds)
    return {row[0]: INACTIVE if row[1] else ENROLL for row in rows}
