"""Who sees what of learning: the person, and course staff."""

from sqlalchemy import ColumnElement, and_

from lms_graphql.catalog.models import Enrollment
from lms_graphql.catalog.policies import own_or_staff, visible_to
from lms_graphql.core.actor import AccessLevel
from lms_graphql.learning.models import LectureProgress


def enrollments_visible_to(scope: AccessLevel) -> ColumnElement[bool]:
    """On an enrollment and its course, as long as that is there for the viewer."""
    return and_(visible_to(scope), own_or_staff(scope, Enrollment.user_id))


def progress_visible_to(scope: AccessLevel) -> ColumnElement[bool]:
    """On the progress in a lecture and its course, as long as that is there for the viewer."""
    return and_(visible_to(scope), own_or_staff(scope, LectureProgress.user_id))
