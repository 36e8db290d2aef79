"""Sections are written, arranged and taken out."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from lms_graphql.catalog import hooks
from lms_graphql.catalog.models import Lecture, Section
from lms_graphql.catalog.services.course_locks import lock_course_to_edit, lock_section_to_edit, require_version
from lms_graphql.catalog.services.ordering import (
    finish_curriculum_change,
    lectures_of,
    sections_of,
    validate_position,
)
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import MAX_TITLE_LENGTH, Validator

MAX_SECTIONS = 100


def create_section(
    session: Session, actor: Actor, course_id: str, said: Mapping[str, Any], position: int | None
) -> int:
    """`said`: the texts. The key of the new section."""
    course = lock_course_to_edit(session, actor, course_id)
    form = Validator()
    texts, position = _checked(form, said), validate_position(form, position)
    form.raise_errors()
    order = sections_of(session, course)
    if len(order.keys) >= MAX_SECTIONS:
        raise DomainError(ErrorCode.LIMIT_REACHED, f"A course has at most {MAX_SECTIONS} sections.", ("course_id",))
    section = Section(course_id=course.id, **texts)
    order.insert(session, section, position)
    finish_curriculum_change(session, course)
    return section.id


def update_section(session: Session, actor: Actor, section_id: str, changes: Mapping[str, Any]) -> int:
    """`changes`: what is not in it stays as it is. The section's key."""
    course, section = lock_section_to_edit(session, actor, section_id)
    form = Validator()
    texts = _checked(form, changes)
    form.raise_errors()
    for column, value in texts.items():
        setattr(section, column, value)
    if texts:
        finish_curriculum_change(session, course)
    return section.id


def delete_section(session: Session, actor: Actor, section_id: str) -> str:
    """With its lectures. All rows stay, for what hangs on them. The id that is no more."""
    course, section = lock_section_to_edit(session, actor, section_id)
    order = sections_of(session, course)
    lectures = lectures_of(session, section).keys
    now = clock.now()
    execute_dml(session, update(Lecture).where(Lecture.id.in_(lectures)).values(deleted_at=now))
    section.deleted_at = now
    order.keys.remove(section.id)
    order.write(session)
    for tell in hooks.lectures_removed:
        tell(session, lectures)
    finish_curriculum_change(session, course, section)
    return section_id


def reorder_sections(
    session: Session, actor: Actor, course_id: str, section_ids: Sequence[str], expected_version: int | None
) -> int:
    """The course's key."""
    course = lock_course_to_edit(session, actor, course_id)
    require_version(course, expected_version)
    sections_of(session, course).reorder(session, section_ids, "section_ids")
    finish_curriculum_change(session, course)
    return course.id


def _checked(form: Validator, said: Mapping[str, Any]) -> dict[str, Any]:
    checked = dict(said)
    if "title" in said:
        checked["title"] = form.single_line("title", said["title"], most=MAX_TITLE_LENGTH)
    if "description" in said:
        checked["description"] = form.multi_line("description", said["description"])
    return checked
