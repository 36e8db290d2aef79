"""Visibility of transactions: for the buyer, for the instructor who earns from them, and for super admins."""

from sqlalchemy import ColumnElement, and_, exists, false, or_, true

from lms_graphql.billing.ledger_models import Earning
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
