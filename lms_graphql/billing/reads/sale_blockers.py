"""Whether a course was sold, as its catalog asks before it takes the course away."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from lms_graphql.billing.models import Transaction, TransactionStatus


def pending_sale_blocker(session: Session, course_key: int) -> str | None:
    """Somebody is about to pay, and would pay for a draft."""
    pending = (Transaction.course_id == course_key, Transaction.status == TransactionStatus.PENDING)
    if not session.scalar(select(exists().where(*pending))):
        return None
    return "Somebody is paying for this course. Wait until that is done or given up."


def sale_blocker(session: Session, course_key: int) -> str | None:
    """Whatever became of them: money that was asked for stays in the books."""
    sold = session.scalar(select(exists().where(Transaction.course_id == course_key)))
    return "There are payments for this course, which are kept." if sold else None
