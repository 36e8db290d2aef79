"""Reads of payments that block changes of a course, for the hooks of `catalog`."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from lms_graphql.billing.models import Transaction, TransactionStatus


def pending_sale_blocker(session: Session, course_key: int) -> str | None:
    """Return a message if the course has a pending payment, because its buyer would pay for a draft."""
    is_pending = (Transaction.course_id == course_key, Transaction.status == TransactionStatus.PENDING)
    if not session.scalar(select(exists().where(*is_pending))):
        return None
    return "This course has a pending payment. Wait until it is completed or cancelled."


def sale_blocker(session: Session, course_key: int) -> str | None:
    """Return a message if the course has payments of any status, because payments are never deleted."""
    has_payments = session.scalar(select(exists().where(Transaction.course_id == course_key)))
    return "This course has payments, which are not deleted." if has_payments else None
