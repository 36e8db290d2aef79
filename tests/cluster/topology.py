"""The whole cluster: three Galera nodes, HAProxy in front of them, and processes of the service."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.galera import GaleraCluster, database_url, run_galera, wait_until
from tests.cluster.haproxy import Balancer, run_haproxy
from tests.processes import Cluster, run_cluster

DATABASE = "lms_cluster"
DIRECT_DATABASE = "lms_direct"
SETTINGS = {
    "LMS_LOGIN_FAILURES_PER_ADDRESS": "1000000",
    "LMS_LOGIN_FAILURES_PER_ACCOUNT_TOTAL": "25",
    "LMS_ACCESS_TOKEN_MINUTES": "1440",
}
"""All clients of the tests have one client IP, and access tokens outlive a long test."""


@dataclass(frozen=True)
class Topology:
    """A running cluster, without processes of the service."""

    folder: Path
    galera: GaleraCluster
    balancer: Balancer

    @property
    def write_url(self) -> str:
        return database_url(self.balancer.write_port, DATABASE)

    @property
    def read_url(self) -> str:
        return database_url(self.balancer.read_port, DATABASE)

    def wait_until_whole(self) -> float:
        """Wait until all nodes are in the cluster and HAProxy uses all of them. Return how long it took."""
        started = time.monotonic()
        self.galera.wait_until_ready()
        wait_until(lambda: len(self.balancer.nodes_up()) == len(self.galera.nodes))
        return time.monotonic() - started

    @contextlib.contextmanager
    def run_processes(self, number: int, **environment: str) -> Iterator[Cluster]:
        """Run processes that write to one node and read from all, through HAProxy."""
        self.galera.new_database(DATABASE)
        variables = {**SETTINGS, "LMS_READ_DATABASE_URL": self.read_url, **environment}
        with run_cluster(self.folder, self.write_url, number, **variables) as processes:
            yield processes

    @contextlib.contextmanager
    def run_process_on_each_node(self) -> Iterator[Cluster]:
        """Run a process on each node, which reads and writes there: transactions of all nodes compete."""
        self.galera.new_database(DIRECT_DATABASE)
        urls = [database_url(node.port, DIRECT_DATABASE) for node in self.galera.nodes]
        with contextlib.ExitStack() as stack:
            clusters = [stack.enter_context(run_cluster(self.folder, url, 1, **SETTINGS)) for url in urls]
            first = clusters[0]
            processes = [process for cluster in clusters for process in cluster.processes]
            yield Cluster(processes, first.variables, first.start_process, first.database, first.session_issuer)


@contextlib.contextmanager
def run_topology(size: int = 3) -> Iterator[Topology]:
    """Run the nodes and HAProxy, with their files in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="lms-cluster-"))
    folder.chmod(0o755)  # the nodes have a user of their own
    try:
        with run_galera(folder, size) as galera, run_haproxy(folder, galera.nodes) as balancer:
            yield Topology(folder, galera, balancer)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
