"""Migration 0009: existing sort keys, search terms and languages follow the new folding, and slugs stay."""

from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from alembic import command
from lms_graphql.core.engines import make_engine
from lms_graphql.operations import migrations

pytestmark = pytest.mark.slow

TIMES = {"created_at": "2026-01-01", "updated_at": "2026-01-01"}
USER = {"username": "x", "username_key": "x", "first_name": "Øystein", "last_name": "Łęcki", "role": "instructor"}
DELETED_USER = {"username": "~2", "username_key": "~2", "first_name": "", "last_name": "", "role": "learner"}
COURSE = {
    "title": "机器学习 Łódź", "title_key": "机器学习 łodz", "slug": "odz", "description": "हिन्दी", "instructor_id": 1,
    "currency": "USD", "status": "draft", "difficulty_level": "beginner", "language": "pt-BR",
}  # fmt: skip
CATEGORIES = [("Łódź", "łodz"), ("Lodz", "lodz"), ("Øre", "øre"), ("が", "か"), ("Plain", "plain")]
"""Names with their keys at 0008. The first two have the same key from 0009 on."""


def insert(connection: Connection, table: str, **values: Any) -> None:
    values = {**TIMES, **values} if "term" not in values else values
    names, parameters = ", ".join(values), ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({parameters})"), values)


def insert_rows_for_0008(connection: Connection) -> None:
    insert(connection, "users", id=1, name_key="øystein łecki", **USER)
    insert(connection, "users", id=2, name_key="", deleted_at="2026-01-01", **DELETED_USER)
    insert(connection, "courses", id=1, **COURSE)
    for key, (name, name_key) in enumerate(CATEGORIES, 1):
        insert(connection, "course_categories", id=key, name=name, name_key=name_key, slug=f"c-{key}")
    for term in ("øystein", "łecki", "x"):
        insert(connection, "user_terms", term=term, user_id=1)
    for term, weight in (("机器学习", 4), ("łodz", 4), ("ह", 1), ("नद", 1)):
        insert(connection, "course_terms", term=term, course_id=1, weight=weight)


def stored(connection: Connection) -> dict[str, Any]:
    def rows(columns: str) -> list[tuple[Any, ...]]:
        return sorted(map(tuple, connection.execute(text(f"SELECT {columns}"))))

    return {
        "users": rows("id, name_key FROM users"),
        "courses": rows("title_key, slug, updated_at FROM courses"),
        "categories": rows("id, name_key FROM course_categories"),
        "user_terms": rows("user_id, term FROM user_terms"),
        "course_terms": rows("term, weight FROM course_terms"),
    }


def test_existing_rows_are_reindexed_and_back(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0008")
    with engine.begin() as connection:
        insert_rows_for_0008(connection)
        before = stored(connection)
    migrations.migrate(engine)
    with engine.begin() as connection:
        after = stored(connection)
        assert after["users"] == [(1, "oystein lecki"), (2, "")]
        assert [row[:2] for row in after["courses"]] == [("机器学习 lodz", "odz")]
        assert after["courses"][0][2] == before["courses"][0][2]
        assert after["categories"] == [(1, "łodz"), (2, "lodz"), (3, "ore"), (4, "が"), (5, "plain")]
        assert after["user_terms"] == [(1, "lecki"), (1, "oystein"), (1, "x")]
        pairs = {"机器": 4, "器学": 4, "学习": 4, "习": 4}
        words = {term: weight for term, weight in after["course_terms"] if not term.endswith("*")}
        assert words == {**pairs, "lodz": 4, "हिन्दी": 1}
        assert connection.scalar(text("SELECT primary_language FROM courses")) == "pt"
        command.downgrade(migrations.alembic_config(connection), "0008")
    with engine.begin() as connection:
        assert stored(connection) == before
    migrations.migrate(engine)
    with engine.begin() as connection:
        assert stored(connection) == after
    engine.dispose()


def test_interrupted_reindexing_can_be_repeated(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0009")
        connection.execute(text("UPDATE alembic_version SET version_num = '0008'"))
        connection.execute(text("INSERT INTO course_categories (name, name_key, slug, created_at, updated_at)"
                                " VALUES ('Øre', 'øre', 'ore', '2026-01-01', '2026-01-01')"))  # fmt: skip
    migrations.migrate(engine)
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT name_key FROM course_categories")) == "ore"
    engine.dispose()
