"""Helpers for tests of the command line: environment, error output, and SQL on the database that a command used."""

import os
from collections.abc import Callable

from click.testing import Result
from sqlalchemy import create_engine, text

RunCli = Callable[..., Result]
NO_SETTINGS = {key: None for key in os.environ if key.startswith(("LMS_", "DB_"))}
"""Removes all settings from the environment of a command."""


def row_count(url: str, table: str) -> int:
    """Return the number of rows in the table."""
    engine = create_engine(url)
    with engine.connect() as connection:
        count: int = connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()
    engine.dispose()
    return count


def assert_one_line_error(result: Result, *words: str) -> None:
    """Assert that the command failed with one line on stderr that contains all these words, without a traceback."""
    assert result.exit_code != 0
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("lms-graphql: ")
    assert "Traceback" not in result.stderr + result.stdout
    for word in words:
        assert word in lines[0]


def execute_sql(url: str, *statements: str) -> None:
    """Execute the statements in one transaction."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
