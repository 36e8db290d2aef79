"""Policies of quizzes, questions, attempts and accommodations: who may see them, as conditions for many rows."""

from sqlalchemy import ColumnElement, and_, exists, false, or_, true

from lms_graphql.assessment.models import Quiz, QuizAccommodation, QuizAttempt
from lms_graphql.catalog.models import Course
from lms_graphql.catalog.policies import courses_visible_to, is_owner_or_course_staff, participates
from lms_graphql.core.actor import VIEWER, AccessLevel


def quizzes_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """
    Return the condition on a quiz and its course under which the viewer sees the quiz. It needs `NOW`.

    Course staff see every quiz. Others see published quizzes if they have access to the course. They also see all
    quizzes with an attempt of their own, because that attempt stays visible and has its quiz. The course must be
    visible to the viewer as well.
    """
    if access_level is AccessLevel.SUPER_ADMIN:
        return true()
    if access_level is AccessLevel.ANONYMOUS:
        return false()
    has_attempt = exists().where(QuizAttempt.quiz_id == Quiz.id, QuizAttempt.user_id == VIEWER).correlate(Quiz)
    is_open = and_(Quiz.is_published, participates(access_level))
    return or_(Course.instructor_id == VIEWER, and_(courses_visible_to(access_level), or_(is_open, has_attempt)))


def questions_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the condition on a course under which the viewer sees answer keys: only course staff do."""
    if access_level is AccessLevel.SUPER_ADMIN:
        return true()
    return false() if access_level is AccessLevel.ANONYMOUS else Course.instructor_id == VIEWER


def attempts_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """
    Return the condition on an attempt and its course under which the viewer sees the attempt. The course must be
    visible to the viewer as well.
    """
    is_visible = is_owner_or_course_staff(access_level, QuizAttempt.user_id)
    return and_(courses_visible_to(access_level), is_visible)


def accommodations_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """
    Return the condition on an accommodation, its quiz and its course under which the viewer sees the accommodation.
    The quiz must be visible to the viewer as well. It needs `NOW`.
    """
    is_visible = is_owner_or_course_staff(access_level, QuizAccommodation.user_id)
    return and_(quizzes_visible_to(access_level), is_visible)
