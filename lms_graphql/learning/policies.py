"""Who sees what of learning: the person, and course staff."""

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, false, or_, true

from lms_graphql.catalog.models import Course, Enrollment
from lms_graphql.catalog.policies import visible_to
from lms_graphql.core.actor import VIEWER, AccessLevel
from lms_graphql.learning.models import Certificate, LectureProgress


def enrollments_visible_to(scope: AccessLevel) -> ColumnElement[bool]:
    """On an enrollment and its course, as long as that is there for the viewer."""
    return and_(visible_to(scope), _own_or_staff(scope, Enrollment.user_id))


def progress_visible_to(scope: AccessLevel) -> ColumnElement[bool]:
    """On the progress in a lecture and its course, as long as that is there for the viewer."""
    return and_(visible_to(scope), _own_or_staff(scope, LectureProgress.user_id))


def certificates_visible_to(scope: AccessLevel) -> ColumnElement[bool]:
    """On a certificate and its course."""
    return _own_or_staff(scope, Certificate.user_id)


def _own_or_staff(scope: AccessLevel, person: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """`person` is whose it is."""
    if scope is AccessLevel.ADMIN:
        return true()
    if scope is AccessLevel.ANONYMOUS:
        return false()
    return or_(person == VIEWER, Course.instructor_id == VIEWER)
