"""Whether the service can do its work now."""

from functools import cache

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lms_graphql.core import db_errors
from lms_graphql.operations import migrations


@cache
def _newest() -> str | None:
    return migrations.head()


def readiness_problem(session: Session) -> str | None:
    """Why not; None where all is well. A real read, the migration state, and a cluster node's own word."""
    try:
        recorded = session.scalars(text("SELECT version_num FROM alembic_version")).all()
    except DBAPIError as error:
        if db_errors.is_missing_table(error):
            return "The database has no tables yet."
        raise
    if recorded != [_newest()]:
        return "The database is not at the newest migration."
    if session.get_bind().dialect.name == "sqlite":
        return None
    in_cluster = session.execute(text("SHOW VARIABLES LIKE 'wsrep_on'")).first()
    if in_cluster is None or in_cluster[1] != "ON":
        return None
    state = session.execute(text("SHOW STATUS LIKE 'wsrep_ready'")).first()
    return None if state is not None and state[1] == "ON" else "The cluster node does not take statements."
