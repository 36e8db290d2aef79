"""A `Database` that reads from a URL of its own, as behind a load balancer of a cluster."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from lms_graphql.core.database import Database


def file_name(session: Session) -> str:
    path: str = session.execute(text("PRAGMA database_list")).one()[2]
    return Path(path).name


def test_reads_go_to_the_read_url(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/writes.db", read_url=make_url(f"sqlite:///{tmp_path}/reads.db"))
    try:
        assert database.write_sync(file_name) == "writes.db"
        assert database.read_sync(file_name) == "reads.db"
        assert database.read_sync(file_name, is_causal=False) == "reads.db"
    finally:
        database.dispose()
