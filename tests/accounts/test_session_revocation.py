"""What ends a session on one process of the service ends it on the others, for who is in the middle of using it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from lms_graphql.accounts.models import TokenPurpose, User
from lms_graphql.accounts.services.credentials import make_token
from lms_graphql.core import global_ids
from lms_graphql.core.actor import Role
from tests.concurrency import RaceRequest, Racers, racers
from tests.factories import PASSWORD, Factories
from tests.processes import Fleet

pytestmark = [pytest.mark.slow, pytest.mark.alone]

EVERY_SECONDS = 0.05
AT_ONCE_SECONDS = 1.0
NEW_PASSWORD = "another long enough one"
SET_ROLE = "mutation ($id: ID!) { setUserRole(input: {userId: $id, role: INSTRUCTOR}) { errors { code } } }"
SUSPEND = "mutation ($id: ID!) { suspendUser(input: {userId: $id}) { errors { code } } }"
DELETE = "mutation ($id: ID!) { deleteUser(input: {userId: $id}) { errors { code } } }"
EVERYWHERE = "mutation { logoutEverywhere { ok errors { code } } }"
LOGOUT = "mutation ($token: String!) { logout(input: {refreshToken: $token}) { ok errors { code } } }"
CHANGE = """mutation ($old: String!, $new: String!) {
  changePassword(input: {currentPassword: $old, newPassword: $new}) { errors { code } }
}"""
RESET = """mutation ($token: String!, $new: String!) {
  resetPassword(input: {token: $token, newPassword: $new}) { errors { code } }
}"""


class Scene:
    """Somebody with a device on each process, and a super admin."""

    def __init__(self, fleet: Fleet) -> None:
        make = Factories(fleet.database)
        self.fleet = fleet
        self.person: User = make.person()
        self.global_id = global_ids.encode("User", self.person.id)
        self.here, self.there = (fleet.reception.sign_in(self.person) for _ in range(2))
        self.admin = fleet.reception.sign_in(make.user(Role.SUPER_ADMIN)).access_token

    def by_admin(self, document: str) -> RaceRequest:
        return RaceRequest(document, {"id": self.global_id}, self.admin)

    def reset(self) -> RaceRequest:
        purpose = TokenPurpose.RESET_PASSWORD
        token = self.fleet.database.write_sync(lambda session: make_token(session, self.person.id, purpose))
        return RaceRequest(RESET, {"token": token, "new": NEW_PASSWORD})


ENDS: dict[str, Callable[[Scene], RaceRequest]] = {
    "another role": lambda scene: scene.by_admin(SET_ROLE),
    "a suspension": lambda scene: scene.by_admin(SUSPEND),
    "a deletion": lambda scene: scene.by_admin(DELETE),
    "one's own deletion": lambda scene: RaceRequest(DELETE, {"id": scene.global_id}, scene.here.access_token),
    "a new password": lambda scene: RaceRequest(
        CHANGE, {"old": PASSWORD, "new": NEW_PASSWORD}, scene.here.access_token
    ),
    "a password that was reset": lambda scene: scene.reset(),
    "a logout everywhere": lambda scene: RaceRequest(EVERYWHERE, bearer=scene.here.access_token),
    "a logout": lambda scene: RaceRequest(LOGOUT, {"token": scene.there.refresh_token}),
}


class Watch(threading.Thread):
    """Asks again and again, as somebody who works; notes when each question was put and how it was answered."""

    def __init__(self, client: httpx.Client, ask: RaceRequest) -> None:
        super().__init__(daemon=True)
        self.seen: list[tuple[float, int]] = []
        self._client, self._ask = client, ask
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            asked = time.monotonic()
            self.seen.append((asked, self._client.send(self._ask.request(self._client)).status_code))

    def wait_for(self, status: int, seconds: float) -> None:
        until = time.monotonic() + seconds
        while status not in [seen for _, seen in self.seen[-1:]]:
            assert time.monotonic() < until, self.seen[-5:]
            time.sleep(EVERY_SECONDS / 5)

    def stop(self) -> None:
        self._over.set()
        self.join(20)


@contextmanager
def watching(client: httpx.Client, ask: RaceRequest) -> Iterator[Watch]:
    watch = Watch(client, ask)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


@pytest.fixture
def both(two_processes: Fleet) -> Iterator[Racers]:
    with racers(two_processes.urls, 2) as running:
        yield running


@pytest.mark.parametrize("way", ENDS)
def test_what_ends_a_session_ends_it_on_every_process(two_processes: Fleet, both: Racers, way: str) -> None:
    scene = Scene(two_processes)
    end = ENDS[way](scene)
    with watching(both.clients[1], RaceRequest("{ me { id } }", bearer=scene.there.access_token)) as watch:
        watch.wait_for(200, 10)
        assert both.execute(end, 0).code is None
        ended = time.monotonic()
        watch.wait_for(401, AT_ONCE_SECONDS)
        time.sleep(3 * EVERY_SECONDS)
    after = [status for asked, status in watch.seen if asked > ended]
    assert after
    assert set(after) == {401}, "Who asks after the answer is somebody else already, not a second later."


def test_what_ends_one_session_leaves_the_others(two_processes: Fleet, both: Racers) -> None:
    scene = Scene(two_processes)
    assert both.execute(ENDS["a logout"](scene), 0).code is None
    for process in (0, 1):
        assert both.execute(RaceRequest("{ me { id } }", bearer=scene.there.access_token), process).status == 401
        assert both.execute(RaceRequest("{ me { id } }", bearer=scene.here.access_token), process).status == 200
