"""What a course asks for: everything that is to be done until it is completed."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Lecture
from lms_graphql.learning import openings


class Required(NamedTuple):
    """A quiz that a lecture carries is done with its lecture, and counts there."""

    lectures: int
    quizzes: int


def required(session: Session, course_key: int) -> Required:
    """Stays true for as long as the course's row is locked."""
    there = (Lecture.course_id == course_key, Lecture.deleted_at.is_(None))
    lectures = session.scalar(select(func.count()).where(*there)) or 0
    return Required(lectures, sum(count(session, course_key) for count in openings.required_quizzes))
