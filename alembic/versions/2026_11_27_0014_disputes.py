"""Disputes, one row for each.

The table starts empty, because the events that are stored do not name their dispute. A transaction that is in dispute
remains so until the next event of a dispute about its payment.

The table is only created if it is missing. So a migration that was interrupted on MySQL or MariaDB, whose DDL is not
transactional, can be run again.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
blocks_writes_to = ()

PAYMENT_METHODS = ("stripe", "paypal", "bank_transfer", "free", "fake")


def upgrade() -> None:
    if _has_table():
        return
    op.create_table(
        "disputes",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("payment_method", _enum("payment_method", PAYMENT_METHODS), nullable=False),
        sa.Column("gateway_payment_id", orm.case_sensitive(255), nullable=False),
        sa.Column("gateway_dispute_id", orm.case_sensitive(255), nullable=False),
        sa.Column("status", _enum("status", ("open", "won", "lost")), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sa.UniqueConstraint(
            "payment_method",
            "gateway_payment_id",
            "gateway_dispute_id",
            name=op.f("uq_disputes_payment_method_gateway_payment_id_gateway_dispute_id"),
        ),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )


def downgrade() -> None:
    if _has_table():
        op.drop_table("disputes")


def _has_table() -> bool:
    return sa.inspect(op.get_bind()).has_table("disputes")


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
