"""Faults of nodes under load: no acknowledged write is lost, none is done twice, and the service comes back."""

from collections.abc import Callable

import pytest

from tests.cluster.conftest import Figures
from tests.cluster.galera import GaleraCluster, Node
from tests.cluster.load import Load, load_on
from tests.cluster.topology import DATABASE, Topology
from tests.factories import Factories
from tests.processes import Cluster

REQUESTS = 50
"""Requests that must succeed during a fault, and as many after it."""
MAX_PAUSE_SECONDS = 60
"""A bound for slow machines. The measured pauses are printed at the end."""
NOTES = f"SELECT content, COUNT(*) FROM {DATABASE}.notes GROUP BY content"

Act = Callable[[GaleraCluster, Node], None]
FAULTS: dict[str, tuple[Act, Act]] = {
    "killed": (lambda galera, node: node.kill(), lambda galera, node: galera.restart(node)),
    "stopped": (lambda galera, node: node.pause(), lambda galera, node: node.resume()),
    "partitioned": (lambda galera, node: node.isolate(), lambda galera, node: node.reconnect()),
}
"""For each fault how it begins and how it ends."""
WRITER, READER = 0, 2


@pytest.mark.parametrize("index", [WRITER, READER], ids=["writer", "reader"])
@pytest.mark.parametrize("fault", FAULTS)
def test_fault_loses_and_doubles_nothing(
    topology: Topology, balanced: Cluster, make: Factories, figures: Figures, fault: str, index: int
) -> None:
    begin, end = FAULTS[fault]
    node = topology.galera.nodes[index]
    with load_on(balanced, make) as load:
        try:
            begin(topology.galera, node)
            load.wait_for_requests(REQUESTS)
        finally:
            end(topology.galera, node)
        seconds = topology.wait_until_whole()
        load.wait_for_requests(REQUESTS)
    role = "writer" if index == WRITER else "reader"
    figures.append(
        f"{role} {fault}: {len(load.acknowledged)} writes, longest pause {load.longest_pause():.1f} s, "
        f"repeated requests {dict(load.failures)}, whole again {seconds:.1f} s after its end"
    )
    assert_each_effect_once(topology, load)
    assert load.longest_pause() < MAX_PAUSE_SECONDS


def assert_each_effect_once(topology: Topology, load: Load) -> None:
    """Assert that each node has exactly one note for each acknowledged request, and no others."""
    assert load.given_up == []
    assert len(load.acknowledged) > 2 * REQUESTS
    for node in topology.galera.nodes:
        with node.connect_as_root() as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION wsrep_sync_wait = 1")
            cursor.execute(NOTES)
            assert dict(cursor.fetchall()) == dict.fromkeys(load.acknowledged, 1), node.name
