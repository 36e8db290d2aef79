"""Locks of a course for editing, with the checks of permission and version.

Each change of a course or of anything below it first locks the course's row with an UPDATE. Changes of one course
therefore run one after the other, and each reads what the previous one committed. A plain SELECT before the lock
would fix the transaction's snapshot too early.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, exists, select, true, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Lecture, Section
from lms_graphql.catalog.policies import courses_visible_to, sections_visible_to
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode, RequestError, RequestErrorCode, not_found
from lms_graphql.core.statements import execute_dml, peek_once

CoursePart = TypeVar("CoursePart", Section, Lecture)
VersionedRow = Course | Section | Lecture
ReferenceCheck = Callable[[int], object]
"""
Given the course's key, looks up the other ids of the input and raises NOT_FOUND. It runs before FORBIDDEN is raised,
because NOT_FOUND comes first.
"""


def lock_course_to_edit(
    session: Session, actor: Actor, course_id: str, check_references: ReferenceCheck | None = None
) -> Course:
    """Lock the course and return it. Raise NOT_FOUND at `course_id`, or FORBIDDEN."""
    is_course = Course.id == global_ids.decode_key("Course", course_id)
    is_visible = courses_visible_to(actor.access_level)
    return _lock_and_load(session, actor, is_course, is_visible, "course_id", check_references)


def lock_section_to_edit(
    session: Session, actor: Actor, section_id: str, check_references: ReferenceCheck | None = None
) -> tuple[Course, Section]:
    """Lock the section's course and return both. Raise NOT_FOUND at `section_id`, or FORBIDDEN."""
    return _lock_course_of(session, actor, Section, section_id, "section_id", check_references)


def lock_lecture_to_edit(
    session: Session, actor: Actor, lecture_id: str, check_references: ReferenceCheck | None = None
) -> tuple[Course, Lecture]:
    """Lock the lecture's course and return both. Raise NOT_FOUND at `lecture_id`, or FORBIDDEN."""
    return _lock_course_of(session, actor, Lecture, lecture_id, "lecture_id", check_references)


def peek_course_key(session: Session, table: type[CoursePart], id: str) -> int | None:
    """Return the key of the course of a section or lecture that is not deleted, by `peek_once`."""
    statement = select(table.course_id).where(*_is_row(table, id))
    key: int | None = peek_once(session, (table, id), statement)
    return key


def lock_course(session: Session, *conditions: ColumnElement[bool]) -> bool:
    """Lock the course that meets the conditions and return whether there is one.

    The lock does not count as a change: `version` and `updated_at` keep their values.
    """
    unchanged = {"version": Course.version, "updated_at": Course.updated_at}
    return execute_dml(session, update(Course).where(*conditions).values(unchanged)) == 1


def lock_visible_course(session: Session, actor: Actor, course_id: str) -> Course | None:
    """Lock and return a course; return None if it does not exist or is not visible to the actor."""
    key = global_ids.decode_key("Course", course_id)
    if key is None or not lock_course(session, Course.id == key):
        return None
    return session.scalar(
        select(Course).where(Course.id == key, courses_visible_to(actor.access_level)), actor.bind_params
    )


def require_version(row: VersionedRow, expected: int | None) -> None:
    """Raise STALE_VERSION if the row of a locked course has another version than expected. None expects nothing."""
    if expected is not None and row.version != expected:
        kind = type(row).__name__.lower()
        message = f"The {kind} has changed since you loaded it. Load it again and repeat your change."
        raise DomainError(ErrorCode.STALE_VERSION, message, ("expected_version",))


def bump_version(*rows: VersionedRow) -> None:
    """Add 1 to the versions of a locked course, its sections or its lectures.

    A course's version grows with every change of the course or of anything below it. The version of a section grows
    with its fields and with the order of its lectures, that of a lecture with its fields, its quiz and each move.
    """
    for row in rows:
        row.version += 1
        row.updated_at = clock.now()


def _lock_course_of(
    session: Session,
    actor: Actor,
    table: type[CoursePart],
    id: str,
    path: str,
    check_references: ReferenceCheck | None,
) -> tuple[Course, CoursePart]:
    """Lock the course of a section or lecture and return both.

    The course's key is read before the transaction, because it never changes. A subquery in the UPDATE would lock
    the row of the section or lecture. Every transaction that waits for the course would then stop the one that has
    locked it from writing that row: a deadlock each time.
    """
    is_row = _is_row(table, id)
    course_key = peek_course_key(session, table, id)
    is_visible = courses_visible_to(actor.access_level)
    if table is Section:
        section = exists().where(*is_row, sections_visible_to(actor.access_level)).correlate(Course)
        is_visible = and_(is_visible, section)
    course = _lock_and_load(session, actor, Course.id == course_key, is_visible, path, check_references)
    row = session.scalar(select(table).where(*is_row))
    if row is None:  # deleted since its course's key was read
        raise not_found(path)
    return course, row


def _is_row(table: type[CoursePart], id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.id == global_ids.decode_key(table.__name__, id), table.deleted_at.is_(None)


def _lock_and_load(
    session: Session,
    actor: Actor,
    is_course: ColumnElement[bool],
    is_visible: ColumnElement[bool],
    path: str,
    check_references: ReferenceCheck | None,
) -> Course:
    is_editable = true() if actor.is_super_admin else Course.instructor_id == actor.key
    if not lock_course(session, is_course, is_editable):
        raise _access_error(session, actor, and_(is_course, is_visible), path, check_references)
    return session.scalars(select(Course).where(is_course).execution_options(populate_existing=True)).one()


def _access_error(
    session: Session,
    actor: Actor,
    is_visible_course: ColumnElement[bool],
    path: str,
    check_references: ReferenceCheck | None,
) -> Exception:
    """Return FORBIDDEN if there is such a course, else NOT_FOUND."""
    key = session.scalar(select(Course.id).where(is_visible_course), actor.bind_params)
    if key is None:
        return not_found(path)
    if check_references is not None:
        check_references(key)
    message = "Only the course's instructor and super admins may change this course."
    return RequestError(RequestErrorCode.FORBIDDEN, message)
