"""Undocumented parts of uvicorn that the service uses. An upgrade that changes one fails here.

`docs/architecture.md` lists them.
"""

import asyncio
import inspect

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import Server, ServerState
from uvicorn.supervisors import multiprocess
from uvicorn.supervisors.multiprocess import Multiprocess

from lms_graphql.worker_processes import WorkerProcess

OVERRIDDEN = {
    "connection_made": ["transport"],
    "connection_lost": ["exc"],
    "data_received": ["data"],
    "pause_writing": [],
    "resume_writing": [],
    "shutdown": [],
    "timeout_keep_alive_handler": [],
    "on_message_begin": [],
    "on_headers_complete": [],
    "on_body": ["body"],
    "on_message_complete": [],
    "on_response_complete": [],
    "send_400_response": ["msg"],
    "_unsupported_upgrade_warning": [],
}
ATTRIBUTES = {
    "cycle",
    "headers",
    "loop",
    "pipeline",
    "server_state",
    "timeout_keep_alive",
    "timeout_keep_alive_task",
    "transport",
    "ws_protocol_class",
}
CYCLE_PARAMETERS = {"keep_alive", "on_response"}
CYCLE_ATTRIBUTES = ("self.response_started = True", "self.response_complete = True", "if not self.keep_alive:")


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_overridden_protocol_method_has_the_same_parameters(name: str) -> None:
    assert list(inspect.signature(getattr(HttpToolsProtocol, name)).parameters)[1:] == OVERRIDDEN[name]


def test_protocol_has_expected_attributes() -> None:
    async def create_protocol() -> HttpToolsProtocol:
        return HttpToolsProtocol(uvicorn.Config("tests.http_protocol:__name__", log_config=None), ServerState(), {})

    protocol = asyncio.run(create_protocol())
    protocol.on_message_begin()
    assert vars(protocol).keys() >= ATTRIBUTES
    assert protocol.url == b""
    assert ServerState().default_headers == []


def test_protocol_is_created_with_the_lifespan_state() -> None:
    parameters = inspect.signature(HttpToolsProtocol).parameters
    assert list(parameters) == ["config", "server_state", "app_state", "_loop"]


def test_response_cycle_has_expected_attributes() -> None:
    assert inspect.signature(RequestResponseCycle).parameters.keys() >= CYCLE_PARAMETERS
    source = inspect.getsource(RequestResponseCycle)
    assert all(attribute in source for attribute in CYCLE_ATTRIBUTES)


def test_server_has_the_same_shutdown() -> None:
    assert list(inspect.signature(Server.shutdown).parameters) == ["self", "sockets"]
    source = inspect.getsource(Server)
    for part in ("self._captured_signals.append(sig)", "app_state=self.lifespan.state", "self.servers = [server]"):
        assert part in source
    assert "config.http_protocol_class(" in source


def test_supervisor_has_the_same_methods() -> None:
    methods = (
        "init_processes",
        "keep_subprocess_alive",
        "restart_all",
        "terminate_all",
        "handle_ttin",
        "handle_ttou",
    )
    for name in methods:
        assert list(inspect.signature(getattr(Multiprocess, name)).parameters) == ["self"]
    (process,) = WorkerProcess.__bases__  # uvicorn's class, whose name in its module leads to ours now
    assert multiprocess.Process is WorkerProcess
    assert list(inspect.signature(process).parameters) == ["config", "sockets"]
    assert "self._server = Server(config=self.config)" in inspect.getsource(process)
    for method in (Multiprocess.keep_subprocess_alive, Multiprocess.restart_all):
        assert "Process(self.config, self.sockets)" in inspect.getsource(method)
