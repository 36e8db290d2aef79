"""Migration 0017, which adds invitations, the progress of enrollments, and the words of users' names."""

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from alembic import command
from lms_graphql.core.engines import make_engine
from lms_graphql.learning.completion_percent import percent_hundredths
from lms_graphql.operations import migrations
from tests.operations.test_migrations import insert, insert_rows_for_0007, rows_of

COUNTS = [(0, 0), (1, 3), (2, 3), (3, 3), (1, 8), (0, 7), (1, 800)]
"""Completed and required lectures of each enrollment."""
USER = {"username": "u", "username_key": "u", "first_name": "U", "last_name": "U", "role": "learner"}
TIMES = {"created_at": "2026-01-01", "updated_at": "2026-01-01"}


def insert_enrollments(engine: Engine) -> None:
    with engine.begin() as connection:
        for key, (completed, total) in enumerate(COUNTS, start=2):
            name = {**USER, "username": f"u{key}", "username_key": f"u{key}"}
            insert(connection, "users", {"id": key, **TIMES, **name})
            keys = {"id": key, **TIMES, "user_id": key, "course_id": 1}
            states = {"status": "active", "source": "free", "enrolled_at": "2026-01-01"}
            insert(connection, "enrollments", {**keys, **states})
            if total:
                insert(
                    connection, "course_progress", {**keys, "completed_lectures": completed, "total_lectures": total}
                )
        for term in ("x", "org"):  # of an email address
            insert(connection, "user_terms", {"term": term, "user_id": 1})


def test_existing_rows_get_progress_and_names(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0007")
    with engine.begin() as connection:
        insert_rows_for_0007(connection)
        command.upgrade(migrations.alembic_config(connection), "0013")
    insert_enrollments(engine)
    with engine.begin() as connection:
        before = {table: rows_of(connection, table) for table in ("enrollments", "user_terms", "course_progress")}
        # As if the process had died after some of the steps.
        connection.execute(text("ALTER TABLE user_terms ADD COLUMN is_name BOOLEAN DEFAULT 0 NOT NULL"))
        index = "CREATE INDEX ix_enrollments_course_id_last_accessed_id ON enrollments"
        connection.execute(text(f"{index} (course_id, last_accessed, id)"))
    migrations.migrate(engine)
    with engine.begin() as connection:
        stored = connection.scalars(text("SELECT progress_hundredths FROM enrollments ORDER BY id")).all()
        assert stored == [percent_hundredths(*counts) for counts in COUNTS]
        names = connection.scalars(text("SELECT term FROM user_terms WHERE is_name = 1 ORDER BY term")).all()
        assert names == ["ada", "byron"]
        assert migrations.schema_drift(connection) == []
    with engine.begin() as connection:
        command.downgrade(migrations.alembic_config(connection), "0013")
    with engine.begin() as connection:
        assert {table: rows_of(connection, table) for table in before} == before
    engine.dispose()
