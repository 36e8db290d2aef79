"""Migration 0020, which adds the prefixes of search terms."""

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url

from alembic import command
from lms_graphql.catalog.search_index import term_weights
from lms_graphql.core.engines import make_engine
from lms_graphql.operations import migrations
from tests.operations.test_migrations import insert, insert_rows_for_0007

pytestmark = pytest.mark.slow

TEXTS = {1: ("Łódź for Gophers", "Go", "learn Go"), 2: ("机器学习", None, f"C# {'x' * 70}")}
"""Texts of courses by their keys."""
COURSE_2 = {
    "id": 2, "created_at": "2026-01-01", "updated_at": "2026-01-01", "title": "x", "title_key": "x", "slug": "x",
    "description": "", "instructor_id": 1, "currency": "USD", "status": "draft", "difficulty_level": "beginner",
    "language": "en",
}  # fmt: skip


@pytest.fixture
def engine(empty_database: str) -> Engine:
    """Return the engine of a database at 0019 with the terms of two courses, without prefixes."""
    engine = make_engine(make_url(empty_database), pool_size=2)
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0007")
    with engine.begin() as connection:
        insert_rows_for_0007(connection)
        insert(connection, "courses", COURSE_2)
        command.upgrade(migrations.alembic_config(connection), "0019")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM course_terms"))
        for term, course, weight in expected_terms(prefixes=False):
            insert(connection, "course_terms", {"term": term, "course_id": course, "weight": weight})
    return engine


def expected_terms(*, prefixes: bool) -> set[tuple[str, int, int]]:
    return {
        (term, course, weight)
        for course, texts in TEXTS.items()
        for term, weight in term_weights(*texts).items()
        if prefixes or not term.endswith("*")
    }


def stored_terms(connection: Connection) -> set[tuple[str, int, int]]:
    return {tuple(row) for row in connection.execute(text("SELECT term, course_id, weight FROM course_terms"))}


def test_existing_courses_get_prefixes(engine: Engine) -> None:
    migrations.migrate(engine)
    with engine.begin() as connection:
        assert stored_terms(connection) == expected_terms(prefixes=True)
        assert migrations.schema_drift(connection) == []
    with engine.begin() as connection:
        command.downgrade(migrations.alembic_config(connection), "0019")
    with engine.begin() as connection:
        assert stored_terms(connection) == expected_terms(prefixes=False)
        # As if the process had died after it had written some of the prefixes.
        insert(connection, "course_terms", {"term": "g*", "course_id": 1, "weight": 4})
    migrations.migrate(engine)
    with engine.begin() as connection:
        assert stored_terms(connection) == expected_terms(prefixes=True)
    engine.dispose()
