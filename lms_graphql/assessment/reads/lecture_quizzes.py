"""Reads of lecture quizzes and course-level quizzes for the hooks of `catalog` and `learning`."""

from collections.abc import Sequence

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
    problems: dict[int, list[PublishProblemFacts]] = {}
    for course_key, lecture_key, title, quiz_key in fetch_rows(
        session, LECTURES_WITHOUT_PUBLISHED_QUIZ, {"keys": course_keys}
    ):
        code, message = PublishProblemCode.QUIZ_NOT_PUBLISHED, f'Publish the quiz of the lecture "{title}".'
        if quiz_key is None:
            code, message = PublishProblemCode.NO_QUIZ, f'Add a quiz to the lecture "{title}".'
        problems.setdefault(course_key, []).append(PublishProblemFacts(code, message, ("Lecture", lecture_key)))
    return problems


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
