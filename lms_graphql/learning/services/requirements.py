"""Requirements of a course: its lectures and its published course-level quizzes."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Lecture, Section
from lms_graphql.learning.reads.progress import course_level_quizzes_by_course


class RequiredCounts(NamedTuple):
    """Numbers of required lectures and quizzes. Each lecture or quiz counts once towards the percentage."""

    lectures: int
    quizzes: int


class RequiredItems(NamedTuple):
    """Keys of required lectures and quizzes, in ascending order."""

    lectures: Sequence[int]
    quizzes: Sequence[int]


def count_required(session: Session, course_key: int) -> RequiredCounts:
    items = required_items(session, course_key)
    return RequiredCounts(len(items.lectures), len(items.quizzes))


def required_items(session: Session, course_key: int) -> RequiredItems:
    exists = (Lecture.course_id == course_key, Lecture.deleted_at.is_(None), Section.deleted_at.is_(None))
    lectures = select(Lecture.id).join(Section, Section.id == Lecture.section_id).where(*exists).order_by(Lecture.id)
    quizzes = course_level_quizzes_by_course(session, [course_key]).get(course_key, ())
    return RequiredItems(session.scalars(lectures).all(), sorted(quizzes))
