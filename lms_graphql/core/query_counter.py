"""How many statements a piece of work sends: each thread counts its own."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

T = TypeVar("T")


class _Sent(threading.local):
    statements = 0


_sent = _Sent()


def install(engine: Engine) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def count(*_: Any) -> None:
        _sent.statements += 1


def counting(work: Callable[[Session], T], tally: list[int]) -> Callable[[Session], T]:
    """The same work, which adds to the tally how many statements it sent, in whichever thread it runs."""

    def run(session: Session) -> T:
        before = _sent.statements
        try:
            return work(session)
        finally:
            tally.append(_sent.statements - before)

    return run
