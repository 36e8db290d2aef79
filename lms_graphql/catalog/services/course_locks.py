"""The way into a course that is to be changed: locked, by somebody who may, at the version they have seen.

The lock is an UPDATE of the course's row, before anything is read: whoever changes anything below a course passes
here, one after the other, and what is read afterwards is what the one before has left. A plain SELECT first would fix
the transaction's view of things too early.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import ColumnElement, select, true, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Lecture, Section
from lms_graphql.catalog.policies import visible_to
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode, RequestError, RequestErrorCode, not_found
from lms_graphql.core.statements import execute_dml, peek_scalar

Part = TypeVar("Part", Section, Lecture)
ReferenceCheck = Callable[[int], object]
"""
Looks up what else the input names, given the course's key, and raises NOT_FOUND. Asked before somebody is told that
the course is not theirs: what is not there comes first.
"""


def lock_course_to_edit(
    session: Session, actor: Actor, course_id: str, beside: ReferenceCheck | None = None
) -> Course:
    """NOT_FOUND at `course_id`, or FORBIDDEN."""
    return _locked(session, actor, Course.id == global_ids.decode_key("Course", course_id), "course_id", beside)


def lock_section_to_edit(
    session: Session, actor: Actor, section_id: str, beside: ReferenceCheck | None = None
) -> tuple[Course, Section]:
    """NOT_FOUND at `section_id`, or FORBIDDEN."""
    return _with_its_course(session, actor, Section, section_id, "section_id", beside)


def lock_lecture_to_edit(
    session: Session, actor: Actor, lecture_id: str, beside: ReferenceCheck | None = None
) -> tuple[Course, Lecture]:
    """NOT_FOUND at `lecture_id`, or FORBIDDEN."""
    return _with_its_course(session, actor, Lecture, lecture_id, "lecture_id", beside)


def lock_course(session: Session, *this_one: ColumnElement[bool]) -> bool:
    """Whether there is one. A lock is no change: neither the version nor the time of the last change moves."""
    as_it_is = {"version": Course.version, "updated_at": Course.updated_at}
    return execute_dml(session, update(Course).where(*this_one).values(as_it_is)) == 1


def require_version(course: Course, expected: int | None) -> None:
    """STALE_VERSION where the course has changed since it was read. It is locked, so it changes no more."""
    if expected is not None and course.version != expected:
        message = "Somebody has changed the course meanwhile. Load it again, and repeat your change."
        raise DomainError(ErrorCode.STALE_VERSION, message, ("expected_version",))


def bump_version(course: Course) -> None:
    """Every change to a course or anything below it is a new version. The row is locked, so one more is right."""
    course.version += 1
    course.updated_at = clock.now()


def _with_its_course(
    session: Session, actor: Actor, table: type[Part], id: str, path: str, beside: ReferenceCheck | None
) -> tuple[Course, Part]:
    """
    The course of a section or a lecture is looked up ahead, since it never changes. A look-up inside the UPDATE
    would lock the row, and all who wait for the course would keep its holder from writing it: a deadlock each time.
    """
    there = (table.id == global_ids.decode_key(table.__name__, id), table.deleted_at.is_(None))
    its_course = peek_scalar(session, select(table.course_id).where(*there))
    course = _locked(session, actor, Course.id == its_course, path, beside)
    row = session.scalar(select(table).where(*there))
    if row is None:  # deleted since it was looked up
        raise not_found(path)
    return course, row


def _locked(
    session: Session, actor: Actor, this_one: ColumnElement[bool], path: str, beside: ReferenceCheck | None
) -> Course:
    own = true() if actor.is_admin else Course.instructor_id == actor.key
    if not lock_course(session, this_one, own):
        raise _refusal(session, actor, this_one, path, beside)
    return session.scalars(select(Course).where(this_one).execution_options(populate_existing=True)).one()


def _refusal(
    session: Session, actor: Actor, this_one: ColumnElement[bool], path: str, beside: ReferenceCheck | None
) -> Exception:
    """Of somebody for whom the course is not there, or not theirs."""
    key = session.scalar(select(Course.id).where(this_one, visible_to(actor.access_level)), actor.bind_params)
    if key is None:
        return not_found(path)
    if beside is not None:
        beside(key)
    return RequestError(RequestErrorCode.FORBIDDEN, "Only the course's instructor and super admins change it.")
