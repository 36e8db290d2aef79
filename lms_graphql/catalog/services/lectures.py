"""Lecture services: the part of creation and update that belongs to the catalog, and deletion, moves and order.

A lecture may get a quiz when it is created or updated. Therefore `assessment.services.lectures` has those services.
They lock the course, call `add_lecture` or `change_lecture`, and finish with `finish_curriculum_change`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from lms_graphql.catalog import hooks
from lms_graphql.catalog.models import Course, Lecture, LectureType, Section
from lms_graphql.catalog.reads.curriculum import SectionRow, sections_by_key
from lms_graphql.catalog.services.course_locks import (
    bump_version,
    lock_lecture_to_edit,
    lock_section_to_edit,
    require_version,
)
from lms_graphql.catalog.services.ordering import (
    Positions,
    finish_curriculum_change,
    lecture_positions,
    validate_position,
)
from lms_graphql.catalog.services.publication import no_new_problems
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode, not_found
from lms_graphql.core.validation import MAX_BODY_LENGTH, MAX_TITLE_LENGTH, Validator

MAX_LECTURES_PER_SECTION = 200
MAX_LECTURES_PER_COURSE = 1_000
MAX_DURATION_SECONDS = 360_000


class FieldRule(NamedTuple):
    """The column and the check of an input field."""

    column: str
    check: Callable[[Validator, str, Any], Any]


def _title(validator: Validator, name: str, value: Any) -> str:
    return validator.single_line(name, value, max_length=MAX_TITLE_LENGTH)


def _body(validator: Validator, name: str, value: Any) -> str | None:
    return validator.multi_line(name, value, max_length=MAX_BODY_LENGTH)


def _duration(validator: Validator, name: str, value: Any) -> int:
    return validator.integer(name, value, maximum=MAX_DURATION_SECONDS)


FIELD_RULES: dict[str, FieldRule] = {
    "title": FieldRule("title", _title),
    "description": FieldRule("description", Validator.multi_line),
    "duration_seconds": FieldRule("duration", _duration),
    "is_preview": FieldRule("is_preview", Validator.boolean),
    "is_downloadable": FieldRule("is_downloadable", Validator.boolean),
    "video_url": FieldRule("video_url", Validator.url),
    "body": FieldRule("body", _body),
    "resource_url": FieldRule("content_url", Validator.url),
}


_TEXT_AND_FILE = frozenset({"body", "resource_url"})
CONTENT_BY_TYPE: dict[LectureType, frozenset[str]] = {
    LectureType.VIDEO: frozenset({"video_url"}) | _TEXT_AND_FILE,
    LectureType.TEXT: _TEXT_AND_FILE,
    LectureType.RESOURCE: _TEXT_AND_FILE,
    LectureType.ASSIGNMENT: _TEXT_AND_FILE,
    LectureType.QUIZ: frozenset(),
}
"""The content fields that a lecture of each type can have."""
CONTENT_FIELDS = frozenset({"video_url"}) | _TEXT_AND_FILE


def add_lecture(
    session: Session,
    course: Course,
    section: Section,
    validator: Validator,
    lecture_type: LectureType,
    values: Mapping[str, Any],
    position: int | None,
) -> Lecture:
    """Insert a lecture into the section of a locked course and return it.

    The keys of `values` are those of `FIELD_RULES`.

    Raise LIMIT_REACHED, or all validation errors, including those that the validator has already collected.
    """
    columns = _validated_columns(validator, lecture_type, values)
    position = validate_position(validator, position)
    validator.raise_errors()
    order = lecture_positions(session, section)
    _require_section_not_full(order)
    if course.total_lectures >= MAX_LECTURES_PER_COURSE:
        message = f"A course has at most {MAX_LECTURES_PER_COURSE:,} lectures. Delete one first."
        raise _limit_reached(message, MAX_LECTURES_PER_COURSE)
    lecture = Lecture(section_id=section.id, course_id=course.id, lecture_type=lecture_type, **columns)
    order.insert(session, lecture, position)
    return lecture


def change_lecture(
    lecture: Lecture, expected_version: int | None, validator: Validator, changes: Mapping[str, Any]
) -> None:
    """Set the fields in `changes`, which never contain the type.

    Raise all errors of the validator, or STALE_VERSION.
    """
    columns = _validated_columns(validator, lecture.lecture_type, changes)
    validator.raise_errors()
    require_version(lecture, expected_version)
    for column, value in columns.items():
        setattr(lecture, column, value)


def delete_lecture(session: Session, actor: Actor, lecture_id: str, expected_version: int | None) -> int:
    """Mark a lecture as deleted and return the course's key.

    The row stays, because notes, questions and progress refer to it. Raise NOT_FOUND, FORBIDDEN, STALE_VERSION, or
    NOT_READY if it is the last lecture of its section in a published course.
    """
    course, lecture = lock_lecture_to_edit(session, actor, lecture_id)
    require_version(lecture, expected_version)
    section = session.get_one(Section, lecture.section_id)
    order = lecture_positions(session, section)
    with no_new_problems(session, actor, course, "lecture_id"):
        lecture.deleted_at = clock.now()
    order.keys.remove(lecture.id)
    order.write(session)
    for on_removed in hooks.lectures_removed:
        on_removed(session, [lecture.id])
    finish_curriculum_change(session, course, section, reordered=[section])
    return course.id


def move_lecture(
    session: Session, actor: Actor, lecture_id: str, expected_version: int | None, section_id: str, position: int
) -> int:
    """Move a lecture within its section or to another section of its course. Return the lecture's key.

    Raise NOT_FOUND, FORBIDDEN, INVALID for a section of another course, OUT_OF_RANGE, STALE_VERSION, LIMIT_REACHED,
    or NOT_READY if it is the last lecture of its section in a published course.
    """
    course, lecture = lock_lecture_to_edit(
        session, actor, lecture_id, lambda _: _require_visible_section(session, actor, section_id)
    )
    source = session.get_one(Section, lecture.section_id)
    target = _require_section_of_course(session, actor, course, section_id)
    validator = Validator()
    validate_position(validator, position)
    validator.raise_errors()
    require_version(lecture, expected_version)
    order = lecture_positions(session, source)
    order.keys.remove(lecture.id)
    if target is source:
        bump_version(lecture)
    else:
        order.write(session)
        order = lecture_positions(session, target)
        _require_section_not_full(order)
        with no_new_problems(session, actor, course, "lecture_id"):
            lecture.section_id = target.id
            bump_version(lecture)
    order.keys.insert(order.clamp(position), lecture.id)
    order.write(session)
    finish_curriculum_change(session, course, source, target, reordered={source, target})
    return lecture.id


def reorder_lectures(
    session: Session, actor: Actor, section_id: str, lecture_ids: Sequence[str], expected_version: int | None
) -> int:
    """Put the lectures of a section into the order of `lecture_ids` and return the section's key.

    Raise NOT_FOUND, FORBIDDEN, STALE_VERSION, or INVALID if the ids are not exactly those of the section's lectures.
    """
    course, section = lock_section_to_edit(session, actor, section_id)
    require_version(section, expected_version)
    lecture_positions(session, section).reorder(session, lecture_ids, "lecture_ids")
    finish_curriculum_change(session, course, section, reordered=[section])
    return section.id


def _validated_columns(validator: Validator, lecture_type: LectureType, values: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in values.items():
        column, check = FIELD_RULES[name]
        if name not in CONTENT_FIELDS - CONTENT_BY_TYPE[lecture_type]:
            columns[column] = check(validator, name, value)
        else:
            columns[column] = None  # null clears what lectures from before this rule may have
            if value is not None and value.strip():
                message = f"A lecture of type {lecture_type.name} cannot have this content. Leave it out."
                validator.add_error(ErrorCode.INVALID, message, name)
    return columns


def _require_visible_section(session: Session, actor: Actor, section_id: str) -> SectionRow:
    key = global_ids.decode_key("Section", section_id)
    sections = sections_by_key(session, actor, [key] if key is not None else [])
    if key is None or key not in sections:
        raise not_found("section_id")
    return sections[key]


def _require_section_of_course(session: Session, actor: Actor, course: Course, section_id: str) -> Section:
    section = _require_visible_section(session, actor, section_id)
    if section.course_key != course.id:
        message = "This section belongs to another course. Choose a section of the lecture's course."
        raise DomainError(ErrorCode.INVALID, message, ("section_id",))
    return session.get_one(Section, section.key)


def _require_section_not_full(order: Positions) -> None:
    if len(order.keys) >= MAX_LECTURES_PER_SECTION:
        message = f"A section has at most {MAX_LECTURES_PER_SECTION} lectures. Use another section."
        raise _limit_reached(message, MAX_LECTURES_PER_SECTION)


def _limit_reached(message: str, limit: int) -> DomainError:
    return DomainError(ErrorCode.LIMIT_REACHED, message, ("section_id",), limit=limit)
