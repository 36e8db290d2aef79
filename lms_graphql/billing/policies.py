"""Visibility of transactions and refunds for buyer and instructor, of earnings and payouts for the instructor.

Super admins see all of them.
"""

from sqlalchemy import ColumnElement, and_, exists, false, or_, true

from lms_graphql.billing.ledger_models import Earning, InstructorPayout
from lms_graphql.core.actor import VIEWER, AccessLevel


def earnings_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the clause for visible earnings."""
    return true() if access_level is AccessLevel.SUPER_ADMIN else Earning.instructor_id == VIEWER


def payouts_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the clause for visible payouts."""
    return true() if access_level is AccessLevel.SUPER_ADMIN else InstructorPayout.instructor_id == VIEWER
