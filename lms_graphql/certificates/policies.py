"""Who may see certificates: their holder and course staff."""

from sqlalchemy import ColumnElement

from lms_graphql.catalog.policies import own_or_staff
from lms_graphql.certificates.models import Certificate
from lms_graphql.core.actor import AccessLevel


def certificates_visible_to(scope: AccessLevel) -> ColumnElement[bool]:
    """On a certificate and its course."""
    return own_or_staff(scope, Certificate.user_id)
