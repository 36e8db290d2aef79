"""Search terms for the prefixes of words, and the index of terms by relevance.

Each step can be repeated. So a migration that was interrupted on MySQL or MariaDB, whose DDL is not transactional, can be
run again.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
blocks_writes_to = ("course_terms",)
duration = "1 to 3 minutes with 10,000 courses"

INDEX = "ix_course_terms_term_weight_course_id"
MAX_PREFIX_LENGTH = 63
"""Terms have at most 64 characters. One of them is the asterisk."""
TERMS = sa.table("course_terms", *map(sa.column, ("term", "course_id", "weight")))


def upgrade() -> None:
    connection = op.get_bind()
    words = TERMS.c.term.not_like("%*")
    longest = connection.scalar(sa.select(sa.func.max(sa.func.char_length(TERMS.c.term))).where(words)) or 0
    for length in range(1, min(longest, MAX_PREFIX_LENGTH) + 1):
        prefix = sa.func.substr(TERMS.c.term, 1, length).concat("*")
        rows = sa.select(prefix, TERMS.c.course_id, sa.func.max(TERMS.c.weight))
        rows = rows.where(words, sa.func.char_length(TERMS.c.term) >= length).group_by(prefix, TERMS.c.course_id)
        insert = sa.insert(TERMS).prefix_with("OR IGNORE", dialect="sqlite")
        insert = insert.prefix_with("IGNORE", dialect="mysql").prefix_with("IGNORE", dialect="mariadb")
        connection.execute(insert.from_select(["term", "course_id", "weight"], rows))
    if INDEX not in _indexes():
        op.create_index(op.f(INDEX), "course_terms", ["term", "weight", "course_id"], unique=False)


def downgrade() -> None:
    if INDEX in _indexes():
        op.drop_index(op.f(INDEX), table_name="course_terms")
    op.execute(sa.delete(TERMS).where(TERMS.c.term.like("%*")))


def _indexes() -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("course_terms")}
