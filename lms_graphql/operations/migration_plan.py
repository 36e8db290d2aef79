"""`db migrate --plan`: the migrations that would run, and the tables whose writes they block on MariaDB."""

from collections.abc import Iterator
from typing import NamedTuple

from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection

from lms_graphql.operations import migrations


class PlannedMigration(NamedTuple):
    """A migration that would run.

    `blocks_writes_to` are the tables whose writes wait on MariaDB, because the migration rebuilds, changes or drops
    them. `duration` is what was measured, None if the migration is short or was not measured.
    """

    revision: str
    title: str
    blocks_writes_to: tuple[str, ...]
    duration: str | None


def planned_migrations(connection: Connection) -> tuple[str | None, list[PlannedMigration]]:
    """Return the migration that the database is at, and those that `db migrate` would run, in their order.

    Raise OperatorError if the database cannot be migrated, for example because it is newer than this program.
    """
    current = migrations.current(connection)
    scripts = ScriptDirectory.from_config(migrations.alembic_config()).iterate_revisions("head", current or "base")
    return current, [_planned(script) for script in reversed(list(scripts))]


def plan_lines(connection: Connection) -> Iterator[str]:
    """Yield the plan as text."""
    current, planned = planned_migrations(connection)
    if not planned:
        yield f"migrations: already at {current}"
        return
    state = "has no tables yet" if current is None else f"is at {current}"
    yield f"The database {state}. Migrations to run: {len(planned)}. Nothing was changed."
    if connection.dialect.name == "sqlite":
        yield "All of them run in one transaction. Other writes to this file wait until it has ended."
    for migration in planned:
        yield f"{migration.revision}  {migration.title}"
        if connection.dialect.name != "sqlite":
            yield f"      {_effect(migration)}"
        if migration.duration is not None:
            yield f"      takes {migration.duration}"


def _planned(script: Script) -> PlannedMigration:
    module = script.module
    return PlannedMigration(script.revision, script.doc, module.blocks_writes_to, getattr(module, "duration", None))


def _effect(migration: PlannedMigration) -> str:
    if not migration.blocks_writes_to:
        return "blocks no writes"
    return f"blocks writes to {', '.join(migration.blocks_writes_to)}"
