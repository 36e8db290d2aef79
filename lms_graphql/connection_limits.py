"""Limits of connections: sizes and times of one, and the number of those that wait for their clients."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

import structlog

from lms_graphql.settings import Settings

logger = structlog.get_logger("lms_graphql.connections")

STATE_KEY = "waiting_connections"
"""Key in the lifespan state of the application, where each process has its `WaitingConnections`."""
LOG_INTERVAL_SECONDS = 60.0
"""Time between two log lines about closed connections, because an attack would fill the log."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of one connection, and of all connections of a process that wait for their clients."""

    header_bytes: int
    headers: int
    header_seconds: float
    waiting_connections: int
    drain_seconds: float = 5.0
    """Time for which a process that stops keeps idle connections open."""
    send_seconds: float = 60.0
    """Time after which a client that accepts nothing of its response is disconnected."""

    @classmethod
    def of(cls, settings: Settings) -> "ConnectionLimits":
        return cls(
            header_bytes=settings.limit_header_bytes,
            headers=settings.limit_headers,
            header_seconds=settings.limit_header_seconds,
            waiting_connections=settings.limit_waiting_connections,
            drain_seconds=settings.drain_seconds,
        )


class Connection(Protocol):
    """A connection with a client."""

    transport: asyncio.Transport


class WaitingConnections:
    """Connections of a process that wait for their clients, the longest waiting first. Above the limit it is closed.

    A connection waits while no complete request has arrived, or while the client does not read its response.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.is_draining = False
        """True while the process stops. Each connection then ends with its next response."""
        self._connections: OrderedDict[Connection, None] = OrderedDict()
        self._closed_connections = 0
        self._next_log_at = 0.0

    def add(self, connection: Connection) -> None:
        """Add the connection, or make it the one that has waited least."""
        self._connections[connection] = None
        self._connections.move_to_end(connection)
        if len(self._connections) > self.limits.waiting_connections:
            oldest, _ = self._connections.popitem(last=False)
            oldest.transport.abort()
            self._log_closed_connection()

    def discard(self, connection: Connection) -> None:
        self._connections.pop(connection, None)

    def _log_closed_connection(self) -> None:
        self._closed_connections += 1
        now = time.monotonic()
        if now >= self._next_log_at:
            logger.warning("waiting_connections_closed", connections=self._closed_connections)
            self._closed_connections = 0
            self._next_log_at = now + LOG_INTERVAL_SECONDS
