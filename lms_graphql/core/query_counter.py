"""Query counter: the number of SQL statements that a unit of work executes. Each thread counts its own."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

T = TypeVar("T")


class _ThreadCounter(threading.local):
    statements = 0


_counter = _ThreadCounter()


def install(engine: Engine) -> None:
    """Count the statements of this engine from now on."""

    @event.listens_for(engine, "before_cursor_execute")
    def count(*_: Any) -> None:
        count_statement()


def count_statement() -> None:
    """Count a statement of this thread that does not run through an engine's events."""
    _counter.statements += 1


def counting(work: Callable[[Session], T], counts: list[int]) -> Callable[[Session], T]:
    """Return the same work, which then appends the number of its statements to `counts`, in any thread."""

    def run(session: Session) -> T:
        before = _counter.statements
        try:
            return work(session)
        finally:
            counts.append(_counter.statements - before)

    return run
