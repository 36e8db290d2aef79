"""Clients that start together: without that, careless code passes thousands of tries."""

import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx
import orjson

from tests.live_service import plain_http

TURN_SECONDS = 30


def rounds(usual: int) -> int:
    """How often a race is run. `LMS_TEST_ROUNDS=300 pytest …` says more than a quick run would."""
    return int(os.environ.get("LMS_TEST_ROUNDS", usual))


@dataclass(frozen=True)
class RaceRequest:
    document: str
    variables: dict[str, Any] = field(default_factory=dict)
    bearer: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def request(self, client: httpx.Client) -> httpx.Request:
        headers = {"content-type": "application/json", **self.headers}
        if self.bearer is not None:
            headers["authorization"] = f"Bearer {self.bearer}"
        body = orjson.dumps({"query": self.document, "variables": self.variables})
        return client.build_request("POST", "/graphql", content=body, headers=headers)


class RaceResponse(NamedTuple):
    status: int
    body: Any

    @property
    def payload(self) -> Any:
        """Of the one mutation that was asked for; None where it did not come to that."""
        data = self.body.get("data")
        return next(iter(data.values())) if data else None

    @property
    def code(self) -> str | None:
        """Why it was refused, however that was said; None where it was done."""
        for error in self.body.get("errors", ()):
            return str(error["extensions"]["code"])
        for error in self.payload["errors"]:
            return str(error["code"])
        return None

    @property
    def path(self) -> Any:
        return self.payload["errors"][0]["path"]


def codes(answers: Sequence[RaceResponse]) -> Counter[str | None]:
    """How many were refused by each code; None for those who were not."""
    return Counter(answer.code for answer in answers)


class Racers:
    """Each on a thread, with a connection of its own that is open before the start, to the processes in turn."""

    def __init__(self, urls: Sequence[str], number: int) -> None:
        self.clients = [plain_http(urls[each % len(urls)]) for each in range(number)]
        self._threads = ThreadPoolExecutor(number)
        for client in self.clients:
            client.get("/health/live")

    def race(self, *asks: RaceRequest) -> list[RaceResponse]:
        """The answers, in the order of what was asked."""
        start = threading.Barrier(len(asks))

        def run(client: httpx.Client, ask: RaceRequest) -> RaceResponse:
            request = ask.request(client)
            start.wait(TURN_SECONDS)
            return _answer(client, request)

        return list(self._threads.map(run, self.clients, asks))

    def execute(self, ask: RaceRequest, number: int = 0) -> RaceResponse:
        """One of them alone."""
        client = self.clients[number]
        return _answer(client, ask.request(client))

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self._threads.shutdown()


def _answer(client: httpx.Client, request: httpx.Request) -> RaceResponse:
    response = client.send(request)
    return RaceResponse(response.status_code, response.json())


@contextmanager
def racers(urls: Sequence[str], number: int) -> Iterator[Racers]:
    made = Racers(urls, number)
    try:
        yield made
    finally:
        made.close()
