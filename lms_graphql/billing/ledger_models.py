"""Tables of earnings and payouts. Amounts are integers in the currency's smallest unit.

Rows of `earning_entries` and `payout_items` are only added. `Earning` and `InstructorPayout` show their sums.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_graphql.accounts.models import User
from lms_graphql.core.orm import (
    TABLE_OPTIONS,
    BigIntKey,
    FixedDecimal,
    TimestampedModel,
    case_sensitive,
    checked_enum,
)


class PayoutStatus(StrEnum):
    SCHEDULED = "scheduled"
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class InstructorCommission(TimestampedModel):
    """Percentage that one instructor gets of sales, instead of the platform's default."""

    __tablename__ = "instructor_commissions"
    __table_args__ = (
        UniqueConstraint("instructor_id"),
        CheckConstraint("rate >= 0 AND rate <= 10000", name="rate"),
        TABLE_OPTIONS,
    )

    instructor_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    rate: Mapped[Decimal] = mapped_column(FixedDecimal)


class InstructorPayout(TimestampedModel):
    """Payout to an instructor. `payout_id` is the reference that users see.

    `commission_rate` is the percentage that the instructor gets: the rates of its earnings, weighted by net amount.
    """

    __tablename__ = "instructor_payouts"
    __table_args__ = (
        UniqueConstraint("payout_id"),
        Index(None, "statement_code", unique=True),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("commission_rate >= 0 AND commission_rate <= 10000", name="commission_rate"),
        Index(None, "instructor_id", "created_at", "id"),
        Index(None, "status", "created_at", "id"),
        Index(None, "created_at", "id"),
        TABLE_OPTIONS,
    )

    instructor_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    payout_id: Mapped[str] = mapped_column(case_sensitive(40))
    amount: Mapped[int] = mapped_column(BigIntKey)
    currency: Mapped[str] = mapped_column(case_sensitive(3))
    commission_rate: Mapped[Decimal] = mapped_column(FixedDecimal)
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    status: Mapped[PayoutStatus] = mapped_column(checked_enum(PayoutStatus, "status"), default=PayoutStatus.SCHEDULED)
    external_payout_id: Mapped[str | None] = mapped_column(case_sensitive(255))
    processed_at: Mapped[datetime | None]
    statement_code: Mapped[str | None] = mapped_column(case_sensitive(40))

    instructor: Mapped[User] = relationship(lazy="raise")


class Earning(TimestampedModel):
    """Earning of an instructor from a sale. `sequence` is 0.

    A refund reduces it while no payout holds it. After that, the refund adds a negative earning with the next
    `sequence`. `net_amount`, `amount` (the instructor's part) and `platform_amount` are the sums of its entries.
    `payout_id` is the SCHEDULED, PROCESSING or PAID payout that holds it.
    """

    __tablename__ = "earnings"
    __table_args__ = (
        UniqueConstraint("transaction_id", "sequence"),
        CheckConstraint("amount + platform_amount = net_amount", name="parts"),
        CheckConstraint("commission_rate >= 0 AND commission_rate <= 10000", name="commission_rate"),
        Index(None, "instructor_id", "created_at", "id"),
        Index(None, "instructor_id", "currency", "payout_id"),
        Index(None, "payout_id", "available_at", "id"),
        TABLE_OPTIONS,
    )

    instructor_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    transaction_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("transactions.id"))
    sequence: Mapped[int]
    currency: Mapped[str] = mapped_column(case_sensitive(3))
    net_amount: Mapped[int] = mapped_column(BigIntKey)
    amount: Mapped[int] = mapped_column(BigIntKey)
    platform_amount: Mapped[int] = mapped_column(BigIntKey)
    commission_rate: Mapped[Decimal] = mapped_column(FixedDecimal)
    available_at: Mapped[datetime]
    payout_id: Mapped[int | None] = mapped_column(BigIntKey, ForeignKey("instructor_payouts.id"))


class EarningEntry(TimestampedModel):
    """Entry of the ledger: the sale, or a refund (negative). Rows never change."""

    __tablename__ = "earning_entries"
    __table_args__ = (
        UniqueConstraint("refund_id"),
        Index(None, "earning_id"),
        CheckConstraint("amount + platform_amount = net_amount", name="parts"),
        TABLE_OPTIONS,
    )

    earning_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("earnings.id"))
    refund_id: Mapped[int | None] = mapped_column(BigIntKey, ForeignKey("refunds.id"))
    net_amount: Mapped[int] = mapped_column(BigIntKey)
    amount: Mapped[int] = mapped_column(BigIntKey)
    platform_amount: Mapped[int] = mapped_column(BigIntKey)


class PayoutItem(TimestampedModel):
    """Earning in a payout, with its amounts at that time. Rows never change, also if the payout fails."""

    __tablename__ = "payout_items"
    __table_args__ = (UniqueConstraint("payout_id", "earning_id"), Index(None, "earning_id"), TABLE_OPTIONS)

    payout_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("instructor_payouts.id"))
    earning_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("earnings.id"))
    net_amount: Mapped[int] = mapped_column(BigIntKey)
    amount: Mapped[int] = mapped_column(BigIntKey)
