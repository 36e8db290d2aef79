"""Tables of payments and payouts. Amounts are integers in the currency's smallest unit."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course
from lms_graphql.core.orm import (
    TABLE_OPTIONS,
    BigIntKey,
    FixedDecimal,
    TimestampedModel,
    case_sensitive,
    checked_enum,
    long_text,
)


class TransactionStatus(StrEnum):
    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


class PaymentMethod(StrEnum):
    STRIPE = "stripe"
    PAYPAL = "paypal"
    BANK_TRANSFER = "bank_transfer"
    FREE = "free"
    FAKE = "fake"


class PayoutStatus(StrEnum):
    SCHEDULED = "scheduled"
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Transaction(TimestampedModel):
    """Payment for a course. `transaction_id` is the reference that users see."""

    __tablename__ = "transactions"
    __table_args__ = (
        UniqueConstraint("transaction_id"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("refunded_amount >= 0 AND refunded_amount <= amount", name="refunded_amount"),
        Index(None, "user_id", "created_at", "id"),
        Index(None, "course_id", "status", "created_at", "id"),
        Index(None, "status", "created_at", "id"),
        UniqueConstraint("payment_method", "gateway_transaction_id"),  # one row for a payment
        Index(None, "created_at", "id"),
        Index(None, "updated_at", "course_id"),
        TABLE_OPTIONS,
    )

    user_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("courses.id"))
    transaction_id: Mapped[str] = mapped_column(case_sensitive(40))
    amount: Mapped[int] = mapped_column(BigIntKey)
    refunded_amount: Mapped[int] = mapped_column(BigIntKey, default=0, server_default="0")
    currency: Mapped[str] = mapped_column(case_sensitive(3))
    status: Mapped[TransactionStatus] = mapped_column(
        checked_enum(TransactionStatus, "status"), default=TransactionStatus.PENDING
    )
    payment_method: Mapped[PaymentMethod] = mapped_column(checked_enum(PaymentMethod, "payment_method"))
    gateway_transaction_id: Mapped[str | None] = mapped_column(case_sensitive(255))
    description: Mapped[str | None] = mapped_column(long_text())
    completed_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")
    course: Mapped[Course] = relationship(lazy="raise")

    @property
    def is_successful(self) -> bool:
        """Return whether the payment was received and not refunded completely."""
        return self.status in {TransactionStatus.COMPLETED, TransactionStatus.PARTIALLY_REFUNDED}

    @property
    def net_amount(self) -> int:
        return self.amount - self.refunded_amount


class InstructorPayout(TimestampedModel):
    """Payout to an instructor. `commission_rate` is the percentage that the instructor gets."""

    __tablename__ = "instructor_payouts"
    __table_args__ = (
        UniqueConstraint("payout_id"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("commission_rate >= 0 AND commission_rate <= 10000", name="commission_rate"),
        Index(None, "instructor_id", "created_at", "id"),
        Index(None, "status", "created_at", "id"),
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

    instructor: Mapped[User] = relationship(lazy="raise")
