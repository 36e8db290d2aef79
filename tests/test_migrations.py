"""The migrations make what the models say, on every database, and take it back."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import make_url

from alembic import command
from lms_graphql.core.engines import make_engine
from lms_graphql.operating import migrations
from lms_graphql.tables import metadata

SEVENTEEN = (
    "users course_categories courses sections lectures enrollments course_progress lecture_progress quizzes "
    "questions quiz_attempts notes qa_questions qa_answers certificates transactions instructor_payouts"
)


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_up_down_and_up_again_ends_where_the_models_are(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    assert migrations.migrate(engine) == (None, migrations.head())
    assert tables(engine) == set(metadata.tables)
    assert tables(engine) >= set(SEVENTEEN.split())
    with engine.begin() as connection:
        command.downgrade(migrations.config(connection), "base")
    assert tables(engine) == set()
    migrations.migrate(engine)
    assert tables(engine) == set(metadata.tables)
    assert migrations.migrate(engine) == (migrations.head(), migrations.head())
    engine.dispose()


def test_the_models_and_a_migrated_database_do_not_drift(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    migrations.migrate(engine)
    with engine.connect() as connection:
        assert migrations.drift(connection) == []
        connection.rollback()
        live = inspect(connection)
        for name, table in metadata.tables.items():
            checks = {str(one.name) for one in table.constraints if str(one.name).startswith("ck_")}
            assert checks <= {str(one["name"]) for one in live.get_check_constraints(name)}
    engine.dispose()


def test_every_table_keeps_text_exactly_whatever_the_servers_defaults(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    migrations.migrate(engine)
    names = ["José 🎓", "jose 🎓", "Ἀθῆναι"]
    with engine.begin() as connection:
        for number, name in enumerate(names):
            connection.execute(
                text(
                    "INSERT INTO course_categories (name, name_key, slug, created_at, updated_at)"
                    " VALUES (:name, :name, :slug, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
                ),
                {"name": name, "slug": ["josé", "jose", "JOSE"][number]},
            )
        found = connection.execute(text("SELECT name FROM course_categories ORDER BY id")).scalars().all()
    assert found == names
    engine.dispose()


def test_two_processes_may_migrate_at_once(empty_database: str) -> None:
    def one(_: int) -> str | None:
        engine = make_engine(make_url(empty_database), pool_size=2, patient=True)
        try:
            return migrations.migrate(engine)[1]
        finally:
            engine.dispose()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(one, range(2))) == [migrations.head()] * 2
