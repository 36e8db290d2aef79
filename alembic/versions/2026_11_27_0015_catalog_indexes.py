"""Indexes of courses: for the order by their last change, and for facets.

Each step first checks whether it was done already. So a migration that was interrupted on MySQL or MariaDB, whose DDL
is not transactional, can be run again.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
blocks_writes_to = ()

INDEXES = {
    "ix_courses_status_updated_at_id": ["status", "updated_at", "id"],
    "ix_courses_facets": [
        "status", "difficulty_level", "language", "category_id", "price", "currency", "is_featured", "total_duration",
        "updated_at", "instructor_id",
    ],
}  # fmt: skip


def upgrade() -> None:
    existing = _indexes()
    for name, columns in INDEXES.items():
        if name not in existing:
            op.create_index(op.f(name), "courses", columns, unique=False)


def downgrade() -> None:
    for name in INDEXES.keys() & _indexes():
        op.drop_index(op.f(name), table_name="courses")


def _indexes() -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("courses")}
