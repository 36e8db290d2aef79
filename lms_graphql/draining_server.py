"""uvicorn's server, which loses no request when it stops."""

import asyncio
import contextlib
import signal
import socket

from uvicorn.server import Server

from lms_graphql.connection_limits import STATE_KEY

CLOSE_SECONDS = 0.02
"""Time for the event loop to close its listening sockets. It does so after the callback that asks for it."""


class DrainingServer(Server):
    """A server that drains its connections after SIGTERM: `http_protocol` says how each of them ends.

    After SIGINT it closes idle ones at once, because a developer who presses Ctrl-C does not want to wait.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if signal.SIGTERM in self._captured_signals:
            self.lifespan.state[STATE_KEY].is_draining = True
            await self._stop_listening(sockets or [])
        await super().shutdown(sockets)

    async def _stop_listening(self, sockets: list[socket.socket]) -> None:
        """Close the listening sockets, after all connections that wait in them are accepted.

        The kernel resets what waits in a socket that is closed, although clients may have sent their request already.
        """
        listeners: list[socket.socket] = []
        with contextlib.suppress(OSError):  # no file descriptor is left for a copy, nor for a connection that waits
            listeners.extend(
                socket.fromfd(listener.fileno(), listener.family, listener.type)
                for server in self.servers
                for listener in server.sockets
            )
        for server in self.servers:
            server.close()
        for listener in sockets:
            listener.close()
        await asyncio.sleep(CLOSE_SECONDS)
        accepted = [connection for listener in listeners for connection in _accept_all_and_close(listener)]
        for connection in accepted:
            await asyncio.get_running_loop().connect_accepted_socket(self._create_protocol, connection)

    def _create_protocol(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol


def _accept_all_and_close(listener: socket.socket) -> list[socket.socket]:
    accepted: list[socket.socket] = []
    with listener:
        listener.setblocking(False)
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # none waits, or the process has no file descriptor left for it
                return accepted
            connection.setblocking(False)
            accepted.append(connection)
