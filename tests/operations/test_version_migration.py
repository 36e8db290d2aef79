"""Migration 0013, which adds the versions of sections and lectures."""

from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url

from alembic import command
from lms_graphql.core.engines import make_engine
from lms_graphql.operations import migrations
from tests.operations.test_migrations import insert_rows_for_0007, rows_of


def test_existing_sections_and_lectures_get_version_one(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0007")
    with engine.begin() as connection:
        insert_rows_for_0007(connection)
        command.upgrade(migrations.alembic_config(connection), "0012")
    with engine.begin() as connection:
        before = {table: rows_of(connection, table) for table in ("sections", "lectures")}
        # As if the process had died after the first of the two steps.
        connection.execute(text("ALTER TABLE sections ADD COLUMN version INTEGER DEFAULT 1 NOT NULL"))
    migrations.migrate(engine)
    with engine.begin() as connection:
        for table in before:
            assert connection.scalars(text(f"SELECT version FROM {table}")).all() == [1]
        assert migrations.schema_drift(connection) == []
    with engine.begin() as connection:
        command.downgrade(migrations.alembic_config(connection), "0012")
    with engine.begin() as connection:
        assert {table: rows_of(connection, table) for table in before} == before
        columns = inspect(connection).get_columns("lectures")
        assert "version" not in {column["name"] for column in columns}
    engine.dispose()
