"""Expiration of purchases: maintenance cancels those that were not paid in time."""

from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.billing.models import Transaction, TransactionStatus
from lms_graphql.billing.services.purchases import cancel_pending
from lms_graphql.billing.services.sales import lock_sale, peek_sale
from lms_graphql.core import clock, db_errors
from lms_graphql.core.database import Database

BATCH_SIZE = 500

log = structlog.get_logger("lms_graphql.billing")


def cancel_overdue(database: Database) -> int:
    """Cancel the pending transactions whose time is over. Return their number. Each is a transaction of its own.

    One that fails unexpectedly does not stop the others. It is tried again at the next run.
    """
    now, last_key, total = clock.now(), 0, 0
    while keys := database.read_sync(partial(_overdue_keys, now=now, after=last_key)):
        for key in keys:
            try:
                total += database.write_sync(partial(_cancel, key=key))
            except Exception as error:
                if db_errors.stops_all_work(error):
                    raise
                log.error("purchase_not_cancelled", transaction_key=key, exc_info=error)
        last_key = keys[-1]
    return total


def _overdue_keys(session: Session, now: datetime, after: int) -> list[int]:
    is_overdue = (Transaction.status == TransactionStatus.PENDING, Transaction.expires_at <= now)
    statement = select(Transaction.id).where(*is_overdue, Transaction.id > after).order_by(Transaction.id)
    return list(session.scalars(statement.limit(BATCH_SIZE)))


def _cancel(session: Session, key: int) -> bool:
    """Cancel a transaction that is still pending. Return whether it was."""
    sale = peek_sale(session, Transaction.id == key)
    return sale is not None and cancel_pending(session, lock_sale(session, sale))
