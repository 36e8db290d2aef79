"""What tests of the command line share: how it is called, and what a refusal looks like."""

import os
from collections.abc import Callable

from click.testing import Result
from sqlalchemy import create_engine, text

Run = Callable[..., Result]
CLEAN = {key: None for key in os.environ if key.startswith(("LMS_", "DB_"))}
"""For an environment without any settings."""


def rows(url: str, table: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        number: int = connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()
    engine.dispose()
    return number


def assert_one_clear_line(ran: Result, *words: str) -> None:
    assert ran.exit_code != 0
    lines = ran.stderr.strip().splitlines()
    assert len(lines) == 1, ran.stderr
    assert lines[0].startswith("lms-graphql: ")
    assert "Traceback" not in ran.stderr + ran.stdout
    for word in words:
        assert word in lines[0]


def execute(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
