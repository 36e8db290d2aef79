"""The table of stored documents.

Each step first checks whether it was done already. So a migration that was interrupted on MySQL or MariaDB, whose DDL
is not transactional, can be run again.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
blocks_writes_to = ()

TABLE = "stored_documents"


def upgrade() -> None:
    if TABLE not in sa.inspect(op.get_bind()).get_table_names():
        _create_table()
    existing = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(TABLE)}
    for column in ("text_hash", "client"):
        if (name := f"ix_{TABLE}_{column}") not in existing:
            op.create_index(op.f(name), TABLE, [column])


def downgrade() -> None:
    op.drop_table(TABLE)


def _create_table() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("document_id", orm.case_sensitive(200), nullable=False),
        sa.Column("text_hash", orm.case_sensitive(64), nullable=False),
        sa.Column("client", orm.case_sensitive(100), nullable=False),
        sa.Column("text", orm.long_text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_documents")),
        sa.UniqueConstraint("document_id", "client", name=op.f("uq_stored_documents_document_id_client")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
