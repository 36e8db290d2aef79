"""AUTOINCREMENT on SQLite, so that the key of a deleted row is never used again.

Without it, SQLite gives the key of a deleted last row to the next new row. An id that a client has stored would lead
to another object. MySQL and MariaDB do not do this.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
blocks_writes_to = ()

OURS = (
    "account_tokens audit_events certificates course_categories course_progress courses enrollments "
    "instructor_applications instructor_payouts lecture_progress lectures mails notebooks notes qa_answer_votes "
    "qa_answers qa_question_votes qa_questions questions quiz_attempts quizzes refresh_tokens sections sessions "
    "signing_keys throttles transactions turns users"
)
"""Tables with a key of their own at this point. Tables of other programs in the same file stay unchanged, because
a key that is not a number would damage the whole file."""
BEFORE, AFTER = "PRIMARY KEY (id)", "PRIMARY KEY (id AUTOINCREMENT)"


def upgrade() -> None:
    _write_instead(BEFORE, AFTER)


def downgrade() -> None:
    _write_instead(AFTER, BEFORE)


def _write_instead(old: str, new: str) -> None:
    """Replace a part of the CREATE TABLE statements that SQLite stores as its schema.

    Both kinds of table store their rows alike, so no table needs to be copied. Creating a table creates
    `sqlite_sequence`, which stays, and makes other connections read the schema again.
    """
    if op.get_context().dialect.name != "sqlite":
        return
    op.execute("CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    op.execute("DROP TABLE numbered")
    op.execute("PRAGMA writable_schema = ON")
    tables = ", ".join(f"'{name}'" for name in OURS.split())
    where = f"WHERE type = 'table' AND name IN ({tables})"
    op.execute(f"UPDATE sqlite_master SET sql = replace(sql, '{old}', '{new}') {where}")
    op.execute("PRAGMA writable_schema = RESET")
