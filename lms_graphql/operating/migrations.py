"""Alembic, driven from here: the same from a checkout and from an installed package."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from alembic import command
from lms_graphql.core.errors import OperatorError
from lms_graphql.operating.alone import alone
from lms_graphql.tables import metadata

PACKAGE = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """Where the migrations are: in the package where it was installed, beside it in a checkout."""
    inside = PACKAGE / "alembic"
    return inside if inside.is_dir() else PACKAGE.parent / "alembic"


def config(connection: Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(folder()))
    made.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(rev)s_%%(slug)s")
    made.attributes["connection"] = connection
    return made


def head() -> str | None:
    return ScriptDirectory.from_config(config()).get_current_head()


def current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def migrate(engine: Engine) -> tuple[str | None, str | None]:
    """Up to the newest state, one process at a time. The revision before and after."""
    with alone(engine), engine.begin() as connection:
        before = current(connection)
        command.upgrade(config(connection), "head")
        return before, current(connection)


def create(engine: Engine, message: str) -> None:
    """A new migration from what the models say and the database lacks."""
    with engine.begin() as connection:
        if current(connection) != head():
            raise OperatorError("The database is not at the newest migration. Run `lms-graphql db migrate` first.")
        command.revision(config(connection), message=message, autogenerate=True)


def drift(connection: Connection) -> list[str]:
    """What the models say and the database does not have, or the other way round."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [_described(difference) for difference in compare_metadata(context, metadata)]


def _described(difference: object) -> str:
    if isinstance(difference, list):
        return "; ".join(_described(one) for one in difference)
    assert isinstance(difference, tuple)
    return " ".join(str(getattr(part, "name", part)) for part in difference if part is not None)
