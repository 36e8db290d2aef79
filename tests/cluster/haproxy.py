"""HAProxy in front of a Galera cluster: an address for writes on one node, and one for reads on all nodes."""

import contextlib
import csv
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from tests.cluster.galera import Node, wait_until
from tests.mariadb import HOST, find_program, free_port

EXAMPLE = Path(__file__).parents[2] / "docs" / "galera" / "haproxy.cfg"


class Balancer:
    """A running HAProxy."""

    def __init__(self, write_port: int, read_port: int, statistics_port: int) -> None:
        self.write_port, self.read_port, self.statistics_port = write_port, read_port, statistics_port

    def nodes_up(self, proxy: str = "reads") -> set[str]:
        """Return the names of the nodes that HAProxy uses."""
        text = httpx.get(f"http://{HOST}:{self.statistics_port}/;csv", timeout=10).text
        rows = [row for row in csv.DictReader(text.removeprefix("# ").splitlines()) if row["pxname"] == proxy]
        return {row["svname"] for row in rows if row["status"].startswith("UP") and row["svname"] != "BACKEND"}


def configuration(nodes: Sequence[Node], write_port: int, read_port: int, statistics_port: int) -> str:
    """Return the documented configuration, with the addresses of these nodes and these ports."""
    text = EXAMPLE.read_text()
    for example, port in (("3306", write_port), ("3307", read_port), ("8404", statistics_port)):
        text = text.replace(f"bind {HOST}:{example}", f"bind {HOST}:{port}")
    for number, node in enumerate(nodes, start=1):
        text = text.replace(f"10.0.0.1{number}:3306", f"{HOST}:{node.port}")
    return text


@contextlib.contextmanager
def run_haproxy(folder: Path, nodes: Sequence[Node]) -> Iterator[Balancer]:
    """Run HAProxy in front of these nodes, and wait until it uses all of them."""
    ports = free_port(), free_port(), free_port()
    file = folder / "haproxy.cfg"
    file.write_text(configuration(nodes, *ports))
    with (folder / "haproxy.log").open("wb") as log:
        process = subprocess.Popen(
            [find_program("haproxy"), "-db", "-f", str(file)], stdout=log, stderr=log, start_new_session=True
        )
    balancer = Balancer(*ports)

    def uses_all_nodes() -> bool:
        assert process.poll() is None, (folder / "haproxy.log").read_text()
        with contextlib.suppress(httpx.TransportError):
            return len(balancer.nodes_up()) == len(nodes)
        return False

    try:
        wait_until(uses_all_nodes)
        yield balancer
    finally:
        process.kill()  # a slow end would wait for connections
        process.wait()
