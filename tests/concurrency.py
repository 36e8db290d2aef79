"""Race helpers: clients whose requests start at the same time. Otherwise racy code passes thousands of attempts."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import httpx
import orjson

from tests.live_service import plain_http

T = TypeVar("T")

START_TIMEOUT_SECONDS = 60


def race_rounds(default: int) -> int:
    """Return how often to repeat a race. `LMS_TEST_ROUNDS=300 pytest …` finds more than the default number."""
    return int(os.environ.get("LMS_TEST_ROUNDS", default))


@dataclass(frozen=True)
class RaceRequest:
    """A GraphQL request of one racer."""

    document: str
    variables: dict[str, Any] = field(default_factory=dict)
    bearer: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def build(self, client: httpx.Client) -> httpx.Request:
        headers = {"content-type": "application/json", **self.headers}
        if self.bearer is not None:
            headers["authorization"] = f"Bearer {self.bearer}"
        body = orjson.dumps({"query": self.document, "variables": self.variables})
        return client.build_request("POST", "/graphql", content=body, headers=headers)


class RaceResponse(NamedTuple):
    """The response to one racer."""

    status: int
    body: Any

    @property
    def payload(self) -> Any:
        """The payload of the only mutation; None if it was not executed."""
        data = self.body.get("data")
        return next(iter(data.values())) if data else None

    @property
    def code(self) -> str | None:
        """The code of the first top-level or payload error; None if the mutation succeeded."""
        for error in self.body.get("errors", ()):
            return str(error["extensions"]["code"])
        for error in self.payload["errors"]:
            return str(error["code"])
        return None

    @property
    def path(self) -> Any:
        return self.payload["errors"][0]["path"]


def code_counts(responses: Sequence[RaceResponse]) -> Counter[str | None]:
    """Return the number of responses with each error code. Successful responses are counted under None."""
    return Counter(response.code for response in responses)


class RaceClients:
    """Clients with a thread and a connection each, which is open before the start. They use the processes in turn.

    With `separate_networks`, each client has an address in a network of its own.
    """

    def __init__(self, urls: Sequence[str], number: int, *, separate_networks: bool = False) -> None:
        addresses = [f"127.0.{index + 1}.1" if separate_networks else None for index in range(number)]
        self.clients = [plain_http(urls[index % len(urls)], address) for index, address in enumerate(addresses)]
        self._threads = ThreadPoolExecutor(number)
        for client in self.clients:
            client.get("/health/live")

    def race(self, *requests: RaceRequest) -> list[RaceResponse]:
        """Send all requests at once. Return the responses in the order of the requests."""
        start = threading.Barrier(len(requests))

        def run(client: httpx.Client, request: RaceRequest) -> RaceResponse:
            prepared = request.build(client)
            start.wait(START_TIMEOUT_SECONDS)
            return _send(client, prepared)

        return list(self._threads.map(run, self.clients, requests))

    def execute(self, request: RaceRequest, number: int = 0) -> RaceResponse:
        """Send a request by one client alone."""
        client = self.clients[number]
        return _send(client, request.build(client))

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self._threads.shutdown()


def _send(client: httpx.Client, request: httpx.Request) -> RaceResponse:
    response = client.send(request)
    return RaceResponse(response.status_code, response.json())


def run_at_once(*functions: Callable[[], T]) -> list[T]:
    """Call all functions at once, each in a thread, and return their results in order."""
    start = threading.Barrier(len(functions))

    def run(function: Callable[[], T]) -> T:
        start.wait(START_TIMEOUT_SECONDS)
        return function()

    with ThreadPoolExecutor(len(functions)) as threads:
        return list(threads.map(run, functions))


@contextmanager
def race_clients(urls: Sequence[str], number: int, *, separate_networks: bool = False) -> Iterator[RaceClients]:
    clients = RaceClients(urls, number, separate_networks=separate_networks)
    try:
        yield clients
    finally:
        clients.close()
