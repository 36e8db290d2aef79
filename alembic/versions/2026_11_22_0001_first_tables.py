"""First tables: users, catalog, learning, assessment, discussion, certificates and billing.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
blocks_writes_to = ()


def upgrade() -> None:
    op.create_table(
        "course_categories",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", orm.case_sensitive(200), nullable=False),
        sa.Column("slug", orm.case_sensitive(120), nullable=False),
        sa.Column("description", orm.long_text(), nullable=True),
        sa.Column("parent_id", orm.BigIntKey, nullable=True),
        sa.Column("parent_key", orm.BigIntKey, server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["course_categories.id"], name=op.f("fk_course_categories_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_categories")),
        sa.UniqueConstraint("parent_key", "name_key", name=op.f("uq_course_categories_parent_key_name_key")),
        sa.UniqueConstraint("slug", name=op.f("uq_course_categories_slug")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_course_categories_parent_id_name_key"), "course_categories", ["parent_id", "name_key"], unique=False
    )
    op.create_table(
        "users",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_key", orm.case_sensitive(254), nullable=True),
        sa.Column("username", sa.String(length=30), nullable=False),
        sa.Column("username_key", orm.case_sensitive(30), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("password_hash", orm.case_sensitive(255), nullable=True),
        sa.Column(
            "role",
            sa.Enum(
                "super_admin",
                "instructor",
                "learner",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        sa.Column("is_verified", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("profile_image", sa.String(length=2000), nullable=True),
        sa.Column("bio", orm.long_text(), nullable=True),
        sa.Column("last_login", orm.UtcDateTime(), nullable=True),
        sa.Column("deleted_at", orm.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
        sa.UniqueConstraint("username_key", name=op.f("uq_users_username_key")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_users_created_at_id"), "users", ["created_at", "id"], unique=False)
    op.create_index(op.f("ix_users_role_created_at_id"), "users", ["role", "created_at", "id"], unique=False)
    op.create_table(
        "courses",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("title_key", orm.case_sensitive(200), nullable=False),
        sa.Column("slug", orm.case_sensitive(120), nullable=False),
        sa.Column("description", orm.long_text(), nullable=False),
        sa.Column("short_description", sa.String(length=500), nullable=True),
        sa.Column("instructor_id", orm.BigIntKey, nullable=False),
        sa.Column("category_id", orm.BigIntKey, nullable=True),
        sa.Column("price", orm.BigIntKey, server_default="0", nullable=False),
        sa.Column("currency", orm.case_sensitive(3), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft", "published", "archived", name="status", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "difficulty_level",
            sa.Enum(
                "beginner",
                "intermediate",
                "advanced",
                name="difficulty_level",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("thumbnail_url", sa.String(length=2000), nullable=True),
        sa.Column("preview_video_url", sa.String(length=2000), nullable=True),
        sa.Column("total_duration", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total_lectures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("enrollment_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("language", orm.case_sensitive(35), nullable=False),
        sa.Column("is_featured", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("allow_qa", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        sa.Column("allow_notes", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        sa.Column("published_at", orm.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status <> 'published' OR published_at IS NOT NULL", name=op.f("ck_courses_published_at")),
        sa.CheckConstraint("price >= 0", name=op.f("ck_courses_price")),
        sa.CheckConstraint(
            "total_duration >= 0 AND total_lectures >= 0 AND enrollment_count >= 0", name=op.f("ck_courses_totals")
        ),
        sa.ForeignKeyConstraint(["category_id"], ["course_categories.id"], name=op.f("fk_courses_category_id")),
        sa.ForeignKeyConstraint(["instructor_id"], ["users.id"], name=op.f("fk_courses_instructor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courses")),
        sa.UniqueConstraint("slug", name=op.f("uq_courses_slug")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_courses_category_id_status_created_at_id"),
        "courses",
        ["category_id", "status", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_courses_instructor_id_status_created_at_id"),
        "courses",
        ["instructor_id", "status", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_courses_status_created_at_id"), "courses", ["status", "created_at", "id"], unique=False)
    op.create_index(
        op.f("ix_courses_status_currency_price_id"), "courses", ["status", "currency", "price", "id"], unique=False
    )
    op.create_index(
        op.f("ix_courses_status_difficulty_level_created_at_id"),
        "courses",
        ["status", "difficulty_level", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_courses_status_enrollment_count_id"), "courses", ["status", "enrollment_count", "id"], unique=False
    )
    op.create_index(
        op.f("ix_courses_status_is_featured_created_at_id"),
        "courses",
        ["status", "is_featured", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_courses_status_language_created_at_id"),
        "courses",
        ["status", "language", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_courses_status_title_key_id"), "courses", ["status", "title_key", "id"], unique=False)
    op.create_table(
        "instructor_payouts",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("instructor_id", orm.BigIntKey, nullable=False),
        sa.Column("payout_id", orm.case_sensitive(40), nullable=False),
        sa.Column("amount", orm.BigIntKey, nullable=False),
        sa.Column("currency", orm.case_sensitive(3), nullable=False),
        sa.Column("commission_rate", orm.FixedDecimal(), nullable=False),
        sa.Column("period_start", orm.UtcDateTime(), nullable=False),
        sa.Column("period_end", orm.UtcDateTime(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "scheduled",
                "processing",
                "paid",
                "failed",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("external_payout_id", orm.case_sensitive(255), nullable=True),
        sa.Column("processed_at", orm.UtcDateTime(), nullable=True),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_instructor_payouts_amount")),
        sa.CheckConstraint(
            "commission_rate >= 0 AND commission_rate <= 10000", name=op.f("ck_instructor_payouts_commission_rate")
        ),
        sa.ForeignKeyConstraint(["instructor_id"], ["users.id"], name=op.f("fk_instructor_payouts_instructor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instructor_payouts")),
        sa.UniqueConstraint("payout_id", name=op.f("uq_instructor_payouts_payout_id")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_instructor_payouts_instructor_id_created_at_id"),
        "instructor_payouts",
        ["instructor_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_instructor_payouts_status_created_at_id"),
        "instructor_payouts",
        ["status", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "certificates",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("course_id", orm.BigIntKey, nullable=False),
        sa.Column("serial", orm.case_sensitive(40), nullable=False),
        sa.Column("verification_code", orm.case_sensitive(64), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("learner_name", sa.String(length=201), nullable=False),
        sa.Column("course_title", sa.String(length=200), nullable=False),
        sa.Column("instructor_name", sa.String(length=201), nullable=False),
        sa.Column("issued_at", orm.UtcDateTime(), nullable=False),
        sa.Column("expires_at", orm.UtcDateTime(), nullable=True),
        sa.Column("revoked_at", orm.UtcDateTime(), nullable=True),
        sa.Column(
            "revocation_reason",
            sa.Enum(
                "misconduct",
                "error",
                "refund",
                name="revocation_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("revocation_note", orm.long_text(), nullable=True),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_certificates_course_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_certificates_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("serial", name=op.f("uq_certificates_serial")),
        sa.UniqueConstraint("user_id", "course_id", name=op.f("uq_certificates_user_id_course_id")),
        sa.UniqueConstraint("verification_code", name=op.f("uq_certificates_verification_code")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_certificates_course_id"), "certificates", ["course_id"], unique=False)
    op.create_index(
        op.f("ix_certificates_user_id_issued_at_id"), "certificates", ["user_id", "issued_at", "id"], unique=False
    )
    op.create_table(
        "course_terms",
        sa.Column("term", orm.case_sensitive(64), nullable=False),
        sa.Column("course_id", orm.BigIntKey, autoincrement=False, nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.CheckConstraint("weight > 0", name=op.f("ck_course_terms_weight")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_terms_course_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("term", "course_id", name=op.f("pk_course_terms")),
        **orm.TABLE_OPTIONS,
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_course_terms_course_id"), "course_terms", ["course_id"], unique=False)
    op.create_table(
        "enrollments",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("course_id", orm.BigIntKey, nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "completed",
                "expired",
                "cancelled",
                "refunded",
                "suspended",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "source",
            sa.Enum("free", "purchase", "grant", name="source", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("enrolled_at", orm.UtcDateTime(), nullable=False),
        sa.Column("completed_at", orm.UtcDateTime(), nullable=True),
        sa.Column("last_accessed", orm.UtcDateTime(), nullable=True),
        sa.Column("access_expires_at", orm.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_enrollments_course_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_enrollments_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrollments")),
        sa.UniqueConstraint("user_id", "course_id", name=op.f("uq_enrollments_user_id_course_id")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_enrollments_course_id_status_enrolled_at_id"),
        "enrollments",
        ["course_id", "status", "enrolled_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_enrollments_status_access_expires_at"), "enrollments", ["status", "access_expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_enrollments_user_id_enrolled_at_id"), "enrollments", ["user_id", "enrolled_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_enrollments_user_id_status_enrolled_at_id"),
        "enrollments",
        ["user_id", "status", "enrolled_at", "id"],
        unique=False,
    )
    op.create_table(
        "sections",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("course_id", orm.BigIntKey, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", orm.long_text(), nullable=True),
        sa.Column("order_index", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total_duration", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total_lectures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("deleted_at", orm.UtcDateTime(), nullable=True),
        sa.CheckConstraint("order_index >= 0", name=op.f("ck_sections_order_index")),
        sa.CheckConstraint("total_duration >= 0 AND total_lectures >= 0", name=op.f("ck_sections_totals")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_sections_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sections")),
        sa.UniqueConstraint("id", "course_id", name=op.f("uq_sections_id_course_id")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_sections_course_id_order_index_id"), "sections", ["course_id", "order_index", "id"], unique=False
    )
    op.create_table(
        "transactions",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("course_id", orm.BigIntKey, nullable=False),
        sa.Column("transaction_id", orm.case_sensitive(40), nullable=False),
        sa.Column("amount", orm.BigIntKey, nullable=False),
        sa.Column("refunded_amount", orm.BigIntKey, server_default="0", nullable=False),
        sa.Column("currency", orm.case_sensitive(3), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "completed",
                "failed",
                "cancelled",
                "partially_refunded",
                "refunded",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "payment_method",
            sa.Enum(
                "stripe",
                "paypal",
                "bank_transfer",
                "free",
                "fake",
                name="payment_method",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("gateway_transaction_id", orm.case_sensitive(255), nullable=True),
        sa.Column("description", orm.long_text(), nullable=True),
        sa.Column("completed_at", orm.UtcDateTime(), nullable=True),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_transactions_amount")),
        sa.CheckConstraint(
            "refunded_amount >= 0 AND refunded_amount <= amount", name=op.f("ck_transactions_refunded_amount")
        ),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_transactions_course_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_transactions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transactions")),
        sa.UniqueConstraint(
            "payment_method",
            "gateway_transaction_id",
            name=op.f("uq_transactions_payment_method_gateway_transaction_id"),
        ),
        sa.UniqueConstraint("transaction_id", name=op.f("uq_transactions_transaction_id")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_transactions_course_id_status_created_at_id"),
        "transactions",
        ["course_id", "status", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_transactions_created_at_id"), "transactions", ["created_at", "id"], unique=False)
    op.create_index(
        op.f("ix_transactions_status_created_at_id"), "transactions", ["status", "created_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_transactions_user_id_created_at_id"), "transactions", ["user_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "lectures",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("section_id", orm.BigIntKey, nullable=False),
        sa.Column("course_id", orm.BigIntKey, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", orm.long_text(), nullable=True),
        sa.Column(
            "lecture_type",
            sa.Enum(
                "video",
                "text",
                "quiz",
                "assignment",
                "resource",
                name="lecture_type",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("order_index", sa.Integer(), server_default="0", nullable=False),
        sa.Column("duration", sa.Integer(), server_default="0", nullable=False),
        sa.Column("video_url", sa.String(length=2000), nullable=True),
        sa.Column("content_url", sa.String(length=2000), nullable=True),
        sa.Column("body", orm.long_text(), nullable=True),
        sa.Column("is_preview", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_downloadable", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("deleted_at", orm.UtcDateTime(), nullable=True),
        sa.CheckConstraint("duration >= 0", name=op.f("ck_lectures_duration")),
        sa.CheckConstraint("order_index >= 0", name=op.f("ck_lectures_order_index")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_lectures_course_id")),
        sa.ForeignKeyConstraint(
            ["section_id", "course_id"], ["sections.id", "sections.course_id"], name=op.f("fk_lectures_section_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lectures")),
        sa.UniqueConstraint("id", "course_id", name=op.f("uq_lectures_id_course_id")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_lectures_course_id_id"), "lectures", ["course_id", "id"], unique=False)
    op.create_index(op.f("ix_lectures_section_id_course_id"), "lectures", ["section_id", "course_id"], unique=False)
    op.create_index(
        op.f("ix_lectures_section_id_order_index_id"), "lectures", ["section_id", "order_index", "id"], unique=False
    )
    op.create_table(
        "course_progress",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("course_id", orm.BigIntKey, nullable=False),
        sa.Column("completed_lectures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total_lectures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("passed_quizzes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total_quizzes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total_watch_time", sa.Integer(), server_default="0", nullable=False),
        sa.Column("current_section_id", orm.BigIntKey, nullable=True),
        sa.Column("current_lecture_id", orm.BigIntKey, nullable=True),
        sa.CheckConstraint(
            "completed_lectures >= 0 AND completed_lectures <= total_lectures",
            name=op.f("ck_course_progress_lectures"),
        ),
        sa.CheckConstraint(
            "passed_quizzes >= 0 AND passed_quizzes <= total_quizzes", name=op.f("ck_course_progress_quizzes")
        ),
        sa.CheckConstraint("total_watch_time >= 0", name=op.f("ck_course_progress_total_watch_time")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_course_progress_course_id")),
        sa.ForeignKeyConstraint(
            ["current_lecture_id"], ["lectures.id"], name=op.f("fk_course_progress_current_lecture_id")
        ),
        sa.ForeignKeyConstraint(
            ["current_section_id"], ["sections.id"], name=op.f("fk_course_progress_current_section_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_course_progress_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_progress")),
        sa.UniqueConstraint("user_id", "course_id", name=op.f("uq_course_progress_user_id_course_id")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_course_progress_course_id"), "course_progress", ["course_id"], unique=False)
    op.create_index(
        op.f("ix_course_progress_current_lecture_id"), "course_progress", ["current_lecture_id"], unique=False
    )
    op.create_index(
        op.f("ix_course_progress_current_section_id"), "course_progress", ["current_section_id"], unique=False
    )
    op.create_table(
        "lecture_progress",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("lecture_id", orm.BigIntKey, nullable=False),
        sa.Column("is_completed", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("watched_ranges", orm.Json(), nullable=False),
        sa.Column("watch_time", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", orm.UtcDateTime(), nullable=False),
        sa.Column("completed_at", orm.UtcDateTime(), nullable=True),
        sa.Column("last_accessed", orm.UtcDateTime(), nullable=False),
        sa.CheckConstraint("watch_time >= 0 AND last_position >= 0", name=op.f("ck_lecture_progress_seconds")),
        sa.ForeignKeyConstraint(["lecture_id"], ["lectures.id"], name=op.f("fk_lecture_progress_lecture_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_lecture_progress_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lecture_progress")),
        sa.UniqueConstraint("user_id", "lecture_id", name=op.f("uq_lecture_progress_user_id_lecture_id")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_lecture_progress_lecture_id_is_completed"),
        "lecture_progress",
        ["lecture_id", "is_completed"],
        unique=False,
    )
    op.create_table(
        "notes",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("lecture_id", orm.BigIntKey, nullable=False),
        sa.Column("content", orm.long_text(), nullable=False),
        sa.Column("timestamp", sa.Integer(), nullable=True),
        sa.CheckConstraint("timestamp >= 0", name=op.f("ck_notes_timestamp")),
        sa.ForeignKeyConstraint(["lecture_id"], ["lectures.id"], name=op.f("fk_notes_lecture_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_notes_lecture_id"), "notes", ["lecture_id"], unique=False)
    op.create_index(
        op.f("ix_notes_user_id_lecture_id_timestamp_id"),
        "notes",
        ["user_id", "lecture_id", "timestamp", "id"],
        unique=False,
    )
    op.create_table(
        "qa_questions",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("lecture_id", orm.BigIntKey, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("content", orm.long_text(), nullable=False),
        sa.Column("timestamp", sa.Integer(), nullable=True),
        sa.Column("is_featured", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("accepted_answer_id", orm.BigIntKey, nullable=True),
        sa.Column("vote_count", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("timestamp >= 0", name=op.f("ck_qa_questions_timestamp")),
        sa.CheckConstraint("vote_count >= 0", name=op.f("ck_qa_questions_vote_count")),
        sa.ForeignKeyConstraint(
            ["accepted_answer_id"],
            ["qa_answers.id"],
            name=op.f("fk_qa_questions_accepted_answer_id"),
            ondelete="SET NULL",
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(["lecture_id"], ["lectures.id"], name=op.f("fk_qa_questions_lecture_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_qa_questions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qa_questions")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_qa_questions_accepted_answer_id"), "qa_questions", ["accepted_answer_id"], unique=False)
    op.create_index(
        op.f("ix_qa_questions_lecture_id_created_at_id"),
        "qa_questions",
        ["lecture_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_qa_questions_lecture_id_vote_count_id"),
        "qa_questions",
        ["lecture_id", "vote_count", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_qa_questions_user_id"), "qa_questions", ["user_id"], unique=False)
    op.create_table(
        "quizzes",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("course_id", orm.BigIntKey, nullable=False),
        sa.Column("lecture_id", orm.BigIntKey, nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", orm.long_text(), nullable=True),
        sa.Column("time_limit", sa.Integer(), nullable=True),
        sa.Column("max_attempts", sa.Integer(), nullable=True),
        sa.Column("passing_score", orm.FixedDecimal(), server_default="7000", nullable=False),
        sa.Column(
            "review_policy",
            sa.Enum(
                "never",
                "after_submit",
                "after_last_attempt",
                "after_pass",
                name="review_policy",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("shuffle_questions", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "kept_score",
            sa.Enum(
                "highest",
                "latest",
                "average",
                "first",
                name="kept_score",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_published", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("max_attempts > 0", name=op.f("ck_quizzes_max_attempts")),
        sa.CheckConstraint("passing_score >= 0 AND passing_score <= 10000", name=op.f("ck_quizzes_passing_score")),
        sa.CheckConstraint("time_limit > 0", name=op.f("ck_quizzes_time_limit")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_quizzes_course_id")),
        sa.ForeignKeyConstraint(
            ["lecture_id", "course_id"], ["lectures.id", "lectures.course_id"], name=op.f("fk_quizzes_lecture_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quizzes")),
        sa.UniqueConstraint("lecture_id", name=op.f("uq_quizzes_lecture_id")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_quizzes_course_id_is_published_id"), "quizzes", ["course_id", "is_published", "id"], unique=False
    )
    op.create_index(op.f("ix_quizzes_lecture_id_course_id"), "quizzes", ["lecture_id", "course_id"], unique=False)
    op.create_table(
        "qa_answers",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("question_id", orm.BigIntKey, nullable=False),
        sa.Column("parent_id", orm.BigIntKey, nullable=True),
        sa.Column("content", orm.long_text(), nullable=False),
        sa.Column("is_instructor_answer", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.Column("vote_count", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("vote_count >= 0", name=op.f("ck_qa_answers_vote_count")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["qa_answers.id"], name=op.f("fk_qa_answers_parent_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["qa_questions.id"], name=op.f("fk_qa_answers_question_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_qa_answers_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qa_answers")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_qa_answers_parent_id_created_at_id"), "qa_answers", ["parent_id", "created_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_qa_answers_question_id_parent_id_vote_count_created_at_id"),
        "qa_answers",
        ["question_id", "parent_id", "vote_count", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_qa_answers_user_id"), "qa_answers", ["user_id"], unique=False)
    op.create_table(
        "questions",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("quiz_id", orm.BigIntKey, nullable=False),
        sa.Column(
            "question_type",
            sa.Enum(
                "multiple_choice",
                "true_false",
                "short_answer",
                "essay",
                name="question_type",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("question_text", orm.long_text(), nullable=False),
        sa.Column("order_index", sa.Integer(), server_default="0", nullable=False),
        sa.Column("points", orm.FixedDecimal(), server_default="100", nullable=False),
        sa.Column("options", orm.Json(), nullable=False),
        sa.Column("correct_answers", orm.Json(), nullable=False),
        sa.Column("explanation", orm.long_text(), nullable=True),
        sa.Column(
            "partial_credit",
            sa.Enum(
                "all_or_nothing",
                "right_minus_wrong",
                "right_only",
                name="partial_credit",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("order_index >= 0", name=op.f("ck_questions_order_index")),
        sa.CheckConstraint("points > 0", name=op.f("ck_questions_points")),
        sa.ForeignKeyConstraint(["quiz_id"], ["quizzes.id"], name=op.f("fk_questions_quiz_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_questions_quiz_id_order_index_id"), "questions", ["quiz_id", "order_index", "id"], unique=False
    )
    op.create_table(
        "quiz_attempts",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("quiz_id", orm.BigIntKey, nullable=False),
        sa.Column("attempt_number", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "in_progress",
                "grading",
                "graded",
                "voided",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("questions", orm.Json(), nullable=False),
        sa.Column("answers", orm.Json(), nullable=False),
        sa.Column("score", orm.FixedDecimal(), nullable=True),
        sa.Column("total_points", orm.FixedDecimal(), server_default="0", nullable=False),
        sa.Column("earned_points", orm.FixedDecimal(), nullable=True),
        sa.Column("is_passed", sa.Boolean(), nullable=True),
        sa.Column("started_at", orm.UtcDateTime(), nullable=False),
        sa.Column("deadline_at", orm.UtcDateTime(), nullable=True),
        sa.Column("submitted_at", orm.UtcDateTime(), nullable=True),
        sa.Column("open_marker", orm.case_sensitive(64), nullable=True),
        sa.CheckConstraint("attempt_number > 0", name=op.f("ck_quiz_attempts_attempt_number")),
        sa.CheckConstraint("score >= 0 AND score <= 10000", name=op.f("ck_quiz_attempts_score")),
        sa.CheckConstraint("total_points >= 0 AND earned_points >= 0", name=op.f("ck_quiz_attempts_points")),
        sa.ForeignKeyConstraint(["quiz_id"], ["quizzes.id"], name=op.f("fk_quiz_attempts_quiz_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_quiz_attempts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_attempts")),
        sa.UniqueConstraint("open_marker", name=op.f("uq_quiz_attempts_open_marker")),
        sa.UniqueConstraint(
            "user_id", "quiz_id", "attempt_number", name=op.f("uq_quiz_attempts_user_id_quiz_id_attempt_number")
        ),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_quiz_attempts_quiz_id_status_submitted_at_id"),
        "quiz_attempts",
        ["quiz_id", "status", "submitted_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_quiz_attempts_status_deadline_at"), "quiz_attempts", ["status", "deadline_at"], unique=False
    )
    # Questions and answers refer to each other. SQLite accepts the cycle inline; MySQL and MariaDB need an ALTER.
    if op.get_bind().dialect.name != "sqlite":
        op.create_foreign_key(
            op.f("fk_qa_questions_accepted_answer_id"),
            "qa_questions",
            "qa_answers",
            ["accepted_answer_id"],
            ["id"],
            ondelete="SET NULL",
        )


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("fk_qa_questions_accepted_answer_id"), "qa_questions", type_="foreignkey")
    op.drop_table("quiz_attempts")
    op.drop_table("questions")
    op.drop_table("qa_answers")
    op.drop_table("quizzes")
    op.drop_table("qa_questions")
    op.drop_table("notes")
    op.drop_table("lecture_progress")
    op.drop_table("course_progress")
    op.drop_table("lectures")
    op.drop_table("transactions")
    op.drop_table("sections")
    op.drop_table("enrollments")
    op.drop_table("course_terms")
    op.drop_table("certificates")
    op.drop_table("instructor_payouts")
    op.drop_table("courses")
    op.drop_table("users")
    op.drop_table("course_categories")
