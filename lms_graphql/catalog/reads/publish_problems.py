"""Reads of what blocks the publication of courses. The callers check that the actor is course staff."""

from collections.abc import Sequence

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from lms_graphql.catalog import hooks
from lms_graphql.catalog.models import Course, Lecture, Section
from lms_graphql.catalog.publish_checks import (
    CourseFacts,
    LectureFacts,
    PublishProblemFacts,
    SectionFacts,
    find_problems,
)
from lms_graphql.core.actor import Actor
from lms_graphql.core.statements import KEYS, fetch_rows, group_rows

COURSES = select(Course.id, Course.title, Course.description, Course.category_id).where(Course.id.in_(KEYS))
SECTIONS = (
    select(Section.course_id, Section.id, Section.title)
    .where(Section.course_id.in_(KEYS), Section.deleted_at.is_(None))
    .order_by(Section.course_id, Section.order_index, Section.id)
)
LECTURES = (
    select(
        Lecture.course_id,
        Lecture.id,
        Lecture.section_id,
        Lecture.title,
        Lecture.lecture_type,
        Lecture.video_url,
        Lecture.content_url,
        and_(Lecture.body.is_not(None), func.trim(Lecture.body) != ""),
    )
    .join(Section, Section.id == Lecture.section_id)
    .where(Lecture.course_id.in_(KEYS), Lecture.deleted_at.is_(None), Section.deleted_at.is_(None))
    .order_by(Lecture.course_id, Section.order_index, Section.id, Lecture.order_index, Lecture.id)
)


def problems_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[PublishProblemFacts]]:
    """Return all problems of each course: those of the catalog, then those of the hooks. An empty list is a pass."""
    params = {"keys": keys}
    sections = group_rows(fetch_rows(session, SECTIONS, params), lambda row: SectionFacts._make(row[1:]), by=0)
    lectures = group_rows(fetch_rows(session, LECTURES, params), lambda row: LectureFacts._make(row[1:]), by=0)
    hook_results = [check(session, keys) for check in hooks.publish_checks]
    problems = {}
    for row in fetch_rows(session, COURSES, params):
        course = CourseFacts._make(row)
        own_problems = find_problems(course, sections.get(course.key, []), lectures.get(course.key, []))
        hook_problems = [problem for result in hook_results for problem in result.get(course.key, ())]
        problems[course.key] = own_problems + hook_problems
    return problems
