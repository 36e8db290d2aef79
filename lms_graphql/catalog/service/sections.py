"""Sections are written, arranged and taken out."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from lms_graphql.catalog import openings
from lms_graphql.catalog.models import Lecture, Section
from lms_graphql.catalog.service.arranging import lectures_of, position_of, sections_of, settle
from lms_graphql.catalog.service.editing import course_to_edit, demand_version, section_to_edit
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import ErrorCode, Refusal
from lms_graphql.core.forms import LONGEST_TITLE, Form
from lms_graphql.core.statements import changed

MOST_SECTIONS = 100


def create_section(
    session: Session, actor: Actor, course_id: str, said: Mapping[str, Any], position: int | None
) -> int:
    """`said`: the texts. The key of the new section."""
    course = course_to_edit(session, actor, course_id)
    form = Form()
    texts, position = _checked(form, said), position_of(form, position)
    form.done()
    order = sections_of(session, course)
    if len(order.keys) >= MOST_SECTIONS:
        raise Refusal(ErrorCode.LIMIT_REACHED, f"A course has at most {MOST_SECTIONS} sections.", ("course_id",))
    section = Section(course_id=course.id, **texts)
    order.insert(session, section, position)
    settle(session, course)
    return section.id


def update_section(session: Session, actor: Actor, section_id: str, changes: Mapping[str, Any]) -> int:
    """`changes`: what is not in it stays as it is. The section's key."""
    course, section = section_to_edit(session, actor, section_id)
    form = Form()
    texts = _checked(form, changes)
    form.done()
    for column, value in texts.items():
        setattr(section, column, value)
    if texts:
        settle(session, course)
    return section.id


def delete_section(session: Session, actor: Actor, section_id: str) -> str:
    """With its lectures. All rows stay, for what hangs on them. The id that is no more."""
    course, section = section_to_edit(session, actor, section_id)
    order = sections_of(session, course)
    lectures = lectures_of(session, section).keys
    now = clock.now()
    changed(session, update(Lecture).where(Lecture.id.in_(lectures)).values(deleted_at=now))
    section.deleted_at = now
    order.keys.remove(section.id)
    order.write(session)
    for tell in openings.lectures_removed:
        tell(session, lectures)
    settle(session, course, section)
    return section_id


def reorder_sections(
    session: Session, actor: Actor, course_id: str, section_ids: Sequence[str], expected_version: int | None
) -> int:
    """The course's key."""
    course = course_to_edit(session, actor, course_id)
    demand_version(course, expected_version)
    sections_of(session, course).arrange(session, section_ids, "section_ids")
    settle(session, course)
    return course.id


def _checked(form: Form, said: Mapping[str, Any]) -> dict[str, Any]:
    checked = dict(said)
    if "title" in said:
        checked["title"] = form.line("title", said["title"], most=LONGEST_TITLE)
    if "description" in said:
        checked["description"] = form.text("description", said["description"])
    return checked
