"""Migration 0016, which adds the course and the search terms of questions."""

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from alembic import command
from lms_graphql.core.engines import make_engine
from lms_graphql.operations import migrations
from tests.operations.test_migrations import insert, insert_rows_for_0007, rows_of

TIMES = {"created_at": "2026-01-01", "updated_at": "2026-01-02"}
QUESTION = {"id": 7, **TIMES, "user_id": 1, "lecture_id": 1, "title": "Wo ist Łódź?", "content": "C# im Kurs"}
ANSWER = {"id": 4, **TIMES, "user_id": 1, "question_id": 7, "content": "Hier"}


@pytest.fixture
def engine(empty_database: str) -> Engine:
    """Return the engine of a database at 0015 with a question that has an accepted answer."""
    engine = make_engine(make_url(empty_database), pool_size=2)
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0007")
    with engine.begin() as connection:
        insert_rows_for_0007(connection)
        command.upgrade(migrations.alembic_config(connection), "0015")
    with engine.begin() as connection:
        insert(connection, "qa_questions", QUESTION)
        insert(connection, "qa_answers", ANSWER)
        connection.execute(text("UPDATE qa_questions SET accepted_answer_id = 4"))
    return engine


def test_existing_questions_get_course_and_terms(engine: Engine) -> None:
    with engine.begin() as connection:
        before = {table: rows_of(connection, table) for table in ("qa_questions", "qa_answers")}
    migrations.migrate(engine)
    with engine.begin() as connection:
        assert [row[:-1] for row in rows_of(connection, "qa_questions")] == before["qa_questions"]
        assert rows_of(connection, "qa_answers") == before["qa_answers"]
        assert connection.scalars(text("SELECT course_id FROM qa_questions")).all() == [1]
        terms = {(course, term) for course, term, _ in rows_of(connection, "qa_question_terms")}
        assert terms == {("1", term) for term in ("wo", "ist", "lodz", "c#", "c", "im", "kurs")}
        assert migrations.schema_drift(connection) == []
    with engine.begin() as connection:
        command.downgrade(migrations.alembic_config(connection), "0015")
    with engine.begin() as connection:
        assert {table: rows_of(connection, table) for table in before} == before
        assert inspect(connection).get_foreign_keys("qa_questions")
    migrations.migrate(engine)
    engine.dispose()


def test_course_of_question_must_be_that_of_its_lecture(engine: Engine) -> None:
    migrations.migrate(engine)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("UPDATE qa_questions SET course_id = 2"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE qa_questions SET accepted_answer_id = NULL"))
        connection.execute(text("DELETE FROM qa_questions"))
        assert rows_of(connection, "qa_answers") == rows_of(connection, "qa_question_terms") == []
    engine.dispose()


def test_interrupted_migration_can_be_repeated(engine: Engine) -> None:
    with engine.begin() as connection:
        # As if the process had died after the column and the table were created and some terms written.
        connection.execute(text("ALTER TABLE qa_questions ADD COLUMN course_id BIGINT DEFAULT 0 NOT NULL"))
        connection.execute(text("CREATE INDEX ix_notes_user_id_created_at_id ON notes (user_id, created_at, id)"))
    migrations.migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM qa_question_terms WHERE term = 'lodz'"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0015'"))
    migrations.migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT COUNT(*) FROM qa_question_terms")) == 7
    engine.dispose()
