"""Invitations, the progress by which enrollments are ordered, and the words of users' names.

Each step first checks whether it was done already. So a migration that was interrupted on MySQL or MariaDB, whose DDL
is not transactional, can be run again.

Revision ID: 0017
Revises: 0016
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm
from lms_graphql.core.search_terms import index_terms

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
blocks_writes_to = ("enrollments", "course_progress", "user_terms")

BATCH_SIZE = 500
ENROLLMENT_INDEXES = [
    [parent, order, "id"] for parent in ("course_id", "user_id") for order in ("last_accessed", "progress_hundredths")
]
INVITATION_INDEXES = (
    ["course_id", "created_at", "id"],
    ["course_id", "status", "created_at", "id"],
    ["status", "expires_at", "id"],
    ["enrollment_id"],
)
STATUSES = ("pending", "accepted", "expired", "cancelled")

enrollments = sa.table("enrollments", sa.column("user_id"), sa.column("course_id"), sa.column("progress_hundredths"))
course_progress = sa.table(
    "course_progress",
    sa.column("user_id"),
    sa.column("course_id"),
    sa.column("completed_lectures", sa.Integer),
    sa.column("total_lectures", sa.Integer),
    sa.column("passed_quizzes", sa.Integer),
    sa.column("total_quizzes", sa.Integer),
)
users = sa.table(
    "users", sa.column("id"), sa.column("first_name"), sa.column("last_name"), sa.column("deleted_at")
)
user_terms = sa.table("user_terms", sa.column("term"), sa.column("user_id"), sa.column("is_name"))


def upgrade() -> None:
    _add_progress_hundredths()
    _create_indexes("enrollments", ENROLLMENT_INDEXES)
    _create_invitations()
    _create_indexes("invitations", INVITATION_INDEXES)
    _create_invitation_counters()
    if not _has_column("user_terms", "is_name"):
        op.add_column("user_terms", sa.Column("is_name", sa.Boolean(), server_default=sa.text("0"), nullable=False))
    for batch in _users():
        _mark_names(batch)


def downgrade() -> None:
    if _has_column("user_terms", "is_name"):
        op.drop_column("user_terms", "is_name")
    for table in ("invitation_counters", "invitations"):
        if _has_table(table):
            op.drop_table(table)
    existing = _indexes("enrollments")
    for columns in ENROLLMENT_INDEXES:
        if (name := _index_name("enrollments", columns)) in existing:
            op.drop_index(op.f(name), table_name="enrollments")
    if _has_column("enrollments", "progress_hundredths"):
        if op.get_bind().dialect.name != "sqlite":
            op.drop_constraint(op.f("ck_enrollments_progress_hundredths"), "enrollments", type_="check")
        op.drop_column("enrollments", "progress_hundredths")


def _add_progress_hundredths() -> None:
    """Add the column with its CHECK constraint, which SQLite adds only together with the column. Then fill it."""
    rule, name = "progress_hundredths BETWEEN 0 AND 10000", op.f("ck_enrollments_progress_hundredths")
    if not _has_column("enrollments", "progress_hundredths"):
        column = f"progress_hundredths INTEGER DEFAULT '0' NOT NULL CONSTRAINT {name} CHECK ({rule})"
        if op.get_bind().dialect.name == "sqlite":
            op.execute(f"ALTER TABLE enrollments ADD COLUMN {column}")
        else:
            new = sa.Column("progress_hundredths", sa.Integer(), server_default="0", nullable=False)
            op.add_column("enrollments", new)
    if name not in {check["name"] for check in sa.inspect(op.get_bind()).get_check_constraints("enrollments")}:
        op.create_check_constraint(name, "enrollments", rule)
    done = course_progress.c.completed_lectures + course_progress.c.passed_quizzes
    required = course_progress.c.total_lectures + course_progress.c.total_quizzes
    doubled = done * 20_000 + required  # one half is added, so that truncation rounds half up
    hundredths = (doubled - doubled % (required * 2)) // (required * 2)
    value = sa.case((required == 0, 0), (done >= required, 10_000), (hundredths > 9_999, 9_999), else_=hundredths)
    is_of_enrollment = (
        course_progress.c.user_id == enrollments.c.user_id,
        course_progress.c.course_id == enrollments.c.course_id,
    )
    stored = sa.select(value).where(*is_of_enrollment).scalar_subquery()
    op.execute(sa.update(enrollments).values(progress_hundredths=sa.func.coalesce(stored, 0)))


def _create_invitations() -> None:
    if _has_table("invitations"):
        return
    op.create_table(
        "invitations",
        *_key_and_times(),
        sa.Column("course_id", orm.BigIntKey, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("pending_email_key", orm.case_sensitive(254), nullable=True),
        sa.Column(
            "status",
            sa.Enum(*STATUSES, name="status", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("access_expires_at", orm.UtcDateTime(), nullable=True),
        sa.Column("expires_at", orm.UtcDateTime(), nullable=False),
        sa.Column("mail_number", sa.Integer(), server_default="0", nullable=False),
        sa.Column("token_hash", orm.case_sensitive(64), nullable=True),
        sa.Column("enrollment_id", orm.BigIntKey, nullable=True),
        sa.CheckConstraint(
            "(status = 'pending') = (pending_email_key IS NOT NULL)", name=op.f("ck_invitations_pending_email_key")
        ),
        sa.CheckConstraint(
            "(status = 'accepted') = (enrollment_id IS NOT NULL)", name=op.f("ck_invitations_enrollment_id")
        ),
        sa.CheckConstraint("mail_number >= 0", name=op.f("ck_invitations_mail_number")),
        _course_key("invitations"),
        sa.ForeignKeyConstraint(["enrollment_id"], ["enrollments.id"], name=op.f("fk_invitations_enrollment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint(
            "course_id", "pending_email_key", name=op.f("uq_invitations_course_id_pending_email_key")
        ),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )


def _create_invitation_counters() -> None:
    if _has_table("invitation_counters"):
        return
    op.create_table(
        "invitation_counters",
        *_key_and_times(),
        sa.Column("course_id", orm.BigIntKey, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("invitation_count", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("invitation_count >= 0", name=op.f("ck_invitation_counters_invitation_count")),
        _course_key("invitation_counters"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation_counters")),
        sa.UniqueConstraint("course_id", name=op.f("uq_invitation_counters_course_id")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )


def _mark_names(batch: list[sa.Row]) -> None:
    """Mark the terms that are words of a name. Terms of usernames and email addresses stay unmarked."""
    is_term = sa.and_(user_terms.c.user_id == sa.bindparam("user"), user_terms.c.term == sa.bindparam("word"))
    words = [
        {"user": user.id, "word": word}
        for user in batch
        if user.deleted_at is None
        for word in sorted({*index_terms(user.first_name), *index_terms(user.last_name)})
    ]
    if words:
        op.get_bind().execute(sa.update(user_terms).where(is_term).values(is_name=sa.true()), words)


def _users() -> Iterator[list[sa.Row]]:
    last = 0
    while rows := op.get_bind().execute(
        sa.select(users).where(users.c.id > last).order_by(users.c.id).limit(BATCH_SIZE)
    ).all():
        last = rows[-1].id
        yield rows


def _create_indexes(table: str, indexes: list[list[str]] | tuple[list[str], ...]) -> None:
    existing = _indexes(table)
    for columns in indexes:
        if (name := _index_name(table, columns)) not in existing:
            op.create_index(op.f(name), table, columns, unique=False)


def _index_name(table: str, columns: list[str]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"


def _indexes(table: str) -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}


def _has_table(table: str) -> bool:
    return sa.inspect(op.get_bind()).has_table(table)


def _has_column(table: str, name: str) -> bool:
    return any(column["name"] == name for column in sa.inspect(op.get_bind()).get_columns(table))


def _key_and_times() -> list[sa.Column]:
    return [
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
    ]


def _course_key(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_course_id")
    return sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=name, ondelete="CASCADE")
