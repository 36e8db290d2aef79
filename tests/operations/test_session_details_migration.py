"""Migration 0018, which adds changes of email addresses and usernames, and the details of sessions."""

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url

from alembic import command
from lms_graphql.core.engines import make_engine
from lms_graphql.operations import migrations
from tests.operations.test_migrations import insert, insert_rows_for_0007, rows_of

OLD_INDEX, NEW_INDEX = "ix_sessions_user_id_ended_at", "ix_sessions_user_id_ended_at_last_used_at_id"


def session_indexes(connection: Connection) -> set[str | None]:
    return {index["name"] for index in inspect(connection).get_indexes("sessions")}


def test_existing_sessions_count_as_used_when_last_changed(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    session = {"id": 7, "user_id": 1, "created_at": "2026-01-01", "expires_at": "2026-03-01"}
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0007")
    with engine.begin() as connection:
        insert_rows_for_0007(connection)
        command.upgrade(migrations.alembic_config(connection), "0013")
    with engine.begin() as connection:
        insert(connection, "sessions", {**session, "updated_at": "2026-02-03 04:05:06.789000"})
        before = {table: rows_of(connection, table) for table in ("users", "sessions")}
        # As if the process had died after one of the steps.
        connection.execute(text("ALTER TABLE sessions ADD COLUMN user_agent VARCHAR(300)"))
    migrations.migrate(engine)
    with engine.begin() as connection:
        row = connection.execute(text("SELECT last_used_at = updated_at, client_ip, user_agent FROM sessions")).one()
        assert tuple(row) == (1, None, None)
        assert migrations.schema_drift(connection) == []
        assert session_indexes(connection) & {OLD_INDEX, NEW_INDEX} == {NEW_INDEX}
    with engine.begin() as connection:
        command.downgrade(migrations.alembic_config(connection), "0013")
    with engine.begin() as connection:
        assert {table: rows_of(connection, table) for table in before} == before
        assert not inspect(connection).has_table("email_changes")
        assert session_indexes(connection) & {OLD_INDEX, NEW_INDEX} == {OLD_INDEX}
    engine.dispose()
