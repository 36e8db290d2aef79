"""Results as a text table."""

from collections.abc import Mapping, Sequence

from benchmarks.measurement import Round

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


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    numbers = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)][1:]
    return "  ".join([cells[0].ljust(widths[0]), *numbers])
