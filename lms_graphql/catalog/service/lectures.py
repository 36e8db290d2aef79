"""Lectures are written, arranged and taken out.

Writing one may hang a quiz on it, which is for the floor above: it opens the course, calls `add_lecture` or
`change_lecture`, and settles it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from lms_graphql.catalog import openings
from lms_graphql.catalog.models import Course, Lecture, LectureType, Section
from lms_graphql.catalog.reads.curriculum import SectionRow, sections_by_id
from lms_graphql.catalog.service.arranging import Order, lectures_of, position_of, settle
from lms_graphql.catalog.service.editing import demand_version, lecture_to_edit, section_to_edit
from lms_graphql.core import clock, ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import ErrorCode, Refusal, not_found
from lms_graphql.core.forms import LONGEST_BODY, LONGEST_TITLE, Form

MOST_LECTURES = 200
MOST_LECTURES_OF_COURSE = 1_000
LONGEST_SECONDS = 360_000


class Written(NamedTuple):
    """Where a field of the inputs is kept, and what it must be like."""

    column: str
    check: Callable[[Form, str, Any], Any]


def _title(form: Form, name: str, value: Any) -> str:
    return form.line(name, value, most=LONGEST_TITLE)


def _body(form: Form, name: str, value: Any) -> str | None:
    return form.text(name, value, most=LONGEST_BODY)


def _seconds(form: Form, name: str, value: Any) -> int:
    return form.number(name, value, most=LONGEST_SECONDS)


FIELDS: dict[str, Written] = {
    "title": Written("title", _title),
    "description": Written("description", Form.text),
    "duration_seconds": Written("duration", _seconds),
    "is_preview": Written("is_preview", Form.flag),
    "is_downloadable": Written("is_downloadable", Form.flag),
    "video_url": Written("video_url", Form.url),
    "body": Written("body", _body),
    "resource_url": Written("content_url", Form.url),
}


def add_lecture(
    session: Session,
    course: Course,
    section: Section,
    form: Form,
    kind: LectureType,
    said: Mapping[str, Any],
    position: int | None,
) -> Lecture:
    """`form`: with the faults that were found already. `said`: by the names of `FIELDS`."""
    values, position = _checked(form, said), position_of(form, position)
    form.done()
    order = lectures_of(session, section)
    _refuse_one_more(order)
    if course.total_lectures >= MOST_LECTURES_OF_COURSE:
        raise _limit(f"A course has at most {MOST_LECTURES_OF_COURSE:,} lectures.")
    lecture = Lecture(section_id=section.id, course_id=course.id, lecture_type=kind, **values)
    order.insert(session, lecture, position)
    return lecture


def change_lecture(lecture: Lecture, form: Form, changes: Mapping[str, Any]) -> None:
    """`changes`: what is not in it stays as it is, as the type always does."""
    values = _checked(form, changes)
    form.done()
    for column, value in values.items():
        setattr(lecture, column, value)


def delete_lecture(session: Session, actor: Actor, lecture_id: str) -> str:
    """The row stays, for the notes, questions and progress that hang on it. The id that is no more."""
    course, lecture = lecture_to_edit(session, actor, lecture_id)
    section = session.get_one(Section, lecture.section_id)
    order = lectures_of(session, section)
    lecture.deleted_at = clock.now()
    order.keys.remove(lecture.id)
    order.write(session)
    for tell in openings.lectures_removed:
        tell(session, [lecture.id])
    settle(session, course, section)
    return lecture_id


def move_lecture(session: Session, actor: Actor, lecture_id: str, section_id: str, position: int) -> int:
    """To a place in its own section or another of the course. The lecture's key."""
    course, lecture = lecture_to_edit(session, actor, lecture_id, lambda _: _seen(session, actor, section_id))
    source, target = session.get_one(Section, lecture.section_id), _target(session, actor, course, section_id)
    form = Form()
    position_of(form, position)
    form.done()
    order = lectures_of(session, source)
    order.keys.remove(lecture.id)
    if target is not source:
        order.write(session)
        order = lectures_of(session, target)
        _refuse_one_more(order)
        lecture.section_id = target.id
        session.flush()
    order.keys.insert(order.place(position), lecture.id)
    order.write(session)
    settle(session, course, source, target)
    return lecture.id


def reorder_lectures(
    session: Session, actor: Actor, section_id: str, lecture_ids: Sequence[str], expected_version: int | None
) -> int:
    """The section's key."""
    course, section = section_to_edit(session, actor, section_id)
    demand_version(course, expected_version)
    lectures_of(session, section).arrange(session, lecture_ids, "lecture_ids")
    settle(session, course, section)
    return section.id


def _checked(form: Form, said: Mapping[str, Any]) -> dict[str, Any]:
    return {FIELDS[name].column: FIELDS[name].check(form, name, value) for name, value in said.items()}


def _seen(session: Session, actor: Actor, section_id: str) -> SectionRow:
    key = ids.key_of("Section", section_id)
    seen = sections_by_id(session, actor, [key] if key is not None else [])
    if key is None or key not in seen:
        raise not_found("section_id")
    return seen[key]


def _target(session: Session, actor: Actor, course: Course, section_id: str) -> Section:
    seen = _seen(session, actor, section_id)
    if seen.course_key != course.id:
        raise Refusal(ErrorCode.INVALID, "A lecture stays in its course: name a section of that.", ("section_id",))
    return session.get_one(Section, seen.key)


def _refuse_one_more(order: Order) -> None:
    if len(order.keys) >= MOST_LECTURES:
        raise _limit(f"A section has at most {MOST_LECTURES} lectures.")


def _limit(message: str) -> Refusal:
    return Refusal(ErrorCode.LIMIT_REACHED, message, ("section_id",))
