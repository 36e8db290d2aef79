"""The way into a course that is to be changed: locked, by somebody who may, at the version they have seen.

The lock is an UPDATE of the course's row, before anything is read: whoever changes anything below a course passes
here, one after the other, and what is read afterwards is what the one before has left. A plain SELECT first would fix
the transaction's view of things too early.
"""

from typing import NoReturn, TypeVar

from sqlalchemy import ColumnElement, select, true, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Lecture, Section
from lms_graphql.catalog.policies import visible_to
from lms_graphql.core import clock, ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import ErrorCode, Refusal, RequestError, RequestFault
from lms_graphql.core.statements import changed, look_up

Part = TypeVar("Part", Section, Lecture)


def course_to_edit(
    session: Session, actor: Actor, course_id: str, expected_version: int | None = None, path: str = "course_id"
) -> Course:
    """NOT_FOUND at the path, FORBIDDEN, or STALE_VERSION at `expected_version`."""
    return _locked(session, actor, Course.id == ids.key_of("Course", course_id), expected_version, path)


def section_to_edit(
    session: Session, actor: Actor, section_id: str, expected_version: int | None = None, path: str = "section_id"
) -> tuple[Course, Section]:
    return _with_its_course(session, actor, Section, section_id, expected_version, path)


def lecture_to_edit(
    session: Session, actor: Actor, lecture_id: str, expected_version: int | None = None, path: str = "lecture_id"
) -> tuple[Course, Lecture]:
    return _with_its_course(session, actor, Lecture, lecture_id, expected_version, path)


def note_change(course: Course) -> None:
    """Every change to a course or anything below it is a new version. The row is locked, so one more is right."""
    course.version += 1
    course.updated_at = clock.now()


def _with_its_course(
    session: Session, actor: Actor, table: type[Part], id: str, expected_version: int | None, path: str
) -> tuple[Course, Part]:
    """
    The course of a section or a lecture is looked up ahead, since it never changes. A look-up inside the UPDATE
    would lock the row, and all who wait for the course would keep its holder from writing it: a deadlock each time.
    """
    there = (table.id == ids.key_of(table.__name__, id), table.deleted_at.is_(None))
    its_course = look_up(session, select(table.course_id).where(*there))
    course = _locked(session, actor, Course.id == its_course, expected_version, path)
    row = session.scalar(select(table).where(*there))
    if row is None:  # deleted since it was looked up
        raise _not_there(path)
    return course, row


def _locked(
    session: Session, actor: Actor, this_one: ColumnElement[bool], expected_version: int | None, path: str
) -> Course:
    version = true() if expected_version is None else Course.version == expected_version
    lock = update(Course).where(this_one, _edited_by(actor), version)
    # A lock is no change: `updated_at` would say that it is one.
    if not changed(session, lock.values(version=Course.version, updated_at=Course.updated_at)):
        _explain(session, actor, this_one, path)
    return session.scalars(select(Course).where(this_one).execution_options(populate_existing=True)).one()


def _edited_by(actor: Actor) -> ColumnElement[bool]:
    return true() if actor.is_admin else Course.instructor_id == actor.id


def _explain(session: Session, actor: Actor, this_one: ColumnElement[bool], path: str) -> NoReturn:
    seen = session.execute(
        select(Course.instructor_id, Course.version).where(this_one, visible_to(actor.scope)), actor.binds
    ).first()
    if seen is None:
        raise _not_there(path)
    if not actor.is_admin and seen.instructor_id != actor.id:
        raise RequestError(RequestFault.FORBIDDEN, "Only the course's instructor and super admins change it.")
    message = "Somebody has changed the course meanwhile. Load it again, and repeat your change."
    raise Refusal(ErrorCode.STALE_VERSION, message, ("expected_version",))


def _not_there(path: str) -> Refusal:
    return Refusal(ErrorCode.NOT_FOUND, "There is no such thing, or it is not yours to see.", (path,))
