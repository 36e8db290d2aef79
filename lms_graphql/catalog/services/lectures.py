"""Lectures are written, arranged and taken out.

Writing one may hang a quiz on it, which is for the floor above: it opens the course, calls `add_lecture` or
`change_lecture`, and settles it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from lms_graphql.catalog import hooks
from lms_graphql.catalog.models import Course, Lecture, LectureType, Section
from lms_graphql.catalog.reads.curriculum import SectionRow, sections_by_key
from lms_graphql.catalog.services.course_locks import lock_lecture_to_edit, lock_section_to_edit, require_version
from lms_graphql.catalog.services.ordering import Positions, finish_curriculum_change, lectures_of, validate_position
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode, not_found
from lms_graphql.core.validation import MAX_BODY_LENGTH, MAX_TITLE_LENGTH, Validator

MAX_LECTURES_PER_SECTION = 200
MAX_LECTURES_PER_COURSE = 1_000
MAX_DURATION_SECONDS = 360_000


class FieldRule(NamedTuple):
    """Where a field of the inputs is kept, and what it must be like."""

    column: str
    check: Callable[[Validator, str, Any], Any]


def _title(form: Validator, name: str, value: Any) -> str:
    return form.single_line(name, value, most=MAX_TITLE_LENGTH)


def _body(form: Validator, name: str, value: Any) -> str | None:
    return form.multi_line(name, value, most=MAX_BODY_LENGTH)


def _seconds(form: Validator, name: str, value: Any) -> int:
    return form.integer(name, value, most=MAX_DURATION_SECONDS)


FIELDS: dict[str, FieldRule] = {
    "title": FieldRule("title", _title),
    "description": FieldRule("description", Validator.multi_line),
    "duration_seconds": FieldRule("duration", _seconds),
    "is_preview": FieldRule("is_preview", Validator.boolean),
    "is_downloadable": FieldRule("is_downloadable", Validator.boolean),
    "video_url": FieldRule("video_url", Validator.url),
    "body": FieldRule("body", _body),
    "resource_url": FieldRule("content_url", Validator.url),
}


def add_lecture(
    session: Session,
    course: Course,
    section: Section,
    form: Validator,
    kind: LectureType,
    said: Mapping[str, Any],
    position: int | None,
) -> Lecture:
    """`form`: with the faults that were found already. `said`: by the names of `FIELDS`."""
    values, position = _checked(form, said), validate_position(form, position)
    form.raise_errors()
    order = lectures_of(session, section)
    _refuse_one_more(order)
    if course.total_lectures >= MAX_LECTURES_PER_COURSE:
        raise _limit(f"A course has at most {MAX_LECTURES_PER_COURSE:,} lectures.")
    lecture = Lecture(section_id=section.id, course_id=course.id, lecture_type=kind, **values)
    order.insert(session, lecture, position)
    return lecture


def change_lecture(lecture: Lecture, form: Validator, changes: Mapping[str, Any]) -> None:
    """`changes`: what is not in it stays as it is, as the type always does."""
    values = _checked(form, changes)
    form.raise_errors()
    for column, value in values.items():
        setattr(lecture, column, value)


def delete_lecture(session: Session, actor: Actor, lecture_id: str) -> str:
    """The row stays, for the notes, questions and progress that hang on it. The id that is no more."""
    course, lecture = lock_lecture_to_edit(session, actor, lecture_id)
    section = session.get_one(Section, lecture.section_id)
    order = lectures_of(session, section)
    lecture.deleted_at = clock.now()
    order.keys.remove(lecture.id)
    order.write(session)
    for tell in hooks.lectures_removed:
        tell(session, [lecture.id])
    finish_curriculum_change(session, course, section)
    return lecture_id


def move_lecture(session: Session, actor: Actor, lecture_id: str, section_id: str, position: int) -> int:
    """To a place in its own section or another of the course. The lecture's key."""
    course, lecture = lock_lecture_to_edit(session, actor, lecture_id, lambda _: _seen(session, actor, section_id))
    source, target = session.get_one(Section, lecture.section_id), _target(session, actor, course, section_id)
    form = Validator()
    validate_position(form, position)
    form.raise_errors()
    order = lectures_of(session, source)
    order.keys.remove(lecture.id)
    if target is not source:
        order.write(session)
        order = lectures_of(session, target)
        _refuse_one_more(order)
        lecture.section_id = target.id
        session.flush()
    order.keys.insert(order.clamp(position), lecture.id)
    order.write(session)
    finish_curriculum_change(session, course, source, target)
    return lecture.id


def reorder_lectures(
    session: Session, actor: Actor, section_id: str, lecture_ids: Sequence[str], expected_version: int | None
) -> int:
    """The section's key."""
    course, section = lock_section_to_edit(session, actor, section_id)
    require_version(course, expected_version)
    lectures_of(session, section).reorder(session, lecture_ids, "lecture_ids")
    finish_curriculum_change(session, course, section)
    return section.id


def _checked(form: Validator, said: Mapping[str, Any]) -> dict[str, Any]:
    return {FIELDS[name].column: FIELDS[name].check(form, name, value) for name, value in said.items()}


def _seen(session: Session, actor: Actor, section_id: str) -> SectionRow:
    key = global_ids.decode_key("Section", section_id)
    seen = sections_by_key(session, actor, [key] if key is not None else [])
    if key is None or key not in seen:
        raise not_found("section_id")
    return seen[key]


def _target(session: Session, actor: Actor, course: Course, section_id: str) -> Section:
    seen = _seen(session, actor, section_id)
    if seen.course_key != course.id:
        raise DomainError(
            ErrorCode.INVALID, "A lecture stays in its course: name a section of that.", ("section_id",)
        )
    return session.get_one(Section, seen.key)


def _refuse_one_more(order: Positions) -> None:
    if len(order.keys) >= MAX_LECTURES_PER_SECTION:
        raise _limit(f"A section has at most {MAX_LECTURES_PER_SECTION} lectures.")


def _limit(message: str) -> DomainError:
    return DomainError(ErrorCode.LIMIT_REACHED, message, ("section_id",))
