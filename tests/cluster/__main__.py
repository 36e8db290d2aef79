"""`scripts/cluster`: run the whole cluster with demo data until Ctrl-C, and print its addresses."""

import argparse
import contextlib
import secrets
import signal

from lms_graphql.demo.builder import build_demo
from lms_graphql.operations import seed_data
from tests.cluster.topology import Topology, run_topology
from tests.mariadb import HOST
from tests.processes import Cluster


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/cluster", description="Run the whole cluster until Ctrl-C.")
    parser.add_argument("--processes", type=int, default=2, help="number of processes of the service (2)")
    number = parser.parse_args().processes
    print("Starting three MariaDB nodes, HAProxy and the service: about a minute", flush=True)
    with run_topology() as topology, topology.run_processes(number) as processes:
        password = secrets.token_urlsafe(12)
        processes.database.write_sync(lambda session: seed_data.seed(session, password))
        processes.database.write_sync(lambda session: build_demo(session, courses=30, learners=40))
        print("\n".join(addresses(topology, processes)))
        print(f"users:       admin@, instructor@, learner@learnwithroko.com, password {password}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
        print("Stopping", flush=True)


def addresses(topology: Topology, processes: Cluster) -> list[str]:
    """Return a line for each address."""
    balancer = topology.balancer
    return [
        *(f"service:     {url}/graphql" for url in processes.urls),
        f"writes:      {topology.write_url}",
        f"reads:       {topology.read_url}",
        f"HAProxy:     http://{HOST}:{balancer.statistics_port}/",
        *(f"{node.name}:       {HOST}:{node.port}, files in {node.folder}" for node in topology.galera.nodes),
    ]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that SIGTERM stops all processes, as Ctrl-C does
    with contextlib.suppress(KeyboardInterrupt):
        main()
