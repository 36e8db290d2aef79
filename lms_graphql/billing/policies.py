"""Visibility of transactions and refunds for buyer and instructor, of earnings and payouts for the instructor.

Super admins see all of them.
"""

from sqlalchemy import ColumnElement, and_, exists, false, or_, true

from lms_graphql.billing.ledger_models import Earning, InstructorPayout
from lms_graphql.billing.models import Transaction
from lms_graphql.catalog.models import Course
from lms_graphql.core.actor import VIEWER, AccessLevel


def transactions_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return a clause on a transaction and its course.

    The instructor is the one at the time of the sale. Before a sale is completed, it is the course's instructor.
    """
    if access_level is AccessLevel.SUPER_ADMIN:
        return true()
    if access_level is AccessLevel.ANONYMOUS:
        return false()
    earning = exists().where(Earning.transaction_id == Transaction.id).correlate(Transaction)
    is_earner = earning.where(Earning.instructor_id == VIEWER)
    return or_(Transaction.user_id == VIEWER, is_earner, and_(Course.instructor_id == VIEWER, ~earning))


def earnings_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the clause for visible earnings."""
    return true() if access_level is AccessLevel.SUPER_ADMIN else Earning.instructor_id == VIEWER


def payouts_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """Return the clause for visible payouts."""
    return true() if access_level is AccessLevel.SUPER_ADMIN else InstructorPayout.instructor_id == VIEWER
