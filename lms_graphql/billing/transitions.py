"""Transitions of a transaction's status."""

from collections.abc import Mapping

from lms_graphql.billing.models import TransactionStatus

SOURCES: Mapping[TransactionStatus, frozenset[TransactionStatus]] = {
    TransactionStatus.COMPLETED: frozenset({TransactionStatus.PENDING}),
    TransactionStatus.FAILED: frozenset({TransactionStatus.PENDING}),
    TransactionStatus.CANCELLED: frozenset({TransactionStatus.PENDING}),
    TransactionStatus.PARTIALLY_REFUNDED: frozenset(
        {TransactionStatus.COMPLETED, TransactionStatus.PARTIALLY_REFUNDED}
    ),
    TransactionStatus.REFUNDED: frozenset({TransactionStatus.COMPLETED, TransactionStatus.PARTIALLY_REFUNDED}),
}
"""Statuses from which a transaction may change to each status. A second partial refund keeps the status."""

SUCCESSFUL = (TransactionStatus.COMPLETED, TransactionStatus.PARTIALLY_REFUNDED)
"""Statuses of a payment that was received and not refunded completely."""
UNPAID = (TransactionStatus.CANCELLED, TransactionStatus.FAILED)
"""Statuses of a transaction that ended without a payment."""
