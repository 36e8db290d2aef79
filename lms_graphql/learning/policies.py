"""Who sees what of learning: the person, as long as they see the course, and course staff."""

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, false, or_, true

from lms_graphql.catalog.models import Course, Enrollment
from lms_graphql.catalog.policies import visible_to
from lms_graphql.core.actor import VIEWER, Scope
from lms_graphql.learning.models import LectureProgress


def enrollments_visible_to(scope: Scope) -> ColumnElement[bool]:
    """On an enrollment and its course."""
    return _own_or_staff(scope, Enrollment.user_id)


def progress_visible_to(scope: Scope) -> ColumnElement[bool]:
    """On the progress in a lecture and its course."""
    return _own_or_staff(scope, LectureProgress.user_id)


def _own_or_staff(scope: Scope, person: SQLColumnExpression[int]) -> ColumnElement[bool]:
    if scope is Scope.ADMIN:
        return true()
    if scope is Scope.ANONYMOUS:
        return false()
    return and_(visible_to(scope), or_(person == VIEWER, Course.instructor_id == VIEWER))
