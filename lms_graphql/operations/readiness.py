"""Readiness: whether the service can do its work now."""

from functools import cache

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms_graphql.core import db_errors
from lms_graphql.operations import migrations


@cache
def _newest_migration() -> str | None:
    return migrations.head()


@cache
def _known_migrations() -> frozenset[str]:
    return migrations.known_revisions()


def load_migrations() -> None:
    """Load the migrations of this version. A check of readiness has no time for it."""
    _newest_migration()
    _known_migrations()


def readiness_problem(session: Session, *, allows_newer: bool = False) -> str | None:
    """Return why the service is not ready, or None if it is.

    Reads a table, compares the migration, and asks a node of a Galera cluster whether it is ready.

    `allows_newer`: a database that was migrated for a newer version is no problem. A process that serves stays ready
    then, so that an upgrade can replace one process after the other.
    """
    try:
        recorded = session.scalars(text("SELECT version_num FROM alembic_version")).all()
    except DBAPIError as error:
        if db_errors.is_missing_table(error):
            return "The database has no tables yet. Run `lms-graphql db migrate`, or `db init` to add users as well."
        raise
    is_upgraded = allows_newer and len(recorded) == 1 and recorded[0] not in _known_migrations()
    if recorded != [_newest_migration()] and not is_upgraded:
        return (
            "The database is not at the newest migration of this program. "
            "Run `lms-graphql db migrate`, or update the program if the database is newer."
        )
    if session.get_bind().dialect.name == "sqlite":
        return None
    cluster = session.execute(text("SHOW VARIABLES LIKE 'wsrep_on'")).first()
    if cluster is None or cluster[1] != "ON":
        return None
    status = session.execute(text("SHOW STATUS LIKE 'wsrep_ready'")).first()
    if status is not None and status[1] == "ON":
        return None
    return "The cluster node is not ready (wsrep_ready is not ON). Wait until it has joined the cluster."
