"""Who sees what of learning: the person, and course staff."""

from sqlalchemy import ColumnElement, SQLColumnExpression, false, or_, true

from lms_graphql.catalog.models import Course
from lms_graphql.core.actor import VIEWER, Scope
from lms_graphql.learning.models import Certificate


def certificates_visible_to(scope: Scope) -> ColumnElement[bool]:
    """On a certificate and its course."""
    return _own_or_staff(scope, Certificate.user_id)


def _own_or_staff(scope: Scope, person: SQLColumnExpression[int]) -> ColumnElement[bool]:
    if scope is Scope.ADMIN:
        return true()
    if scope is Scope.ANONYMOUS:
        return false()
    return or_(person == VIEWER, Course.instructor_id == VIEWER)
