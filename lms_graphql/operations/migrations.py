"""Alembic, driven from here: the same from a checkout and from an installed package."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from alembic import command
from lms_graphql.all_models import metadata
from lms_graphql.core.errors import OperatorError
from lms_graphql.operations.advisory_lock import advisory_lock

PACKAGE = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """Where the migrations are: in the package where it was installed, beside it in a checkout."""
    inside = PACKAGE / "alembic"
    return inside if inside.is_dir() else PACKAGE.parent / "alembic"


def config(connection: Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(folder()).replace("%", "%%"))  # a lone % would be filled in
    made.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(rev)s_%%(slug)s")
    made.attributes["connection"] = connection
    return made


def head() -> str | None:
    return ScriptDirectory.from_config(config()).get_current_head()


def current(connection: Connection) -> str | None:
    """The migration that the database is at, None before the first. OperatorError where none of ours leads on."""
    recorded = MigrationContext.configure(connection).get_current_heads()
    if len(recorded) > 1:
        several = ", ".join(sorted(recorded))
        raise OperatorError(
            f"The table alembic_version names several migrations ({several}), where one row belongs. "
            "Delete the rows that are wrong, or restore a backup."
        )
    if not recorded:
        _refuse_tables_of_unknown_state(connection)
        return None
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if recorded[0] not in known:
        raise OperatorError(
            f"The database is newer than this program, which does not know its migration {recorded[0]}. "
            "Update the program."
        )
    return recorded[0]


def _refuse_tables_of_unknown_state(connection: Connection) -> None:
    """MySQL keeps each table as it is made, so that a first migration which is killed leaves some, and no record."""
    there = set(inspect(connection).get_table_names()) & set(metadata.tables)
    if there:
        raise OperatorError(
            f"The database has {len(there)} of {len(metadata.tables)} tables but no migration is recorded: the first "
            "one was interrupted, or they are another program's. Restore a backup, or run `lms-graphql db reset` "
            "if there is nothing to keep."
        )


def migrate(engine: Engine) -> tuple[str | None, str | None]:
    """Up to the newest state, one process at a time. The revision before and after."""
    with advisory_lock(engine), engine.begin() as connection:
        before = current(connection)
        command.upgrade(config(connection), "head")
        return before, current(connection)


def create(engine: Engine, message: str) -> None:
    """A new migration from what the models say and the database lacks."""
    with engine.begin() as connection:
        if current(connection) != head():
            raise OperatorError("The database is not at the newest migration. Run `lms-graphql db migrate` first.")
        command.revision(config(connection), message=message, autogenerate=True)


def schema_drift(connection: Connection) -> list[str]:
    """What the models say and the database does not have, or the other way round."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [_described(difference) for difference in compare_metadata(context, metadata)]


def _described(difference: object) -> str:
    if isinstance(difference, list):
        return "; ".join(_described(one) for one in difference)
    assert isinstance(difference, tuple)
    return " ".join(str(getattr(part, "name", part)) for part in difference if part is not None)
