"""Results as a text table, and as a Markdown table for `docs/performance.md`."""

from collections.abc import Mapping, Sequence

from benchmarks.measurement import Round
from benchmarks.servers import BASELINE_TITLE

HEADINGS = ("requests/s", "p50 ms", "p99 ms", "CPU ms", "× hand-written", "statements", "KB read", "database CPU ms")


def format_table(results: Mapping[str, Round], baseline: Round | None) -> str:
    """Return a line for each server, by its title. Columns from CPU on are for one request."""
    lines = [("", *HEADINGS)]
    for title, result in results.items():
        lines.append(
            (
                title,
                f"{result.rate:.1f}",
                f"{result.p50:.1f}",
                f"{result.p99:.1f}",
                f"{result.cpu:.2f}",
                f"{result.cpu / baseline.cpu:.2f}" if baseline else "–",
                f"{result.statements:.1f}",
                f"{result.database_bytes / 1000:.0f}",
                f"{result.database_cpu:.2f}",
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(line, widths) for line in lines)


def format_markdown(results: Mapping[str, Mapping[str, Round]]) -> str:
    """Return a line for each server, by its title, with the CPU time of a request for each workload.

    `results` has the medians of the servers for each workload, by its name.
    """
    workloads = list(results)
    lines = [["server", *(f"{name}: CPU ms, × hand-written" for name in workloads)], ["---"] * (len(workloads) + 1)]
    for title in next(iter(results.values())):
        cells = [title]
        for name in workloads:
            cpu, baseline = results[name][title].cpu, results[name].get(BASELINE_TITLE)
            cells.append(f"{cpu:.2f}, {cpu / baseline.cpu:.2f} ×" if baseline else f"{cpu:.2f}")
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    numbers = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)][1:]
    return "  ".join([cells[0].ljust(widths[0]), *numbers])
