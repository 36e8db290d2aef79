"""Tables and columns with the names that the code uses. All rows stay.

Each step first checks whether it was done already. So a migration that was interrupted on MySQL or MariaDB, whose DDL
is not transactional, can be run again.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
blocks_writes_to = ("turns", "throttles", "notebooks", "teaching_figures")

TABLES = (
    ("turns", "named_locks"),
    ("throttles", "rate_limit_counters"),
    ("notebooks", "note_counters"),
    ("teaching_figures", "instructor_analytics"),
)
COLUMNS = (
    ("audit_events", "what", "action", orm.case_sensitive(60), False),
    ("audit_events", "origin", "client_ip", orm.case_sensitive(45), True),
    ("course_requirements", "things", "items_hash", orm.case_sensitive(64), False),
)


def upgrade() -> None:
    for old, new in TABLES:
        _replace_table(old, new)
    _drop_index("audit_events", "ix_audit_events_what_happened_at")
    for table, old, new, type_, nullable in COLUMNS:
        _rename_column(table, old, new, type_, nullable)
    _create_index("audit_events", "ix_audit_events_action_happened_at", ["action", "happened_at"])


def downgrade() -> None:
    _drop_index("audit_events", "ix_audit_events_action_happened_at")
    for table, old, new, type_, nullable in COLUMNS:
        _rename_column(table, new, old, type_, nullable)
    _create_index("audit_events", "ix_audit_events_what_happened_at", ["what", "happened_at"])
    for old, new in TABLES:
        _replace_table(new, old)


def _replace_table(old: str, new: str) -> None:
    """Copy the rows into a table of the new name.

    The names of constraints and indexes contain the table's name, and SQLite cannot rename them.
    """
    tables = sa.inspect(op.get_bind()).get_table_names()
    if old not in tables:
        return
    if new in tables:
        op.drop_table(new)
    columns = [column["name"] for column in sa.inspect(op.get_bind()).get_columns(old)]
    names = ", ".join(f"`{name}`" for name in columns)
    _create_table(new, columns)
    op.execute(f"INSERT INTO {new} ({names}) SELECT {names} FROM {old}")
    if "id" in columns:
        _continue_numbering(old, new)
    op.drop_table(old)


def _create_table(name: str, columns: list[str]) -> None:
    if "taken_at" in columns:
        _create_named_locks(name)
    elif "failures" in columns:
        _create_rate_limit_counters(name)
    elif "note_count" in columns:
        _create_note_counters(name)
    else:
        _create_instructor_analytics(name)


def _create_named_locks(name: str) -> None:
    op.create_table(
        name,
        *_key_and_times(),
        sa.Column("name", orm.case_sensitive(40), nullable=False),
        sa.Column("taken_at", orm.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("name", name=op.f(f"uq_{name}_name")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )


def _create_rate_limit_counters(name: str) -> None:
    op.create_table(
        name,
        *_key_and_times(),
        sa.Column("key", orm.case_sensitive(64), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("since", orm.UtcDateTime(), nullable=False),
        sa.CheckConstraint("failures >= 0", name=op.f(f"ck_{name}_failures_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("key", name=op.f(f"uq_{name}_key")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f(f"ix_{name}_since_id"), name, ["since", "id"], unique=False)


def _create_note_counters(name: str) -> None:
    op.create_table(
        name,
        *_key_and_times(),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("lecture_id", orm.BigIntKey, nullable=False),
        sa.Column("note_count", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("note_count >= 0", name=op.f(f"ck_{name}_note_count")),
        sa.ForeignKeyConstraint(["lecture_id"], ["lectures.id"], name=op.f(f"fk_{name}_lecture_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{name}_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("user_id", "lecture_id", name=op.f(f"uq_{name}_user_id_lecture_id")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f(f"ix_{name}_lecture_id"), name, ["lecture_id"], unique=False)


def _create_instructor_analytics(name: str) -> None:
    op.create_table(
        name,
        sa.Column("instructor_id", orm.BigIntKey, autoincrement=False, nullable=False),
        sa.Column("as_of", orm.UtcDateTime(), nullable=False),
        sa.Column("learner_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("completion_count", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("learner_count >= 0 AND completion_count >= 0", name=op.f(f"ck_{name}_counts")),
        sa.ForeignKeyConstraint(["instructor_id"], ["users.id"], name=op.f(f"fk_{name}_instructor_id")),
        sa.PrimaryKeyConstraint("instructor_id", name=op.f(f"pk_{name}")),
        **orm.TABLE_OPTIONS,
    )


def _key_and_times() -> list[sa.Column]:
    return [
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
    ]


def _continue_numbering(old: str, new: str) -> None:
    """Continue the keys of the old table on SQLite, so that no key of a deleted row is used again.

    SQLite stores the highest key of each table by the table's name.
    """
    if op.get_context().dialect.name == "sqlite":
        highest = f"(SELECT seq FROM sqlite_sequence WHERE name = '{old}')"
        op.execute(f"DELETE FROM sqlite_sequence WHERE name = '{new}' AND {highest} IS NOT NULL")
        op.execute(f"INSERT INTO sqlite_sequence (name, seq) SELECT '{new}', seq FROM sqlite_sequence WHERE name = '{old}'")


def _rename_column(table: str, old: str, new: str, type_: sa.types.TypeEngine, nullable: bool) -> None:
    names = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
    if old not in names:
        return
    if op.get_context().dialect.name == "sqlite":
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    else:
        op.alter_column(table, old, new_column_name=new, existing_type=type_, existing_nullable=nullable)


def _drop_index(table: str, name: str) -> None:
    if name in _indexes(table):
        op.drop_index(op.f(name), table_name=table)


def _create_index(table: str, name: str, columns: list[str]) -> None:
    if name not in _indexes(table):
        op.create_index(op.f(name), table, columns, unique=False)


def _indexes(table: str) -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
