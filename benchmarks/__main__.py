"""The command `benchmarks/run`."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import orjson

from benchmarks.commands import NameList, run_command
from benchmarks.load import Load
from benchmarks.mariadb import BenchmarkDatabase, private_database
from benchmarks.measurement import Round, measure, median_round
from benchmarks.report import format_markdown, format_table
from benchmarks.responses import check_responses
from benchmarks.seed import fill
from benchmarks.servers import SERVERS, RunningServer, ServerSpec, run_servers
from benchmarks.workloads import WORKLOADS, Workload


@click.command()
@click.option("--only", type=NameList(SERVERS), default=SERVERS, help="Servers, e.g. ours,apollo. Default: all.")
@click.option(
    "--workload", type=NameList(WORKLOADS), default=WORKLOADS, help="Workloads, e.g. tree,page. Default: all."
)
@click.option(
    "--seconds", type=click.FloatRange(0.5, 120), default=8, show_default=True, help="Measured time of a round."
)
@click.option(
    "--warm-up", type=click.FloatRange(0, 60), default=2, show_default=True, help="Seconds before the measured time."
)
@click.option(
    "--rounds", type=click.IntRange(1, 50), default=3, show_default=True, help="Rounds, whose median is reported."
)
@click.option(
    "--clients", type=click.IntRange(1, 256), default=16, show_default=True, help="Connections at the same time."
)
@click.option(
    "--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write all rounds to this file as JSON."
)
@click.option("--markdown", is_flag=True, help="Print the CPU times as the table of docs/performance.md, too.")
def run(
    only: tuple[ServerSpec, ...],
    workload: tuple[Workload, ...],
    seconds: float,
    warm_up: float,
    rounds: int,
    clients: int,
    file: Path | None,
    markdown: bool,
) -> None:
    """Measure this API, Apollo Server, GraphQL Yoga, also with graphql-jit, and a hand-written endpoint."""
    load = Load(clients, warm_up, seconds)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        print("Starting MariaDB and inserting the rows …", flush=True)
        with private_database(folder) as database:
            fill(database)
            with run_servers(only, database, folder) as servers:
                results = {
                    selected_workload.name: _compare(servers, selected_workload, database, load, rounds)
                    for selected_workload in workload
                }
                titles = {server.spec.name: server.spec.title for server in servers}
    if markdown:
        print(f"\n{format_markdown(_medians(results, titles))}")
    if file is not None:
        file.write_bytes(orjson.dumps(_as_json(results), option=orjson.OPT_INDENT_2))


def _compare(
    servers: Sequence[RunningServer], workload: Workload, database: BenchmarkDatabase, load: Load, rounds: int
) -> dict[str, list[Round]]:
    """Measure and print one workload. Return the rounds of each server, by its name.

    The servers take turns, so that a slower phase of the machine affects all of them.
    """
    size = check_responses(servers, workload)
    rounds_by_server: dict[str, list[Round]] = {server.spec.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            rounds_by_server[server.spec.name].append(measure(server, workload, database, load))
    medians = {server.spec.title: median_round(rounds_by_server[server.spec.name]) for server in servers}
    baseline = median_round(rounds_by_server["baseline"]) if "baseline" in rounds_by_server else None
    heading = f"{workload.title} ({size / 1000:.1f} KB, equal responses)"
    print(f"\n{heading}\n{format_table(medians, baseline)}", flush=True)
    return rounds_by_server


def _medians(
    results: Mapping[str, Mapping[str, Sequence[Round]]], titles: Mapping[str, str]
) -> dict[str, dict[str, Round]]:
    """Return the medians of each workload, by the titles of the servers."""
    return {
        workload: {titles[server]: median_round(rounds) for server, rounds in rounds_by_server.items()}
        for workload, rounds_by_server in results.items()
    }


def _as_json(results: dict[str, dict[str, list[Round]]]) -> dict[str, Any]:
    return {
        workload: {
            server: {
                "median": asdict(median_round(rounds)),
                "rounds": [asdict(round_result) for round_result in rounds],
            }
            for server, rounds in rounds_by_server.items()
        }
        for workload, rounds_by_server in results.items()
    }


if __name__ == "__main__":
    run_command(run, "benchmarks/run")
