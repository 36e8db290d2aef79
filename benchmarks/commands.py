"""Helpers of all benchmark commands: options with lists of names, and a clean end."""

import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, Protocol

import click

from benchmarks.processes import BenchmarkError


class Named(Protocol):
    @property
    def name(self) -> str: ...


class NameList(click.ParamType[Any]):
    """A comma-separated list of names. The value is the tuple of the objects with these names, in their own order."""

    name = "names"

    def __init__(self, known: Sequence[Named]) -> None:
        self._known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        names, known_names = value.split(","), [item.name for item in self._known]
        for name in names:
            if name not in known_names:
                self.fail(f"{name} is unknown. Choose from {', '.join(known_names)}.", param, ctx)
        return tuple(item for item in self._known if item.name in names)


def run_command(command: click.Command, name: str) -> None:
    """Run the command. A signal ends it by an exception, so that every `finally` runs and stops what was started."""
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGHUP, _exit)
    try:
        command(prog_name=name)
    except BenchmarkError as error:
        sys.exit(f"{name}: {error}")


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
