"""Who sees a quiz. A clause for many."""

from sqlalchemy import ColumnElement, and_, exists, false, or_, true

from lms_graphql.assessment.models import Quiz, QuizAttempt
from lms_graphql.catalog.models import Course
from lms_graphql.catalog.policies import participates
from lms_graphql.core.actor import VIEWER, AccessLevel


def visible_to(scope: AccessLevel) -> ColumnElement[bool]:
    """
    On a quiz and its course: staff see each, others the published ones, with access or an attempt of their own.
    Needs `NOW`.
    """
    if scope is AccessLevel.ADMIN:
        return true()
    if scope is AccessLevel.ANONYMOUS:
        return false()
    tried = exists().where(QuizAttempt.quiz_id == Quiz.id, QuizAttempt.user_id == VIEWER).correlate(Quiz)
    return or_(Course.instructor_id == VIEWER, and_(Quiz.is_published, or_(participates(scope), tried)))
