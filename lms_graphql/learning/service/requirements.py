"""What a course requires of those who learn: domain.md, Learning 4."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Lecture, Section
from lms_graphql.learning.reads.progress import standing_quizzes_of


class Required(NamedTuple):
    """Things to do: the lectures that exist, and the published quizzes that no lecture carries. Each counts once."""

    lectures: int
    quizzes: int


class Things(NamedTuple):
    """The same by their keys, in the order of the keys."""

    lectures: Sequence[int]
    quizzes: Sequence[int]


def required(session: Session, course_key: int) -> Required:
    things = required_things(session, course_key)
    return Required(len(things.lectures), len(things.quizzes))


def required_things(session: Session, course_key: int) -> Things:
    there = (Lecture.course_id == course_key, Lecture.deleted_at.is_(None), Section.deleted_at.is_(None))
    lectures = select(Lecture.id).join(Section, Section.id == Lecture.section_id).where(*there).order_by(Lecture.id)
    quizzes = standing_quizzes_of(session, [course_key]).get(course_key, ())
    return Things(session.scalars(lectures).all(), sorted(quizzes))
