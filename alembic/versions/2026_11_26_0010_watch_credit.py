"""Credit of watched time that is used up by reports, and lectures that were unmarked by hand.

The instant of the last report becomes the instant since which credit grows: nothing is unused at the upgrade.

Each step first checks whether it was done already. So a migration that was interrupted on MySQL or MariaDB, whose DDL
is not transactional, can be run again.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
blocks_writes_to = ()


def upgrade() -> None:
    _rename_column("course_progress", "reported_at", "credit_since")
    if "unmarked_by_hand" not in _columns("lecture_progress"):
        column = sa.Column("unmarked_by_hand", sa.Boolean(), server_default=sa.text("0"), nullable=False)
        op.add_column("lecture_progress", column)


def downgrade() -> None:
    if "unmarked_by_hand" in _columns("lecture_progress"):
        op.drop_column("lecture_progress", "unmarked_by_hand")
    _rename_column("course_progress", "credit_since", "reported_at")


def _rename_column(table: str, old: str, new: str) -> None:
    if old not in _columns(table):
        return
    if op.get_context().dialect.name == "sqlite":
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    else:
        op.alter_column(table, old, new_column_name=new, existing_type=orm.UtcDateTime(), existing_nullable=True)


def _columns(table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
