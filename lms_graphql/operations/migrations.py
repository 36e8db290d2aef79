"""Migrations with Alembic, from a checkout as well as from an installed package."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from alembic import command
from lms_graphql.all_models import metadata
from lms_graphql.core.errors import OperatorError
from lms_graphql.operations import setup_lock

PACKAGE = Path(__file__).resolve().parent.parent


def migrations_folder() -> Path:
    """Return the folder of the migrations: inside of an installed package, next to it in a checkout."""
    packaged_folder = PACKAGE / "alembic"
    return packaged_folder if packaged_folder.is_dir() else PACKAGE.parent / "alembic"


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    # Alembic interpolates option values, so a single % in a path would be an error.
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def head() -> str | None:
    """Return the newest migration that this version has."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def current(connection: Connection, *, is_locked: bool = False) -> str | None:
    """Return the migration that the database is at, None before the first one.

    Raise OperatorError if no migration of this version can continue from the database's state, or if another process
    sets it up. `is_locked`: this process holds the setup lock.
    """
    recorded = MigrationContext.configure(connection).get_current_heads()
    if len(recorded) > 1:
        revisions = ", ".join(sorted(recorded))
        raise OperatorError(
            f"The table alembic_version has several rows ({revisions}) instead of one. "
            "Delete the wrong ones, or restore a backup."
        )
    if not recorded:
        _require_no_tables(connection, is_locked)
        return None
    if recorded[0] not in known_revisions():
        raise OperatorError(
            f"The database is newer than this program, which does not know its migration {recorded[0]}. "
            "It stays as it is. Update the program, or restore a backup from before the upgrade."
        )
    return recorded[0]


def known_revisions() -> frozenset[str]:
    """Return all migrations that this version has."""
    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    return frozenset(script.revision for script in scripts)


def is_model_table(name: str | None, kind: str, parents: object) -> bool:
    """Return whether a table belongs to the models. For Alembic, which compares them with the database."""
    return (kind, name) != ("table", setup_lock.TABLE)


def _require_no_tables(connection: Connection, is_locked: bool) -> None:
    """Raise OperatorError if there are tables without a recorded migration.

    MySQL commits each table as it is created, so there are tables and no record while the first migration runs, and
    after it was killed.
    """
    tables = set(inspect(connection).get_table_names()) & set(metadata.tables)
    if tables and not is_locked and setup_lock.is_set_up_now(connection):
        raise OperatorError(setup_lock.BUSY_MESSAGE)
    if tables:
        raise OperatorError(
            f"The database has {len(tables)} of {len(metadata.tables)} tables, but no migration is recorded. "
            "The first migration was interrupted, or the tables belong to another program. "
            "Restore a backup, or run `lms-graphql db reset` if no data is needed."
        )


def migrate(engine: Engine) -> tuple[str | None, str | None]:
    """Migrate to the newest migration, one process at a time. Return the migration before and after."""
    with setup_lock.setup_lock(engine), engine.begin() as connection:
        before = current(connection, is_locked=True)
        command.upgrade(alembic_config(connection), "head")
        return before, current(connection, is_locked=True)


def create(engine: Engine, message: str) -> None:
    """Write a new migration with the difference between the models and the database."""
    with engine.begin() as connection:
        if current(connection) != head():
            raise OperatorError("The database is not at the newest migration. Run `lms-graphql db migrate` first.")
        command.revision(alembic_config(connection), message=message, autogenerate=True)


def schema_drift(connection: Connection) -> list[str]:
    """Return a line for each difference between the models and the database."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_model_table})
    return [_describe(difference) for difference in compare_metadata(context, metadata)]


def _describe(difference: object) -> str:
    if isinstance(difference, list):
        return "; ".join(_describe(part) for part in difference)
    assert isinstance(difference, tuple)
    return " ".join(str(getattr(part, "name", part)) for part in difference if part is not None)
