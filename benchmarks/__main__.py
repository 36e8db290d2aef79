"""The command `benchmarks/run`."""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import orjson

from benchmarks.answers import check
from benchmarks.commands import Names, start
from benchmarks.contestants import CONTESTANTS, Contestant, Server, serving
from benchmarks.load import Load
from benchmarks.mariadb import MariaDB, private_mariadb
from benchmarks.measuring import Round, measure, middle
from benchmarks.report import table
from benchmarks.seed import fill
from benchmarks.workloads import WORKLOADS, Workload


@click.command()
@click.option("--only", type=Names(CONTESTANTS), default=CONTESTANTS, help="Servers, e.g. ours,apollo. Else all.")
@click.option("--workload", type=Names(WORKLOADS), default=WORKLOADS, help="Workloads, e.g. tree,page. Else all.")
@click.option("--seconds", type=click.FloatRange(0.5, 120), default=8, show_default=True, help="Counted in a round.")
@click.option("--warm-up", type=click.FloatRange(0, 60), default=2, show_default=True, help="Seconds before that.")
@click.option("--rounds", type=click.IntRange(1, 50), default=3, show_default=True, help="Medians are taken of them.")
@click.option("--clients", type=click.IntRange(1, 256), default=16, show_default=True, help="Connections.")
@click.option("--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write every round here, too.")
def run(
    only: tuple[Contestant, ...],
    workload: tuple[Workload, ...],
    seconds: float,
    warm_up: float,
    rounds: int,
    clients: int,
    file: Path | None,
) -> None:
    """Measure this API beside Apollo Server, GraphQL Yoga and an endpoint written by hand."""
    load = Load(clients, warm_up, seconds)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        print("Starting a MariaDB and filling it …", flush=True)
        with private_mariadb(folder) as database:
            fill(database)
            with serving(only, database, folder) as servers:
                measured = {each.name: _compete(servers, each, database, load, rounds) for each in workload}
    if file is not None:
        file.write_bytes(orjson.dumps(_plain(measured), option=orjson.OPT_INDENT_2))


def _compete(
    servers: Sequence[Server], workload: Workload, database: MariaDB, load: Load, rounds: int
) -> dict[str, list[Round]]:
    """The rounds of each server, by name. They take turns, so that a machine that slows down slows down all."""
    size = check(servers, workload)
    measured: dict[str, list[Round]] = {server.contestant.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            measured[server.contestant.name].append(measure(server, workload, database, load))
    results = {server.contestant.title: middle(measured[server.contestant.name]) for server in servers}
    floor = middle(measured["floor"]) if "floor" in measured else None
    print(f"\n{workload.title} ({size / 1000:.1f} KB, equal answers)\n{table(results, floor)}", flush=True)
    return measured


def _plain(measured: dict[str, dict[str, list[Round]]]) -> dict[str, Any]:
    return {
        workload: {
            name: {"median": asdict(middle(rounds)), "rounds": [asdict(each) for each in rounds]}
            for name, rounds in results.items()
        }
        for workload, results in measured.items()
    }


if __name__ == "__main__":
    start(run, "benchmarks/run")
