"""Load on a cluster: clients that create notes with idempotency keys, and repeat each request until it succeeds."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count, pairwise

import httpx

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Lecture
from tests.concurrency import RaceRequest
from tests.factories import Factories, global_id
from tests.live_service import plain_http
from tests.processes import Cluster

CREATE_NOTE = (
    "mutation M($input: CreateNoteInput!) { createNote(input: $input) { note { content } errors { code } } }"
)
CLIENTS = 4
LECTURES = 50
"""More than one, because the number of notes at a lecture is limited."""
PAUSE_SECONDS = 0.1
"""Pause before a request is repeated."""
GIVE_UP_SECONDS = 90
WARM_UP_REQUESTS = 20


class Load:
    """Clients that create notes, each with a learner of its own. The text of a note is its idempotency key.

    `acknowledged` has the texts of all notes that the service has confirmed.
    """

    def __init__(self, urls: Sequence[str], lectures: Sequence[Lecture], bearers: Sequence[str]) -> None:
        self.urls = list(urls)
        """Where requests go. A test may take a process out."""
        self.acknowledged: set[str] = set()
        self.failures: Counter[str] = Counter()
        """Number of requests that failed, and were repeated, by status or error."""
        self.given_up: list[str] = []
        self._lecture_ids = [global_id("Lecture", lecture) for lecture in lectures]
        self._acknowledged_at = [time.monotonic()]
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(bearer,)) for bearer in bearers]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        self.wait_for_requests(WARM_UP_REQUESTS)

    def stop(self) -> None:
        """Let all clients finish their last request."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def wait_for_requests(self, number: int) -> None:
        """Wait until so many more requests have succeeded."""
        target, deadline = len(self.acknowledged) + number, time.monotonic() + GIVE_UP_SECONDS
        while len(self.acknowledged) < target:
            assert time.monotonic() < deadline, self.failures
            time.sleep(0.02)

    def longest_pause(self) -> float:
        """Return the longest time in which no request succeeded, in seconds."""
        times = self._acknowledged_at
        return max(after - before for before, after in pairwise(times))

    def _run(self, bearer: str) -> None:
        clients: dict[str, httpx.Client] = {}
        for number in count():
            if self._stopped.is_set():
                break
            self._create(clients, bearer, number)
        for client in clients.values():
            client.close()

    def _create(self, clients: dict[str, httpx.Client], bearer: str, number: int) -> None:
        text, deadline = str(uuid.uuid4()), time.monotonic() + GIVE_UP_SECONDS
        lecture_id = self._lecture_ids[number % len(self._lecture_ids)]
        note_input = {"lectureId": lecture_id, "content": text, "idempotencyKey": text}
        request = RaceRequest(CREATE_NOTE, {"input": note_input}, bearer)
        for attempt in count(number):
            url = self.urls[attempt % len(self.urls)]
            client = clients.get(url) or clients.setdefault(url, plain_http(url))
            failure = _failure(client, request, text)
            if failure is None:
                self.acknowledged.add(text)
                self._acknowledged_at.append(time.monotonic())
                return
            self.failures[failure] += 1
            if time.monotonic() > deadline:
                self.given_up.append(text)
                return
            time.sleep(PAUSE_SECONDS)


def _failure(client: httpx.Client, request: RaceRequest, text: str) -> str | None:
    """Send the request. Return what failed, or None if the note was created and the payload has it."""
    try:
        response = client.send(request.build(client))
        body = response.json()
    except (httpx.TransportError, ValueError) as error:
        return type(error).__name__
    if body.get("errors"):
        return str(body["errors"][0]["extensions"]["code"])
    payload = body["data"]["createNote"]
    if payload["errors"]:
        return str(payload["errors"])
    return None if payload["note"] == {"content": text} else f"payload {payload}"


@contextmanager
def load_on(processes: Cluster, make: Factories) -> Iterator[Load]:
    """Run the load. It ends with the block."""
    tree = make.course(lectures=LECTURES)
    users: list[User] = [make.user() for _ in range(CLIENTS)]
    for user in users:
        make.enrollment(user, tree)
    load = Load(processes.urls, tree.lectures, [processes.access_token(user) for user in users])
    load.start()
    try:
        yield load
    finally:
        load.stop()
