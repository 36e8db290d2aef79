"""Outbox of mail, and locks by name.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
blocks_writes_to = ()


def upgrade() -> None:
    op.create_table(
        "mails",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.String(length=254), nullable=True),
        sa.Column("data", orm.Json(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "sent",
                "failed",
                "dropped",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", orm.UtcDateTime(), nullable=False),
        sa.Column("sent_at", orm.UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_mails_attempts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_mails_status_next_attempt_at_id"), "mails", ["status", "next_attempt_at", "id"], unique=False
    )
    op.create_index(op.f("ix_mails_user_id_status"), "mails", ["user_id", "status"], unique=False)
    op.create_table(
        "turns",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("name", orm.case_sensitive(40), nullable=False),
        sa.Column("taken_at", orm.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turns")),
        sa.UniqueConstraint("name", name=op.f("uq_turns_name")),
        **orm.TABLE_OPTIONS,
    )


def downgrade() -> None:
    op.drop_table("turns")
    op.drop_index(op.f("ix_mails_user_id_status"), table_name="mails")
    op.drop_index(op.f("ix_mails_status_next_attempt_at_id"), table_name="mails")
    op.drop_table("mails")
