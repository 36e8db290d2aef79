"""Tables of transactions, payments and refunds. Amounts are integers in the currency's smallest unit.

The ledger of earnings and payouts is in `ledger_models.py`.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course
from lms_graphql.core.orm import (
    TABLE_OPTIONS,
    BigIntKey,
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


class PaymentOutcome(StrEnum):
    """Use of a payment that a gateway reported. All but `BOOKED` and `MISMATCH` are refunded at once."""

    BOOKED = "booked"
    DUPLICATE = "duplicate"
    """The buyer has already paid for the course."""
    LATE = "late"
    """The transaction was cancelled or failed before."""
    MISMATCH = "mismatch"
    """Its amount or currency is not that of the transaction. An operator decides."""


class RefundStatus(StrEnum):
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundKind(StrEnum):
    """Reason of a refund: who asked for it, or why the payment was not needed."""

    LEARNER = "learner"
    ADMIN = "admin"
    DISPUTE = "dispute"
    DUPLICATE_PAYMENT = "duplicate_payment"
    LATE_PAYMENT = "late_payment"


class Transaction(TimestampedModel):
    """Purchase of a course. `transaction_id` is the reference that users see.

    `gateway_transaction_id` names the checkout at the gateway, and `checkout_url` is its page. `reserved_amount` is
    the sum of the refunds of the booked payment that are PROCESSING. With `refunded_amount` it never exceeds
    `amount`, so that concurrent refunds cannot return more than was paid. `next_check_at` is when reconciliation asks
    the gateway next; null if there is nothing to ask. `disputed_at` is set while a dispute about its payment is open.
    """

    __tablename__ = "transactions"
    __table_args__ = (
        UniqueConstraint("transaction_id"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("refunded_amount >= 0 AND refunded_amount <= amount", name="refunded_amount"),
        CheckConstraint(
            "reserved_amount >= 0 AND refunded_amount + reserved_amount <= amount", name="reserved_amount"
        ),
        Index(None, "user_id", "created_at", "id"),
        Index(None, "course_id", "status", "created_at", "id"),
        Index(None, "status", "created_at", "id"),
        UniqueConstraint("payment_method", "gateway_transaction_id"),  # one row for a checkout
        Index(None, "receipt_code", unique=True),
        Index(None, "user_id", "course_id", "status"),
        Index(None, "status", "expires_at"),
        Index(None, "next_check_at"),
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
    reserved_amount: Mapped[int] = mapped_column(BigIntKey, default=0, server_default="0")
    checkout_url: Mapped[str | None] = mapped_column(long_text())
    expires_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None]
    disputed_at: Mapped[datetime | None]
    receipt_code: Mapped[str | None] = mapped_column(case_sensitive(40))

    user: Mapped[User] = relationship(lazy="raise")
    course: Mapped[Course] = relationship(lazy="raise")

    @property
    def net_amount(self) -> int:
        return self.amount - self.refunded_amount


class Payment(TimestampedModel):
    """Payment that a gateway reported, in one row, whatever it was used for. It was reported at `created_at`."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("payment_method", "gateway_payment_id"),
        Index(None, "transaction_id"),
        TABLE_OPTIONS,
    )

    transaction_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("transactions.id"))
    payment_method: Mapped[PaymentMethod] = mapped_column(checked_enum(PaymentMethod, "payment_method"))
    gateway_payment_id: Mapped[str] = mapped_column(case_sensitive(255))
    amount: Mapped[int] = mapped_column(BigIntKey)
    currency: Mapped[str] = mapped_column(case_sensitive(3))
    outcome: Mapped[PaymentOutcome] = mapped_column(checked_enum(PaymentOutcome, "outcome"))


class Refund(TimestampedModel):
    """Refund of a payment, or of a part of it.

    `reference` is the idempotency key of all calls to the gateway for this refund. `next_check_at` is when
    reconciliation asks the gateway next, while the refund is PROCESSING.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        UniqueConstraint("reference"),
        UniqueConstraint("payment_id", "gateway_refund_id"),
        CheckConstraint("amount > 0", name="amount"),
        Index(None, "transaction_id", "id"),
        Index(None, "requested_by_id"),
        Index(None, "status", "next_check_at"),
        TABLE_OPTIONS,
    )

    transaction_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("transactions.id"))
    payment_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("payments.id"))
    reference: Mapped[str] = mapped_column(case_sensitive(40))
    kind: Mapped[RefundKind] = mapped_column(checked_enum(RefundKind, "kind"))
    amount: Mapped[int] = mapped_column(BigIntKey)
    reason: Mapped[str] = mapped_column(long_text())
    status: Mapped[RefundStatus] = mapped_column(
        checked_enum(RefundStatus, "status"), default=RefundStatus.PROCESSING
    )
    requested_by_id: Mapped[int | None] = mapped_column(BigIntKey, ForeignKey("users.id"))
    gateway_refund_id: Mapped[str | None] = mapped_column(case_sensitive(255))
    next_check_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]


class GatewayEvent(TimestampedModel):
    """Event that a gateway sent: one row for each id, inserted in the transaction of its effect."""

    __tablename__ = "gateway_events"
    __table_args__ = (
        UniqueConstraint("payment_method", "event_id"),
        Index(None, "transaction_id"),
        Index(None, "created_at"),
        TABLE_OPTIONS,
    )

    payment_method: Mapped[PaymentMethod] = mapped_column(checked_enum(PaymentMethod, "payment_method"))
    event_id: Mapped[str] = mapped_column(case_sensitive(255))
    kind: Mapped[str] = mapped_column(case_sensitive(60))
    transaction_id: Mapped[int | None] = mapped_column(BigIntKey, ForeignKey("transactions.id"))


class DisputeStatus(StrEnum):
    """Status of a dispute. It only moves on in this order, so that the order of events does not matter."""

    OPEN = "open"
    WON = "won"
    """It has ended without a loss."""
    LOST = "lost"


class Dispute(TimestampedModel):
    """Dispute (chargeback) about a payment: one row for each id at the gateway and each payment that it names.

    It may be reported before its payment, so that it has the payment's id at the gateway and no foreign key.
    """

    __tablename__ = "disputes"
    __table_args__ = (
        UniqueConstraint("payment_method", "gateway_payment_id", "gateway_dispute_id"),
        TABLE_OPTIONS,
    )

    payment_method: Mapped[PaymentMethod] = mapped_column(checked_enum(PaymentMethod, "payment_method"))
    gateway_payment_id: Mapped[str] = mapped_column(case_sensitive(255))
    gateway_dispute_id: Mapped[str] = mapped_column(case_sensitive(255))
    status: Mapped[DisputeStatus] = mapped_column(checked_enum(DisputeStatus, "status"))


class FakePaymentStatus(StrEnum):
    OPEN = "open"
    PAID = "paid"
    DECLINED = "declined"
    EXPIRED = "expired"


class FakePayment(TimestampedModel):
    """Checkout at the fake gateway, which is a payment once it is PAID. `token` is in the URL of its page."""

    __tablename__ = "fake_payments"
    __table_args__ = (
        UniqueConstraint("token"),
        UniqueConstraint("reference"),
        CheckConstraint("refunded_amount >= 0 AND refunded_amount <= amount", name="refunded_amount"),
        TABLE_OPTIONS,
    )

    token: Mapped[str] = mapped_column(case_sensitive(64))
    reference: Mapped[str] = mapped_column(case_sensitive(40))
    amount: Mapped[int] = mapped_column(BigIntKey)
    refunded_amount: Mapped[int] = mapped_column(BigIntKey, default=0, server_default="0")
    currency: Mapped[str] = mapped_column(case_sensitive(3))
    description: Mapped[str] = mapped_column(long_text())
    return_url: Mapped[str] = mapped_column(long_text())
    status: Mapped[FakePaymentStatus] = mapped_column(
        checked_enum(FakePaymentStatus, "status"), default=FakePaymentStatus.OPEN
    )
    expires_at: Mapped[datetime]


class FakeRefund(TimestampedModel):
    """Refund at the fake gateway. `reference` is the idempotency key, so that a repeated call has no effect."""

    __tablename__ = "fake_refunds"
    __table_args__ = (UniqueConstraint("reference"), Index(None, "payment_id"), TABLE_OPTIONS)

    payment_id: Mapped[int] = mapped_column(BigIntKey, ForeignKey("fake_payments.id"))
    reference: Mapped[str] = mapped_column(case_sensitive(40))
    amount: Mapped[int] = mapped_column(BigIntKey)
