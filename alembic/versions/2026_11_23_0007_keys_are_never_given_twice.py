"""keys are never given twice

On SQLite, which gives the key of the last row that was deleted to the next one that is made: an id that somebody has
kept would lead to something else. MySQL and MariaDB do not.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OURS = (
    "account_tokens audit_events certificates course_categories course_progress courses enrollments "
    "instructor_applications instructor_payouts lecture_progress lectures mails notebooks notes qa_answer_votes "
    "qa_answers qa_question_votes qa_questions questions quiz_attempts quizzes refresh_tokens sections sessions "
    "signing_keys throttles transactions turns users"
)
"""With keys of their own, at this point. A table that somebody else keeps in the file is left alone: a key of theirs
that is no number would spoil the whole file."""
BEFORE, AFTER = "PRIMARY KEY (id)", "PRIMARY KEY (id AUTOINCREMENT)"


def upgrade() -> None:
    _write_instead(BEFORE, AFTER)


def downgrade() -> None:
    _write_instead(AFTER, BEFORE)


def _write_instead(old: str, new: str) -> None:
    """
    In the words by which SQLite knows its tables. The rows of both kinds of table are kept alike, so that no table
    need be copied. Where the numbers are kept is made with the first table that needs it, and stays; that a table is
    made also tells other connections to read the words again.
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
