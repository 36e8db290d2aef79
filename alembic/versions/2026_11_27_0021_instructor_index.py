"""Index of an instructor's courses in the order of their list.

Each step first checks whether it was done already. So a migration that was interrupted on MySQL or MariaDB, whose DDL
is not transactional, can be run again.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
blocks_writes_to = ()

INDEX = "ix_courses_instructor_id_created_at_id_enrollment_count"


def upgrade() -> None:
    if INDEX not in _indexes():
        op.create_index(op.f(INDEX), "courses", ["instructor_id", "created_at", "id", "enrollment_count"], unique=False)


def downgrade() -> None:
    if INDEX in _indexes():
        op.drop_index(op.f(INDEX), table_name="courses")


def _indexes() -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("courses")}
