"""Expiration of purchases: maintenance cancels those that were not paid in time."""

from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.billing.models import Transaction, TransactionStatus
from lms_graphql.billing.services.purchases import cancel_pending
from lms_graphql.billing.services.sales import lock_sale, peek_sale
from lms_graphql.core import clock
from lms_graphql.core.database import Database

BATCH_SIZE = 500


def cancel_overdue(database: Database) -> int:
    """Cancel the pending transactions whose time is over. Return their number. Each is a transaction of its own."""
    now, total = clock.now(), 0
    while keys := database.read_sync(partial(_overdue_keys, now=now)):
        total += sum(database.write_sync(partial(_cancel, key=key)) for key in keys)
    return total


def _overdue_keys(session: Session, now: datetime) -> list[int]:
    is_overdue = (Transaction.status == TransactionStatus.PENDING, Transaction.expires_at <= now)
    statement = select(Transaction.id).where(*is_overdue).order_by(Transaction.id).limit(BATCH_SIZE)
    return list(session.scalars(statement))


def _cancel(session: Session, key: int) -> bool:
    """Cancel a transaction that is still pending. Return whether it was."""
    sale = peek_sale(session, Transaction.id == key)
    return sale is not None and cancel_pending(session, lock_sale(session, sale))
