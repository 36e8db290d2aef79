"""Reads after writes behind a load balancer: a viewer sees what they have just written, on any node."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lms_graphql.core.actor import Role
from tests.cluster.topology import Topology
from tests.concurrency import RaceRequest
from tests.factories import PASSWORD, Factories, global_id
from tests.live_service import plain_http
from tests.processes import Cluster

CLIENTS = 4
ROUNDS = 130
"""Rounds of each client: together more than 500 of each kind."""
CREATE = "mutation M($input: CreateCourseInput!) { createCourse(input: $input) { course { id } errors { code } } }"
UPDATE = "mutation M($input: UpdateCourseInput!) { updateCourse(input: $input) { course { title } errors { code } } }"
COURSE = "query Q($id: ID!) { node(id: $id) { ... on Course { title } } }"
ME = "{ me { id } }"
LOGIN = "mutation M($input: LoginInput!) { login(input: $input) { session { accessToken } errors { code } } }"


class Browser:
    """A viewer whose requests go to all processes in turn, as through a load balancer."""

    def __init__(self, urls: list[str], bearer: str | None) -> None:
        self.bearer = bearer
        self._clients = [plain_http(url) for url in urls]
        self._requests = 0

    def send(self, document: str, bearer: str | None = None, **variables: Any) -> Any:
        """Return the body of the response."""
        client = self._clients[self._requests % len(self._clients)]
        self._requests += 1
        request = RaceRequest(document, variables, self.bearer if bearer is None else bearer)
        return client.send(request.build(client)).json()

    def close(self) -> None:
        for client in self._clients:
            client.close()


@pytest.fixture
def browsers(balanced: Cluster, make: Factories) -> Iterator[list[Browser]]:
    """Return a browser of each of some instructors."""
    tokens = [balanced.access_token(make.user(Role.INSTRUCTOR)) for _ in range(CLIENTS)]
    browsers = [Browser(balanced.urls, token) for token in tokens]
    yield browsers
    for browser in browsers:
        browser.close()


def wrong_answers(browsers: list[Browser], act: Callable[[Browser, int], list[Any]]) -> list[Any]:
    """Let all browsers act at once for all rounds. Return what was wrong."""

    def run(browser: Browser) -> list[Any]:
        return [wrong for number in range(ROUNDS) for wrong in act(browser, number)]

    with ThreadPoolExecutor(len(browsers)) as threads:
        return [wrong for part in threads.map(run, browsers) for wrong in part]


def test_viewer_sees_own_changes_at_once(browsers: list[Browser], make: Factories) -> None:
    """The payload of a creation, the object on another process, the payload of a change, and the changed object."""
    category_id = global_id("Category", make.category())

    def act(browser: Browser, number: int) -> list[Any]:
        title = f"Course {number} of {id(browser)}"
        created = browser.send(CREATE, input={"title": title, "description": "-", "categoryId": category_id})
        course = created.get("data", {}).get("createCourse", {}).get("course")
        if course is None:
            return [created]
        read = browser.send(COURSE, id=course["id"])
        updated = browser.send(UPDATE, input={"courseId": course["id"], "title": f"{title}, changed"})
        read_again = browser.send(COURSE, id=course["id"])
        expected = [
            (read, {"node": {"title": title}}),
            (updated, {"updateCourse": {"course": {"title": f"{title}, changed"}, "errors": []}}),
            (read_again, {"node": {"title": f"{title}, changed"}}),
        ]
        return [body for body, data in expected if body != {"data": data, "extensions": body.get("extensions")}]

    assert wrong_answers(browsers, act) == []


def test_fresh_token_is_valid_on_all_nodes(browsers: list[Browser], balanced: Cluster, make: Factories) -> None:
    user = make.user()

    def act(browser: Browser, number: int) -> list[Any]:
        body = browser.send(ME, balanced.access_token(user))
        return [] if body.get("data", {}).get("me") else [body]

    assert wrong_answers(browsers, act) == []


def test_logged_in_user_is_known_on_all_nodes(balanced: Cluster, make: Factories) -> None:
    user = make.user_with_password()
    browser = Browser(balanced.urls, None)
    for _ in range(20):
        login = browser.send(LOGIN, input={"email": user.email, "password": PASSWORD})["data"]["login"]
        assert browser.send(ME, login["session"]["accessToken"])["data"]["me"] is not None
    browser.close()


def test_only_signed_in_viewers_wait_for_other_nodes(topology: Topology, two_processes: Cluster) -> None:
    """A node that cannot apply what another one has written answers anonymous viewers, without it."""
    make = Factories(two_processes.database)
    bearer, url = two_processes.access_token(make.user()), two_processes.urls[1]
    anonymous, signed_in = Browser([url], None), Browser([url], bearer)
    node = topology.galera.nodes[1]
    with node.connect_as_root() as connection, connection.cursor() as cursor, ThreadPoolExecutor(1) as threads:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        course = make.course(title="New")
        read = threads.submit(signed_in.send, COURSE, id=course.global_id)
        assert anonymous.send(COURSE, id=course.global_id)["data"] == {"node": None}
        assert not read.done()
        cursor.execute("UNLOCK TABLES")
        assert read.result(60)["data"] == {"node": {"title": "New"}}
    anonymous.close()
    signed_in.close()
