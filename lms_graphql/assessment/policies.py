"""Policy of quizzes: who may see them, as a condition for many rows."""

from sqlalchemy import ColumnElement, and_, exists, false, or_, true

from lms_graphql.assessment.models import Quiz, QuizAccommodation, QuizAttempt
from lms_graphql.catalog.models import Course
from lms_graphql.catalog.policies import is_owner_or_course_staff, participates
from lms_graphql.core.actor import VIEWER, AccessLevel


def quizzes_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """
    Return the condition on a quiz and its course under which the viewer sees the quiz. Course staff see every quiz.
    Others see published quizzes if they have access to the course or an attempt of their own. It needs `NOW`.
    """
    if access_level is AccessLevel.SUPER_ADMIN:
        return true()
    if access_level is AccessLevel.ANONYMOUS:
        return false()
    has_attempt = exists().where(QuizAttempt.quiz_id == Quiz.id, QuizAttempt.user_id == VIEWER).correlate(Quiz)
    is_open = and_(Quiz.is_published, or_(participates(access_level), has_attempt))
    return or_(Course.instructor_id == VIEWER, is_open)


def questions_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the condition on a course under which the viewer sees answer keys: only course staff do."""
    if access_level is AccessLevel.SUPER_ADMIN:
        return true()
    return false() if access_level is AccessLevel.ANONYMOUS else Course.instructor_id == VIEWER


def attempts_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the condition on an attempt and its course under which the viewer sees the attempt."""
    return is_owner_or_course_staff(access_level, QuizAttempt.user_id)


def accommodations_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the condition on an accommodation and its course under which the viewer sees the accommodation."""
    return is_owner_or_course_staff(access_level, QuizAccommodation.user_id)
