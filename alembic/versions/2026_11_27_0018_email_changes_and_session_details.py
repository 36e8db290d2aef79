"""Requested changes of email addresses, last changes of usernames, and the details of sessions.

A session that exists counts as last used when it was last refreshed. Its network and user agent are not known.

Each step first checks whether it was done already. So a migration that was interrupted on MySQL or MariaDB, whose DDL
is not transactional, can be run again.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
blocks_writes_to = ("sessions",)

NEVER = "1970-01-01 00:00:00.000000"
OLD_INDEX, OLD_INDEX_COLUMNS = "ix_sessions_user_id_ended_at", ["user_id", "ended_at"]
NEW_INDEX = "ix_sessions_user_id_ended_at_last_used_at_id"
NEW_INDEX_COLUMNS = ["user_id", "ended_at", "last_used_at", "id"]


def upgrade() -> None:
    if not _has_table("email_changes"):
        _create_email_changes()
    if not _has_table("email_change_tokens"):
        _create_email_change_tokens()
    _create_index("email_changes", "ix_email_changes_created_at_id", ["created_at", "id"])
    _create_index("email_change_tokens", "ix_email_change_tokens_email_change_id", ["email_change_id"])
    _add_column("users", sa.Column("username_changed_at", orm.UtcDateTime(), nullable=True))
    _add_column("sessions", sa.Column("client_ip", orm.case_sensitive(45), nullable=True))
    _add_column("sessions", sa.Column("user_agent", sa.String(300), nullable=True))
    _add_column("sessions", sa.Column("last_used_at", orm.UtcDateTime(), server_default=NEVER, nullable=False))
    op.execute(f"UPDATE sessions SET last_used_at = updated_at WHERE last_used_at = '{NEVER}'")
    _replace_index(OLD_INDEX, NEW_INDEX, NEW_INDEX_COLUMNS)


def downgrade() -> None:
    _replace_index(NEW_INDEX, OLD_INDEX, OLD_INDEX_COLUMNS)
    for table, name in (
        ("sessions", "last_used_at"),
        ("sessions", "user_agent"),
        ("sessions", "client_ip"),
        ("users", "username_changed_at"),
    ):
        if name in _columns(table):
            op.drop_column(table, name)
    for table in ("email_change_tokens", "email_changes"):
        if _has_table(table):
            op.drop_table(table)


def _create_email_changes() -> None:
    op.create_table(
        "email_changes",
        *_key_and_times(),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_email_changes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_changes")),
        sa.UniqueConstraint("user_id", name=op.f("uq_email_changes_user_id")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )


def _create_email_change_tokens() -> None:
    op.create_table(
        "email_change_tokens",
        *_key_and_times(),
        sa.Column("email_change_id", orm.BigIntKey, nullable=False),
        sa.Column("token_hash", orm.case_sensitive(64), nullable=False),
        sa.Column("expires_at", orm.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["email_change_id"],
            ["email_changes.id"],
            name=op.f("fk_email_change_tokens_email_change_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_change_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_email_change_tokens_token_hash")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )


def _key_and_times() -> list[sa.Column]:
    return [
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
    ]


def _replace_index(old: str, new: str, columns: list[str]) -> None:
    """Create the new index before the old one is dropped, because the foreign key of `user_id` needs one of them."""
    _create_index("sessions", new, columns)
    if old in _indexes("sessions"):
        op.drop_index(op.f(old), table_name="sessions")


def _create_index(table: str, name: str, columns: list[str]) -> None:
    if name not in _indexes(table):
        op.create_index(op.f(name), table, columns, unique=False)


def _indexes(table: str) -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}


def _add_column(table: str, column: sa.Column) -> None:
    if column.name not in _columns(table):
        op.add_column(table, column)


def _columns(table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def _has_table(name: str) -> bool:
    return bool(sa.inspect(op.get_bind()).has_table(name))
