"""Payments, refunds, gateway events, the ledger of earnings and payouts, and idempotency keys.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
blocks_writes_to = ("transactions",)


def upgrade() -> None:
    _create_fake_payments()
    _create_idempotency_keys()
    _create_fake_refunds()
    _create_instructor_commissions()
    _create_earnings()
    _create_gateway_events()
    _create_payments()
    _create_payout_items()
    _create_refunds()
    _create_earning_entries()
    op.add_column("instructor_payouts", sa.Column("statement_code", orm.case_sensitive(40), nullable=True))
    op.create_index(
        op.f("ix_instructor_payouts_created_at_id"), "instructor_payouts", ["created_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_instructor_payouts_statement_code"), "instructor_payouts", ["statement_code"], unique=True
    )
    _add_reserved_amount()
    op.add_column("transactions", sa.Column("checkout_url", orm.long_text(), nullable=True))
    op.add_column("transactions", sa.Column("expires_at", orm.UtcDateTime(), nullable=True))
    op.add_column("transactions", sa.Column("next_check_at", orm.UtcDateTime(), nullable=True))
    op.add_column("transactions", sa.Column("disputed_at", orm.UtcDateTime(), nullable=True))
    op.add_column("transactions", sa.Column("receipt_code", orm.case_sensitive(40), nullable=True))
    op.create_index(op.f("ix_transactions_next_check_at"), "transactions", ["next_check_at"], unique=False)
    op.create_index(op.f("ix_transactions_status_expires_at"), "transactions", ["status", "expires_at"], unique=False)
    op.create_index(
        op.f("ix_transactions_user_id_course_id_status"),
        "transactions",
        ["user_id", "course_id", "status"],
        unique=False,
    )
    op.create_index(op.f("ix_transactions_receipt_code"), "transactions", ["receipt_code"], unique=True)


def downgrade() -> None:
    for columns in (["receipt_code"], ["user_id", "course_id", "status"], ["status", "expires_at"], ["next_check_at"]):
        op.drop_index(op.f("ix_transactions_" + "_".join(columns)), table_name="transactions")
    for name in ("receipt_code", "disputed_at", "next_check_at", "expires_at", "checkout_url"):
        op.drop_column("transactions", name)
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_transactions_reserved_amount"), "transactions", type_="check")
    op.drop_column("transactions", "reserved_amount")
    for columns in (["statement_code"], ["created_at", "id"]):
        op.drop_index(op.f("ix_instructor_payouts_" + "_".join(columns)), table_name="instructor_payouts")
    op.drop_column("instructor_payouts", "statement_code")
    for table in (
        "earning_entries",
        "refunds",
        "payout_items",
        "payments",
        "gateway_events",
        "earnings",
        "instructor_commissions",
        "idempotency_keys",
        "fake_refunds",
        "fake_payments",
    ):
        op.drop_table(table)


PAYMENT_METHODS = ("stripe", "paypal", "bank_transfer", "free", "fake")


def _add_reserved_amount() -> None:
    """Add the column with its CHECK constraint, which SQLite adds only together with the column."""
    rule = "reserved_amount >= 0 AND refunded_amount + reserved_amount <= amount"
    name = op.f("ck_transactions_reserved_amount")
    if op.get_bind().dialect.name == "sqlite":
        column = "reserved_amount INTEGER DEFAULT '0' NOT NULL"
        op.execute(f"ALTER TABLE transactions ADD COLUMN {column} CONSTRAINT {name} CHECK ({rule})")
        return
    op.add_column("transactions", sa.Column("reserved_amount", orm.BigIntKey, server_default="0", nullable=False))
    op.create_check_constraint(name, "transactions", rule)


def _create_fake_payments() -> None:
    op.create_table(
        "fake_payments",
        *_key_and_times(),
        sa.Column("token", orm.case_sensitive(64), nullable=False),
        sa.Column("reference", orm.case_sensitive(40), nullable=False),
        sa.Column("amount", orm.BigIntKey, nullable=False),
        sa.Column("refunded_amount", orm.BigIntKey, server_default="0", nullable=False),
        sa.Column("currency", orm.case_sensitive(3), nullable=False),
        sa.Column("description", orm.long_text(), nullable=False),
        sa.Column("return_url", orm.long_text(), nullable=False),
        sa.Column("status", _enum("status", ("open", "paid", "declined", "expired")), nullable=False),
        sa.Column("expires_at", orm.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "refunded_amount >= 0 AND refunded_amount <= amount", name=op.f("ck_fake_payments_refunded_amount")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fake_payments")),
        sa.UniqueConstraint("reference", name=op.f("uq_fake_payments_reference")),
        sa.UniqueConstraint("token", name=op.f("uq_fake_payments_token")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        *_key_and_times(),
        sa.Column("actor_key", orm.BigIntKey, nullable=False),
        sa.Column("operation", orm.case_sensitive(40), nullable=False),
        sa.Column("digest", orm.case_sensitive(64), nullable=False),
        sa.Column("input_digest", orm.case_sensitive(64), nullable=False),
        sa.Column("result", orm.Json(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint(
            "actor_key", "operation", "digest", name=op.f("uq_idempotency_keys_actor_key_operation_digest")
        ),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)


def _create_fake_refunds() -> None:
    op.create_table(
        "fake_refunds",
        *_key_and_times(),
        sa.Column("payment_id", orm.BigIntKey, nullable=False),
        sa.Column("reference", orm.case_sensitive(40), nullable=False),
        sa.Column("amount", orm.BigIntKey, nullable=False),
        _foreign_key("fake_refunds", "payment_id", "fake_payments"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fake_refunds")),
        sa.UniqueConstraint("reference", name=op.f("uq_fake_refunds_reference")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_fake_refunds_payment_id"), "fake_refunds", ["payment_id"], unique=False)


def _create_instructor_commissions() -> None:
    op.create_table(
        "instructor_commissions",
        *_key_and_times(),
        sa.Column("instructor_id", orm.BigIntKey, nullable=False),
        sa.Column("rate", orm.FixedDecimal(), nullable=False),
        sa.CheckConstraint("rate >= 0 AND rate <= 10000", name=op.f("ck_instructor_commissions_rate")),
        _foreign_key("instructor_commissions", "instructor_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instructor_commissions")),
        sa.UniqueConstraint("instructor_id", name=op.f("uq_instructor_commissions_instructor_id")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )


def _create_earnings() -> None:
    op.create_table(
        "earnings",
        *_key_and_times(),
        sa.Column("instructor_id", orm.BigIntKey, nullable=False),
        sa.Column("transaction_id", orm.BigIntKey, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("currency", orm.case_sensitive(3), nullable=False),
        sa.Column("net_amount", orm.BigIntKey, nullable=False),
        sa.Column("amount", orm.BigIntKey, nullable=False),
        sa.Column("platform_amount", orm.BigIntKey, nullable=False),
        sa.Column("commission_rate", orm.FixedDecimal(), nullable=False),
        sa.Column("available_at", orm.UtcDateTime(), nullable=False),
        sa.Column("payout_id", orm.BigIntKey, nullable=True),
        sa.CheckConstraint("amount + platform_amount = net_amount", name=op.f("ck_earnings_parts")),
        sa.CheckConstraint(
            "commission_rate >= 0 AND commission_rate <= 10000", name=op.f("ck_earnings_commission_rate")
        ),
        _foreign_key("earnings", "instructor_id", "users"),
        _foreign_key("earnings", "payout_id", "instructor_payouts"),
        _foreign_key("earnings", "transaction_id", "transactions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_earnings")),
        sa.UniqueConstraint("transaction_id", "sequence", name=op.f("uq_earnings_transaction_id_sequence")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_earnings_instructor_id_created_at_id"),
        "earnings",
        ["instructor_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_earnings_instructor_id_currency_payout_id"),
        "earnings",
        ["instructor_id", "currency", "payout_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_earnings_payout_id_available_at_id"), "earnings", ["payout_id", "available_at", "id"], unique=False
    )


def _create_gateway_events() -> None:
    op.create_table(
        "gateway_events",
        *_key_and_times(),
        sa.Column("payment_method", _enum("payment_method", PAYMENT_METHODS), nullable=False),
        sa.Column("event_id", orm.case_sensitive(255), nullable=False),
        sa.Column("kind", orm.case_sensitive(60), nullable=False),
        sa.Column("transaction_id", orm.BigIntKey, nullable=True),
        _foreign_key("gateway_events", "transaction_id", "transactions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_events")),
        sa.UniqueConstraint("payment_method", "event_id", name=op.f("uq_gateway_events_payment_method_event_id")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_gateway_events_created_at"), "gateway_events", ["created_at"], unique=False)
    op.create_index(op.f("ix_gateway_events_transaction_id"), "gateway_events", ["transaction_id"], unique=False)


def _create_payments() -> None:
    op.create_table(
        "payments",
        *_key_and_times(),
        sa.Column("transaction_id", orm.BigIntKey, nullable=False),
        sa.Column("payment_method", _enum("payment_method", PAYMENT_METHODS), nullable=False),
        sa.Column("gateway_payment_id", orm.case_sensitive(255), nullable=False),
        sa.Column("amount", orm.BigIntKey, nullable=False),
        sa.Column("currency", orm.case_sensitive(3), nullable=False),
        sa.Column("outcome", _enum("outcome", ("booked", "duplicate", "late", "mismatch")), nullable=False),
        _foreign_key("payments", "transaction_id", "transactions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint(
            "payment_method", "gateway_payment_id", name=op.f("uq_payments_payment_method_gateway_payment_id")
        ),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_payments_transaction_id"), "payments", ["transaction_id"], unique=False)


def _create_payout_items() -> None:
    op.create_table(
        "payout_items",
        *_key_and_times(),
        sa.Column("payout_id", orm.BigIntKey, nullable=False),
        sa.Column("earning_id", orm.BigIntKey, nullable=False),
        sa.Column("net_amount", orm.BigIntKey, nullable=False),
        sa.Column("amount", orm.BigIntKey, nullable=False),
        _foreign_key("payout_items", "earning_id", "earnings"),
        _foreign_key("payout_items", "payout_id", "instructor_payouts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_items")),
        sa.UniqueConstraint("payout_id", "earning_id", name=op.f("uq_payout_items_payout_id_earning_id")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_payout_items_earning_id"), "payout_items", ["earning_id"], unique=False)


def _create_refunds() -> None:
    op.create_table(
        "refunds",
        *_key_and_times(),
        sa.Column("transaction_id", orm.BigIntKey, nullable=False),
        sa.Column("payment_id", orm.BigIntKey, nullable=False),
        sa.Column("reference", orm.case_sensitive(40), nullable=False),
        sa.Column(
            "kind",
            _enum("kind", ("learner", "admin", "dispute", "duplicate_payment", "late_payment")),
            nullable=False,
        ),
        sa.Column("amount", orm.BigIntKey, nullable=False),
        sa.Column("reason", orm.long_text(), nullable=False),
        sa.Column("status", _enum("status", ("processing", "succeeded", "failed")), nullable=False),
        sa.Column("requested_by_id", orm.BigIntKey, nullable=True),
        sa.Column("gateway_refund_id", orm.case_sensitive(255), nullable=True),
        sa.Column("next_check_at", orm.UtcDateTime(), nullable=True),
        sa.Column("completed_at", orm.UtcDateTime(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds_amount")),
        _foreign_key("refunds", "payment_id", "payments"),
        _foreign_key("refunds", "requested_by_id", "users"),
        _foreign_key("refunds", "transaction_id", "transactions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("payment_id", "gateway_refund_id", name=op.f("uq_refunds_payment_id_gateway_refund_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_refunds_reference")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_refunds_requested_by_id"), "refunds", ["requested_by_id"], unique=False)
    op.create_index(op.f("ix_refunds_status_next_check_at"), "refunds", ["status", "next_check_at"], unique=False)
    op.create_index(op.f("ix_refunds_transaction_id_id"), "refunds", ["transaction_id", "id"], unique=False)


def _create_earning_entries() -> None:
    op.create_table(
        "earning_entries",
        *_key_and_times(),
        sa.Column("earning_id", orm.BigIntKey, nullable=False),
        sa.Column("refund_id", orm.BigIntKey, nullable=True),
        sa.Column("net_amount", orm.BigIntKey, nullable=False),
        sa.Column("amount", orm.BigIntKey, nullable=False),
        sa.Column("platform_amount", orm.BigIntKey, nullable=False),
        sa.CheckConstraint("amount + platform_amount = net_amount", name=op.f("ck_earning_entries_parts")),
        _foreign_key("earning_entries", "earning_id", "earnings"),
        _foreign_key("earning_entries", "refund_id", "refunds"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_earning_entries")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_earning_entries_refund_id")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_earning_entries_earning_id"), "earning_entries", ["earning_id"], unique=False)


def _key_and_times() -> list[sa.Column]:
    return [
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
    ]


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _foreign_key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))
