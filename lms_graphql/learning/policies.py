"""Visibility of enrollments and progress, for the learner and course staff, and of invitations, for staff alone."""

from sqlalchemy import ColumnElement, and_, false, true

from lms_graphql.catalog.models import Course, Enrollment
from lms_graphql.catalog.policies import courses_visible_to, is_owner_or_course_staff
from lms_graphql.core.actor import VIEWER, AccessLevel
from lms_graphql.learning.models import LectureProgress


def enrollments_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return a clause on an enrollment and its course. The course must be visible to the viewer as well."""
    return and_(courses_visible_to(access_level), is_owner_or_course_staff(access_level, Enrollment.user_id))


def progress_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return a clause on lecture progress and its course. The course must be visible to the viewer as well."""
    return and_(courses_visible_to(access_level), is_owner_or_course_staff(access_level, LectureProgress.user_id))


def invitations_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return a clause on an invitation's course: only course staff see the addresses that were invited."""
    if access_level is AccessLevel.SUPER_ADMIN:
        return true()
    return false() if access_level is AccessLevel.ANONYMOUS else Course.instructor_id == VIEWER
