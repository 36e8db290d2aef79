"""`db init` and migrations on several nodes at once take turns, and nothing is lost if a node dies."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lms_graphql.core.database import Database
from lms_graphql.core.errors import OperatorError
from lms_graphql.operations import migrations, setup_lock
from tests.cli import row_count
from tests.cluster.galera import Node, database_url, wait_until
from tests.cluster.topology import Topology
from tests.operations.test_concurrent_setup import start_command

DATABASE = "lms_setup"


@pytest.fixture
def nodes(topology: Topology) -> list[Node]:
    """Return the nodes of a whole cluster, with an empty database."""
    topology.wait_until_whole()
    topology.galera.new_database(DATABASE)
    return list(topology.galera.nodes)


@pytest.fixture
def databases(nodes: list[Node]) -> Iterator[list[Database]]:
    """Return the same database on each node."""
    databases = [Database(database_url(node.port, DATABASE), pool_size=2, for_maintenance=True) for node in nodes]
    yield databases
    for database in databases:
        database.dispose()


def test_inits_on_all_nodes_at_once_take_turns(nodes: list[Node], tmp_path: Path) -> None:
    urls = [database_url(node.port, DATABASE) for node in nodes]
    processes = [start_command(tmp_path, url, "db", "init") for url in urls * 2]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 6, outputs
    assert sum("password of these users" in stdout for stdout, _ in outputs) == 1
    assert sum("seed data: complete" in stdout for stdout, _ in outputs) == 5
    assert [row_count(urls[0], table) for table in ("users", "course_categories")] == [3, 5]


def test_interrupted_migration_is_reported_only_if_no_process_is_at_work(databases: list[Database]) -> None:
    """Tables without a recorded migration look alike while the first migration runs and after it was killed."""
    here, elsewhere = databases[0], databases[1]
    with here.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    with setup_lock.setup_lock(here.engine), pytest.raises(OperatorError, match="Another process is setting up"):
        elsewhere.read_sync(lambda session: migrations.current(session.connection()))
    with pytest.raises(OperatorError, match="interrupted"):
        elsewhere.read_sync(lambda session: migrations.current(session.connection()))


def test_setup_lock_of_a_killed_node_is_released(topology: Topology, databases: list[Database]) -> None:
    node, survivor = topology.galera.nodes[2], databases[0]
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with setup_lock.setup_lock(databases[2].engine):
            is_held.set()
            may_end.wait()

    def is_free() -> bool:
        return not survivor.read_sync(lambda session: setup_lock.is_set_up_now(session.connection()))

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert is_held.wait(60)
        assert not is_free()
        node.kill()
        wait_until(is_free)
        with setup_lock.setup_lock(survivor.engine):
            assert not is_free()
    finally:
        may_end.set()
        holder.join()
        topology.galera.restart(node)
