"""What a course requires of those who learn: domain.md, Learning 4."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Lecture, Section
from lms_graphql.learning.reads.progress import course_level_quizzes_by_course


class RequiredCounts(NamedTuple):
    """Things to do: the lectures that exist, and the published quizzes that no lecture carries. Each counts once."""

    lectures: int
    quizzes: int


class RequiredItems(NamedTuple):
    """The same by their keys, in the order of the keys."""

    lectures: Sequence[int]
    quizzes: Sequence[int]


def count_required(session: Session, course_key: int) -> RequiredCounts:
    things = required_items(session, course_key)
    return RequiredCounts(len(things.lectures), len(things.quizzes))


def required_items(session: Session, course_key: int) -> RequiredItems:
    there = (Lecture.course_id == course_key, Lecture.deleted_at.is_(None), Section.deleted_at.is_(None))
    lectures = select(Lecture.id).join(Section, Section.id == Lecture.section_id).where(*there).order_by(Lecture.id)
    quizzes = course_level_quizzes_by_course(session, [course_key]).get(course_key, ())
    return RequiredItems(session.scalars(lectures).all(), sorted(quizzes))
