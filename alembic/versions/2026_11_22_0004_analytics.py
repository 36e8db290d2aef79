"""Analytics of courses, lectures and instructors.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
blocks_writes_to = ()


def upgrade() -> None:
    op.create_table(
        "teaching_figures",
        sa.Column("instructor_id", orm.BigIntKey, autoincrement=False, nullable=False),
        sa.Column("as_of", orm.UtcDateTime(), nullable=False),
        sa.Column("learner_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("completion_count", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("learner_count >= 0 AND completion_count >= 0", name=op.f("ck_teaching_figures_counts")),
        sa.ForeignKeyConstraint(["instructor_id"], ["users.id"], name=op.f("fk_teaching_figures_instructor_id")),
        sa.PrimaryKeyConstraint("instructor_id", name=op.f("pk_teaching_figures")),
        **orm.TABLE_OPTIONS,
    )
    op.create_table(
        "course_analytics",
        sa.Column("course_id", orm.BigIntKey, autoincrement=False, nullable=False),
        sa.Column("as_of", orm.UtcDateTime(), nullable=False),
        sa.Column("enrollment_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("active_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("completion_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("percent_total", orm.BigIntKey, server_default="0", nullable=False),
        sa.CheckConstraint(
            "enrollment_count >= 0 AND active_count >= 0 AND completion_count >= 0",
            name=op.f("ck_course_analytics_counts"),
        ),
        sa.CheckConstraint("percent_total >= 0", name=op.f("ck_course_analytics_percent_total")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_analytics_course_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_course_analytics")),
        **orm.TABLE_OPTIONS,
    )
    op.create_table(
        "course_revenue",
        sa.Column("course_id", orm.BigIntKey, autoincrement=False, nullable=False),
        sa.Column("currency", orm.case_sensitive(3), nullable=False),
        sa.Column("gross", orm.BigIntKey, nullable=False),
        sa.Column("refunded", orm.BigIntKey, nullable=False),
        sa.CheckConstraint("gross >= 0 AND refunded >= 0", name=op.f("ck_course_revenue_amounts")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_revenue_course_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("course_id", "currency", name=op.f("pk_course_revenue")),
        **orm.TABLE_OPTIONS,
    )
    op.create_table(
        "lecture_analytics",
        sa.Column("lecture_id", orm.BigIntKey, autoincrement=False, nullable=False),
        sa.Column("course_id", orm.BigIntKey, nullable=False),
        sa.Column("started_count", sa.Integer(), nullable=False),
        sa.Column("completed_count", sa.Integer(), nullable=False),
        sa.Column("watch_total", orm.BigIntKey, nullable=False),
        sa.CheckConstraint(
            "started_count > 0 AND completed_count >= 0 AND watch_total >= 0",
            name=op.f("ck_lecture_analytics_figures"),
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_lecture_analytics_course_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["lecture_id"], ["lectures.id"], name=op.f("fk_lecture_analytics_lecture_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("lecture_id", name=op.f("pk_lecture_analytics")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(op.f("ix_lecture_analytics_course_id"), "lecture_analytics", ["course_id"], unique=False)
    op.create_index(
        op.f("ix_course_progress_updated_at_course_id"), "course_progress", ["updated_at", "course_id"], unique=False
    )
    op.create_index(
        op.f("ix_enrollments_course_id_status_enrolled_at_id_access_expires_at"),
        "enrollments",
        ["course_id", "status", "enrolled_at", "id", "access_expires_at"],
        unique=False,
    )
    op.drop_index(op.f("ix_enrollments_course_id_status_enrolled_at_id"), table_name="enrollments")
    op.create_index(
        op.f("ix_enrollments_course_id_enrolled_at_id"),
        "enrollments",
        ["course_id", "enrolled_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_enrollments_updated_at_course_id"), "enrollments", ["updated_at", "course_id"], unique=False
    )
    op.create_index(
        op.f("ix_lecture_progress_updated_at_lecture_id"),
        "lecture_progress",
        ["updated_at", "lecture_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_transactions_updated_at_course_id"), "transactions", ["updated_at", "course_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_transactions_updated_at_course_id"), table_name="transactions")
    op.drop_index(op.f("ix_lecture_progress_updated_at_lecture_id"), table_name="lecture_progress")
    op.drop_index(op.f("ix_enrollments_updated_at_course_id"), table_name="enrollments")
    op.create_index(
        op.f("ix_enrollments_course_id_status_enrolled_at_id"),
        "enrollments",
        ["course_id", "status", "enrolled_at", "id"],
        unique=False,
    )
    op.drop_index(op.f("ix_enrollments_course_id_enrolled_at_id"), table_name="enrollments")
    op.drop_index(op.f("ix_enrollments_course_id_status_enrolled_at_id_access_expires_at"), table_name="enrollments")
    op.drop_index(op.f("ix_course_progress_updated_at_course_id"), table_name="course_progress")
    op.drop_table("lecture_analytics")
    op.drop_table("course_revenue")
    op.drop_table("course_analytics")
    op.drop_table("teaching_figures")
