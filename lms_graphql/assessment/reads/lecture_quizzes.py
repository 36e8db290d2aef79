"""Reads of lecture quizzes and course-level quizzes for the hooks of `catalog` and `learning`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import Quiz, QuizAttempt
from lms_graphql.catalog.models import Lecture, LectureType, Section
from lms_graphql.catalog.publish_checks import PublishProblemCode, PublishProblemFacts
from lms_graphql.core.statements import KEYS, fetch_rows, group_rows

LECTURES_WITHOUT_PUBLISHED_QUIZ = (
    select(Lecture.course_id, Lecture.id, Lecture.title, Quiz.id)
    .join(Section, Section.id == Lecture.section_id)
    .outerjoin(Quiz, Quiz.lecture_id == Lecture.id)
    .where(
        Lecture.course_id.in_(KEYS),
        Lecture.lecture_type == LectureType.QUIZ,
        Lecture.deleted_at.is_(None),
        Section.deleted_at.is_(None),
        Quiz.id.is_(None) | ~Quiz.is_published,
    )
    .order_by(Lecture.course_id, Section.order_index, Section.id, Lecture.order_index, Lecture.id)
)


def quiz_problems(session: Session, course_keys: Sequence[int]) -> dict[int, list[PublishProblemFacts]]:
    """Return a problem for each QUIZ lecture of the courses that has no quiz, or one that is not published."""
    return group_rows(fetch_rows(session, LECTURES_WITHOUT_PUBLISHED_QUIZ, {"keys": course_keys}), _problem, by=0)


def _problem(row: Any) -> PublishProblemFacts:
    """Return the problem of a row of `LECTURES_WITHOUT_PUBLISHED_QUIZ`. Its subject is what the author changes."""
    _, lecture_key, title, quiz_key = row
    if quiz_key is None:
        message = f'Add a quiz to the lecture "{title}".'
        return PublishProblemFacts(PublishProblemCode.NO_QUIZ, message, ("Lecture", lecture_key))
    message = f'Publish the quiz of the lecture "{title}".'
    return PublishProblemFacts(PublishProblemCode.QUIZ_NOT_PUBLISHED, message, ("Quiz", quiz_key))


def attempt_blocker(session: Session, course_key: int) -> str | None:
    """Return a message if the course has quiz attempts, because attempts are never deleted."""
    has_attempts = exists().where(QuizAttempt.quiz_id == Quiz.id, Quiz.course_id == course_key)
    return "This course has quiz attempts, which are not deleted." if session.scalar(select(has_attempts)) else None


COURSE_LEVEL_QUIZZES = select(Quiz.course_id, Quiz.id).where(
    Quiz.course_id.in_(KEYS), Quiz.is_published, Quiz.lecture_id.is_(None)
)


def course_level_quizzes(session: Session, course_keys: Sequence[int]) -> dict[int, list[int]]:
    """Return the keys of the published course-level quizzes of each course."""
    return group_rows(fetch_rows(session, COURSE_LEVEL_QUIZZES, {"keys": course_keys}), lambda row: row[1], by=0)
