"""Section services: create, update, delete and reorder."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from lms_graphql.catalog import hooks
from lms_graphql.catalog.models import Lecture, Section
from lms_graphql.catalog.services.course_locks import (
    bump_version,
    lock_course_to_edit,
    lock_section_to_edit,
    require_version,
)
from lms_graphql.catalog.services.ordering import (
    finish_curriculum_change,
    lecture_positions,
    section_positions,
    validate_position,
)
from lms_graphql.catalog.services.publication import no_new_problems
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import MAX_TITLE_LENGTH, Validator

MAX_SECTIONS = 100


def create_section(
    session: Session, actor: Actor, course_id: str, values: Mapping[str, Any], position: int | None
) -> int:
    """Add a section to a course and return its key. `values` has `title` and `description`.

    Raise NOT_FOUND, FORBIDDEN, LIMIT_REACHED, or validation errors.
    """
    course = lock_course_to_edit(session, actor, course_id)
    validator = Validator()
    columns, position = _validated_columns(validator, values), validate_position(validator, position)
    validator.raise_errors()
    order = section_positions(session, course)
    if len(order.keys) >= MAX_SECTIONS:
        message = f"A course has at most {MAX_SECTIONS} sections. Delete one first."
        raise DomainError(ErrorCode.LIMIT_REACHED, message, ("course_id",), limit=MAX_SECTIONS)
    section = Section(course_id=course.id, **columns)
    order.insert(session, section, position)
    finish_curriculum_change(session, course)
    return section.id


def update_section(
    session: Session, actor: Actor, section_id: str, expected_version: int | None, changes: Mapping[str, Any]
) -> int:
    """Change the fields in `changes` and return the section's key.

    Raise NOT_FOUND, FORBIDDEN, validation errors, or STALE_VERSION.
    """
    course, section = lock_section_to_edit(session, actor, section_id)
    validator = Validator()
    columns = _validated_columns(validator, changes)
    validator.raise_errors()
    require_version(section, expected_version)
    for column, value in columns.items():
        setattr(section, column, value)
    if columns:
        bump_version(section)
        finish_curriculum_change(session, course)
    return section.id


def delete_section(session: Session, actor: Actor, section_id: str, expected_version: int | None) -> int:
    """Mark a section and its lectures as deleted and return the course's key.

    The rows stay, because notes, questions and progress refer to them. Raise NOT_FOUND, FORBIDDEN, STALE_VERSION, or
    NOT_READY if the course is published and would have no sections or no lectures.
    """
    course, section = lock_section_to_edit(session, actor, section_id)
    require_version(section, expected_version)
    order = section_positions(session, course)
    lecture_keys = lecture_positions(session, section).keys
    now = clock.now()
    with no_new_problems(session, actor, course, "section_id"):
        execute_dml(session, update(Lecture).where(Lecture.id.in_(lecture_keys)).values(deleted_at=now))
        section.deleted_at = now
    order.keys.remove(section.id)
    order.write(session)
    for on_removed in hooks.lectures_removed:
        on_removed(session, lecture_keys)
    finish_curriculum_change(session, course, section)
    return course.id


def reorder_sections(
    session: Session, actor: Actor, course_id: str, section_ids: Sequence[str], expected_version: int | None
) -> int:
    """Put the sections of a course into the order of `section_ids` and return the course's key.

    Raise NOT_FOUND, FORBIDDEN, STALE_VERSION, or INVALID if the ids are not exactly those of the course's sections.
    """
    course = lock_course_to_edit(session, actor, course_id)
    require_version(course, expected_version)
    section_positions(session, course).reorder(session, section_ids, "section_ids")
    finish_curriculum_change(session, course)
    return course.id


def _validated_columns(validator: Validator, values: Mapping[str, Any]) -> dict[str, Any]:
    columns = dict(values)
    if "title" in values:
        columns["title"] = validator.single_line("title", values["title"], max_length=MAX_TITLE_LENGTH)
    if "description" in values:
        columns["description"] = validator.multi_line("description", values["description"])
    return columns
