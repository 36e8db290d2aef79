"""Reads of sections and lectures.

Reads by course or section do not check whether the parent is visible, because it was loaded by a read that checks it.
Reads by key check it themselves.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Lecture, LectureType, Section
from lms_graphql.catalog.policies import courses_visible_to, sections_visible_to
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows, group_rows


@with_global_id("Section")
class SectionRow(NamedTuple):
    key: int
    course_key: int
    title: str
    description: str | None
    position: int
    lecture_count: int
    duration_seconds: int
    updated_at: datetime
    version: int


@with_global_id("Lecture")
class LectureRow(NamedTuple):
    key: int
    section_key: int
    course_key: int
    title: str
    description: str | None
    type: LectureType
    position: int
    duration_seconds: int
    is_preview: bool
    is_downloadable: bool
    updated_at: datetime
    version: int


SECTIONS = select(
    Section.id,
    Section.course_id,
    Section.title,
    Section.description,
    Section.order_index,
    Section.total_lectures,
    Section.total_duration,
    Section.updated_at,
    Section.version,
).where(Section.deleted_at.is_(None))
LECTURES = select(
    Lecture.id,
    Lecture.section_id,
    Lecture.course_id,
    Lecture.title,
    Lecture.description,
    Lecture.lecture_type,
    Lecture.order_index,
    Lecture.duration,
    Lecture.is_preview,
    Lecture.is_downloadable,
    Lecture.updated_at,
    Lecture.version,
).where(Lecture.deleted_at.is_(None))

LECTURES_BY_SECTION = LECTURES.where(Lecture.section_id.in_(KEYS)).order_by(
    Lecture.section_id, Lecture.order_index, Lecture.id
)
VERSIONS = select(Course.id, Course.version, Course.updated_at).where(Course.id.in_(KEYS))
LECTURES_IN_COURSE_ORDER = (
    select(Lecture.course_id, Lecture.id)
    .join(Section, Section.id == Lecture.section_id)
    .where(Lecture.course_id.in_(KEYS), Lecture.deleted_at.is_(None), Section.deleted_at.is_(None))
    .order_by(Lecture.course_id, Section.order_index, Section.id, Lecture.order_index, Lecture.id)
)


@cache
def _sections_by_course(access_level: AccessLevel) -> RowSelect:
    sections = SECTIONS.join(Course, Course.id == Section.course_id).where(Section.course_id.in_(KEYS))
    visible = sections.where(sections_visible_to(access_level))
    return visible.order_by(Section.course_id, Section.order_index, Section.id)


@cache
def _section_counts(access_level: AccessLevel) -> RowSelect:
    counts = select(Section.course_id, func.count()).join(Course, Course.id == Section.course_id)
    exists = (Section.course_id.in_(KEYS), Section.deleted_at.is_(None))
    return counts.where(*exists, sections_visible_to(access_level)).group_by(Section.course_id)


def sections_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[SectionRow]]:
    rows = fetch_rows(session, _sections_by_course(actor.access_level), {**actor.bind_params, "keys": keys})
    return group_rows(rows, SectionRow._make, by=1)


def lectures_by_section(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[LectureRow]]:
    return group_rows(fetch_rows(session, LECTURES_BY_SECTION, {"keys": keys}), LectureRow._make, by=1)


def section_counts_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, int]:
    rows = fetch_rows(session, _section_counts(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: row[1] for row in rows}


def curriculum_versions(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, tuple[int, datetime]]:
    """Return the versions of the courses' curricula, as `policies.curriculum_version` does. No access is checked."""
    return {row[0]: (row[1], row[2]) for row in fetch_rows(session, VERSIONS, {"keys": keys})}


class Neighbours(NamedTuple):
    """The keys of the lectures before and after a lecture; None at the ends of the course."""

    previous: int | None
    next: int | None


def neighbours_by_lecture(
    session: Session, actor: Actor, keys: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Neighbours]:
    """Return the neighbours of each (course key, lecture key), in the order of the course across its sections."""
    courses = sorted({course for course, _ in keys})
    rows = fetch_rows(session, LECTURES_IN_COURSE_ORDER, {"keys": courses})
    neighbours = {}
    for course, lectures in group_rows(rows, lambda row: row[1], by=0).items():
        for previous, lecture, following in zip([None, *lectures], lectures, [*lectures[1:], None], strict=False):
            neighbours[course, lecture] = Neighbours(previous, following)
    return neighbours


@cache
def _sections_by_key(access_level: AccessLevel) -> RowSelect:
    sections = SECTIONS.join(Course, Course.id == Section.course_id)
    return sections.where(Section.id.in_(KEYS), courses_visible_to(access_level), sections_visible_to(access_level))


@cache
def _lectures_by_key(access_level: AccessLevel) -> RowSelect:
    lectures = LECTURES.join(Section, Section.id == Lecture.section_id).where(Section.deleted_at.is_(None))
    in_course = lectures.join(Course, Course.id == Lecture.course_id)
    return in_course.where(Lecture.id.in_(KEYS), courses_visible_to(access_level))


def sections_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, SectionRow]:
    rows = fetch_rows(session, _sections_by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: SectionRow._make(row) for row in rows}


def lectures_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, LectureRow]:
    rows = fetch_rows(session, _lectures_by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: LectureRow._make(row) for row in rows}
