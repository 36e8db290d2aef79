"""Listeners of SQL statements, whether SQLAlchemy executes them or a `DriverStatement` does."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

from lms_graphql.core import driver_statements

Listener = Callable[[Connection, str, Any], None]
"""Called before a statement with its connection, its text and its parameters.

The statement fails with an error of the driver that it raises.
"""
EVENTS = ("do_execute", "do_executemany", "do_execute_no_params")


@contextmanager
def listen_to_statements(engines: Sequence[Engine], listener: Listener) -> Iterator[None]:
    """Call the listener before each statement of these engines."""

    def do_execute(_cursor: Any, text: str, *rest: Any) -> None:
        *parameters, context = rest
        listener(context.root_connection, text, parameters[0] if parameters else ())

    def before_driver_statement(connection: Connection, text: str, parameters: Sequence[Any]) -> None:
        if connection.engine in engines:
            listener(connection, text, parameters)

    listeners = [(engine, name, do_execute) for engine in engines for name in EVENTS]
    for arguments in listeners:
        event.listen(*arguments)
    driver_statements.observers.append(before_driver_statement)
    try:
        yield
    finally:
        driver_statements.observers.remove(before_driver_statement)
        for arguments in listeners:
            event.remove(*arguments)
