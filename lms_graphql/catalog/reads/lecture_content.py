"""Reads of lecture content, and of the lock that explains why a viewer may not read it."""

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


SIGN_IN_LOCK = LockRow(LockReason.SIGN_IN_REQUIRED, "Log in to open this lecture.")
ENROLLMENT_LOCK = LockRow(LockReason.ENROLLMENT_REQUIRED, "Enroll in the course to open this lecture.")
INACTIVE_LOCK = LockRow(
    LockReason.ENROLLMENT_INACTIVE,
    "Your enrollment no longer grants access. Enroll again, or ask the instructor.",
)


@cache
def _contents(access_level: AccessLevel) -> RowSelect:
    return (
        select(Lecture.id, Lecture.video_url, Lecture.body, Lecture.content_url)
        .join(Course, Course.id == Lecture.course_id)
        .where(Lecture.id.in_(KEYS), content_visible_to(access_level))
    )


@cache
def _locked_lectures(access_level: AccessLevel) -> RowSelect:
    """Return the locked ones among the lectures, with 1 if the viewer has an enrollment of any status, else 0."""
    enrolled = and_(Enrollment.course_id == Course.id, Enrollment.user_id == VIEWER)
    return (
        select(Lecture.id, case((Enrollment.id.is_(None), 0), else_=1))
        .join(Course, Course.id == Lecture.course_id)
        .outerjoin(Enrollment, enrolled)
        .where(Lecture.id.in_(KEYS), ~content_visible_to(access_level))
    )


def contents_by_lecture(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, ContentRow]:
    """Return the content of those lectures whose content the actor may read."""
    params = {**actor.bind_params, "keys": keys, "now": clock.now()}
    return {row[0]: ContentRow._make(row[1:]) for row in fetch_rows(session, _contents(actor.access_level), params)}


def locks_by_lecture(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, LockRow]:
    """Return the locks of those lectures whose content the actor may not read. The actor must be logged in."""
    if actor.is_super_admin:
        return {}
    params = {**actor.bind_params, "keys": keys, "now": clock.now()}
    rows = fetch_rows(session, _locked_lectures(actor.access_level), params)
    return {row[0]: INACTIVE_LOCK if row[1] else ENROLLMENT_LOCK for row in rows}
