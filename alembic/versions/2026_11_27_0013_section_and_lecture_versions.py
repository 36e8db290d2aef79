"""Versions of sections and lectures, which start at 1.

Each step first checks whether it was done already. So a migration that was interrupted on MySQL or MariaDB, whose DDL
is not transactional, can be run again.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
blocks_writes_to = ()

TABLES = ("sections", "lectures")


def upgrade() -> None:
    for table in TABLES:
        if not _has_version(table):
            op.add_column(table, sa.Column("version", sa.Integer(), server_default="1", nullable=False))


def downgrade() -> None:
    for table in TABLES:
        if _has_version(table):
            op.drop_column(table, "version")


def _has_version(table: str) -> bool:
    return any(column["name"] == "version" for column in sa.inspect(op.get_bind()).get_columns(table))
