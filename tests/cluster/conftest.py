"""Fixtures of the tests on a Galera cluster. They run only if the marker is named: `pytest -m cluster`."""

from collections.abc import Iterator

import pytest

from tests.cluster.topology import Topology, run_topology
from tests.factories import Factories
from tests.processes import Cluster

Figures = list[str]
FIGURES = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark all tests of this folder."""
    item.add_marker("cluster")
    item.add_marker("slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of this folder, which take minutes, unless they are asked for."""
    if "cluster" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("cluster")]
    items[:] = [item for item in items if not item.get_closest_marker("cluster")]
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if lines := config.stash.get(FIGURES, []):
        terminalreporter.section("figures of the cluster")
        terminalreporter.write_line("\n".join(lines))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Return the list of what was measured, which is printed after all tests."""
    return request.config.stash[FIGURES]


@pytest.fixture(scope="session")
def topology() -> Iterator[Topology]:
    with run_topology() as topology:
        yield topology


@pytest.fixture(scope="session")
def running_balanced(topology: Topology) -> Iterator[Cluster]:
    with topology.run_processes(2) as processes:
        yield processes


@pytest.fixture
def balanced(running_balanced: Cluster, topology: Topology) -> Cluster:
    """Return two processes that write to one node and read from all, on an empty database of a whole cluster."""
    topology.wait_until_whole()
    running_balanced.delete_all_rows()
    return running_balanced


@pytest.fixture
def make(balanced: Cluster) -> Factories:
    return Factories(balanced.database)


@pytest.fixture(scope="session")
def running_cluster(topology: Topology) -> Iterator[Cluster]:
    """Run a process on each node. The tests of races in other folders use this one here in place of their own."""
    with topology.run_process_on_each_node() as processes:
        yield processes
