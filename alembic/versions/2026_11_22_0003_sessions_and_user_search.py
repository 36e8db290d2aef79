"""Sessions, tokens, signing keys, rate limits, audit events, instructor applications and the search for users.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op


from lms_graphql.core import orm
from lms_graphql.core.text import sort_key
from lms_graphql.core.search_terms import index_terms

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
blocks_writes_to = ("users",)


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("happened_at", orm.UtcDateTime(), nullable=False),
        sa.Column("what", orm.case_sensitive(60), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("origin", orm.case_sensitive(45), nullable=True),
        sa.Column("details", orm.Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_audit_events_subject_id_happened_at"), "audit_events", ["subject_id", "happened_at"], unique=False
    )
    op.create_index(op.f("ix_audit_events_what_happened_at"), "audit_events", ["what", "happened_at"], unique=False)
    op.create_table(
        "signing_keys",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("key_id", orm.case_sensitive(20), nullable=False),
        sa.Column("retired_at", orm.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
        sa.UniqueConstraint("key_id", name=op.f("uq_signing_keys_key_id")),
        **orm.TABLE_OPTIONS,
    )
    op.create_table(
        "throttles",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("key", orm.case_sensitive(64), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("since", orm.UtcDateTime(), nullable=False),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_throttles_failures_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_throttles")),
        sa.UniqueConstraint("key", name=op.f("uq_throttles_key")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_throttles_since_id"), "throttles", ["since", "id"], unique=False)
    op.create_table(
        "account_tokens",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "verify_email", "reset_password", name="purpose", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("token_hash", orm.case_sensitive(64), nullable=False),
        sa.Column("expires_at", orm.UtcDateTime(), nullable=False),
        sa.Column("used_at", orm.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_account_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_account_tokens_token_hash")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_account_tokens_expires_at_id"), "account_tokens", ["expires_at", "id"], unique=False)
    op.create_index(op.f("ix_account_tokens_user_id_purpose"), "account_tokens", ["user_id", "purpose"], unique=False)
    op.create_table(
        "instructor_applications",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("pending_of", sa.BigInteger(), nullable=True),
        sa.Column("motivation", orm.long_text(), nullable=False),
        sa.Column("experience", orm.long_text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending", "approved", "rejected", name="status", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("review_note", orm.long_text(), nullable=True),
        sa.Column("reviewed_by_id", orm.BigIntKey, nullable=True),
        sa.Column("reviewed_at", orm.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reviewed_by_id"], ["users.id"], name=op.f("fk_instructor_applications_reviewed_by_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_instructor_applications_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instructor_applications")),
        sa.UniqueConstraint("pending_of", name=op.f("uq_instructor_applications_pending_of")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_instructor_applications_created_at_id"),
        "instructor_applications",
        ["created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_instructor_applications_status_created_at_id"),
        "instructor_applications",
        ["status", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_instructor_applications_user_id_created_at_id"),
        "instructor_applications",
        ["user_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "sessions",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("expires_at", orm.UtcDateTime(), nullable=False),
        sa.Column("ended_at", orm.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_sessions_expires_at_id"), "sessions", ["expires_at", "id"], unique=False)
    op.create_index(op.f("ix_sessions_user_id_ended_at"), "sessions", ["user_id", "ended_at"], unique=False)
    op.create_table(
        "user_terms",
        sa.Column("term", orm.case_sensitive(64), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_terms_user_id")),
        sa.PrimaryKeyConstraint("term", "user_id", name=op.f("pk_user_terms")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_user_terms_user_id"), "user_terms", ["user_id"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("session_id", orm.BigIntKey, nullable=False),
        sa.Column("token_hash", orm.case_sensitive(64), nullable=False),
        sa.Column("expires_at", orm.UtcDateTime(), nullable=False),
        sa.Column("used_at", orm.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_refresh_tokens_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_tokens_token_hash")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"], unique=False)
    op.add_column("users", sa.Column("name_key", orm.case_sensitive(200), server_default="", nullable=False))
    op.create_index(op.f("ix_users_name_key_id"), "users", ["name_key", "id"], unique=False)
    _fill()


def downgrade() -> None:
    op.drop_index(op.f("ix_users_name_key_id"), table_name="users")
    op.drop_column("users", "name_key")
    op.drop_table("refresh_tokens")
    op.drop_table("user_terms")
    op.drop_table("sessions")
    op.drop_table("instructor_applications")
    op.drop_table("account_tokens")
    op.drop_table("throttles")
    op.drop_table("signing_keys")
    op.drop_table("audit_events")


def _fill() -> None:
    """Add sort keys and search terms to existing users."""
    connection = op.get_bind()
    users = sa.table(
        "users",
        sa.column("id"),
        sa.column("first_name"),
        sa.column("last_name"),
        sa.column("username"),
        sa.column("email"),
        sa.column("name_key"),
        sa.column("deleted_at"),
    )
    terms = sa.table("user_terms", sa.column("term"), sa.column("user_id"))
    last = 0
    while people := connection.execute(
        sa.select(users).where(users.c.id > last).order_by(users.c.id).limit(1_000)
    ).all():
        last = people[-1].id
        keys = [{"key": person.id, "name": sort_key(f"{person.first_name} {person.last_name}")} for person in people]
        change = sa.update(users).where(users.c.id == sa.bindparam("key")).values(name_key=sa.bindparam("name"))
        connection.execute(change, keys)
        found = [
            {"term": term, "user_id": person.id}
            for person in people
            if person.deleted_at is None
            for term in {
                term
                for text in (person.first_name, person.last_name, person.username, person.email or "")
                for term in index_terms(text)
            }
        ]
        if found:
            connection.execute(sa.insert(terms), found)
