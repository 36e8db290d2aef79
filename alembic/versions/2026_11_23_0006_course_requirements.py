"""Items that a course required when its progress was last counted.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
blocks_writes_to = ()


def upgrade() -> None:
    op.add_column("course_progress", sa.Column("reported_at", orm.UtcDateTime(), nullable=True))
    op.create_table(
        "course_requirements",
        sa.Column("course_id", orm.BigIntKey, autoincrement=False, nullable=False),
        sa.Column("things", orm.case_sensitive(64), nullable=False),
        sa.Column("recounted_to", orm.BigIntKey, nullable=True),
        sa.CheckConstraint("recounted_to >= 0", name=op.f("ck_course_requirements_recounted_to")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_requirements_course_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("course_id", name=op.f("pk_course_requirements")),
        **orm.TABLE_OPTIONS,
    )
    op.create_index(
        op.f("ix_course_requirements_recounted_to"), "course_requirements", ["recounted_to"], unique=False
    )


def downgrade() -> None:
    op.drop_table("course_requirements")
    op.drop_column("course_progress", "reported_at")
