"""Visibility of certificates: the holder and course staff."""

from sqlalchemy import ColumnElement

from lms_graphql.catalog.policies import is_owner_or_course_staff
from lms_graphql.certificates.models import Certificate
from lms_graphql.core.actor import AccessLevel


def certificates_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the condition for a SELECT of certificates joined to their courses."""
    return is_owner_or_course_staff(access_level, Certificate.user_id)
