"""What the two commands share: how they take names, and how they end."""

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


class Names(click.ParamType[Any]):
    """One name, or some with commas between: gives the things so named, in their own order."""

    name = "names"

    def __init__(self, known: Sequence[Named]) -> None:
        self._known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        asked, known = value.split(","), [each.name for each in self._known]
        for name in asked:
            if name not in known:
                self.fail(f"{name} is none of {', '.join(known)}.", param, ctx)
        return tuple(each for each in self._known if each.name in asked)


def start(command: click.Command, name: str) -> None:
    """However it ends, it ends by way of every `finally`, so that nothing that was started stays behind."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    try:
        command(prog_name=name)
    except BenchmarkError as error:
        sys.exit(f"{name}: {error}")


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
