"""`db migrate --plan`, and what it says about each migration."""

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import make_url

from alembic import command
from lms_graphql.core.database import Database
from lms_graphql.demo.builder import build_demo
from lms_graphql.operations import migrations, seed_data
from tests.cli import RunCli, assert_one_line_error, execute_sql
from tests.demo_service import PASSWORD
from tests.mariadb import MariaDB
from tests.operations.observed_migrations import ObservedMigrations

pytestmark = pytest.mark.slow

FIRST = "0001"
FIRST_TO_CONTINUE = "0013"
"""The first of the migrations that all continue after an interruption on MariaDB, as `docs/operations.md` says."""


@pytest.fixture
def observed(mariadb_server: MariaDB) -> Iterator[ObservedMigrations]:
    """Return the migrations of a database at the first migration, with the rows of a small demo."""
    url = mariadb_server.new_database("lms_observed_migrations")
    database = Database(make_url(url), pool_size=2, for_maintenance=True)
    migrations.migrate(database.engine)
    database.write_sync(lambda session: seed_data.seed(session, PASSWORD) and None)
    database.write_sync(lambda session: build_demo(session, courses=1, learners=6) and None)
    with database.engine.begin() as connection:
        command.downgrade(migrations.alembic_config(connection), FIRST)
    database.dispose()
    observed = ObservedMigrations(url)
    yield observed
    observed.close()


def test_migrations_block_the_declared_tables_and_can_continue(observed: ObservedMigrations) -> None:
    planned = observed.plan()
    for migration in planned:
        observed.make_rows_stale(migration.revision)
        observed.run(migration.revision, interrupts=migration.revision >= FIRST_TO_CONTINUE)
    for migration in planned:
        assert (migration.revision, observed.blocked[migration.revision]) == (
            migration.revision,
            set(migration.blocks_writes_to),
        )
    assert observed.schema_drift() == []


def test_plan_lists_the_migrations_and_changes_nothing(run: RunCli, empty_database: str) -> None:
    is_sqlite = empty_database.startswith("sqlite")
    if is_sqlite:
        assert_one_line_error(run("db", "migrate", "--plan"), "There is no database")
    assert run("db", "migrate").exit_code == 0
    assert run("db", "migrate", "--plan").stdout == f"migrations: already at {migrations.head()}\n"
    execute_sql(empty_database, "UPDATE alembic_version SET version_num = '0019'")
    for _ in range(2):
        lines = run("db", "migrate", "--plan").stdout.splitlines()
        assert "at 0019" in lines[0]
        assert [line[:4] for line in lines if line[0] == "0"][:2] == ["0020", "0021"]
        assert ("      blocks writes to course_terms" in lines) is not is_sqlite
        assert ("      blocks no writes" in lines) is not is_sqlite
        assert "      takes 1 to 3 minutes with 10,000 courses" in lines
