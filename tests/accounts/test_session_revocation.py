"""Revocation: a session that ends on one process ends on all, also for a client that is using it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from lms_graphql.accounts.models import TokenPurpose, User
from lms_graphql.accounts.services.account_tokens import make_token
from lms_graphql.core import global_ids
from lms_graphql.core.actor import Role
from tests.accounts.test_account_races import requested_change
from tests.accounts.test_email_changes import CONFIRM
from tests.accounts.test_session_list import END
from tests.concurrency import RaceClients, RaceRequest, race_clients
from tests.factories import PASSWORD, Factories
from tests.processes import Cluster

pytestmark = pytest.mark.slow

POLL_SECONDS = 0.05
TIMEOUT_SECONDS = 30
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


class Scenario:
    """A user with a session on each process, and a super admin."""

    def __init__(self, cluster: Cluster) -> None:
        make = Factories(cluster.database)
        self.cluster = cluster
        self.user: User = make.user_with_password()
        self.global_id = global_ids.encode("User", self.user.id)
        self.session, self.other_session = (cluster.session_issuer.sign_in(self.user) for _ in range(2))
        self.other_session_id = global_ids.encode("UserSession", self.other_session.actor.session_key or 0)
        self.admin = cluster.session_issuer.sign_in(make.user(Role.SUPER_ADMIN)).access_token

    def admin_request(self, document: str) -> RaceRequest:
        return RaceRequest(document, {"id": self.global_id}, self.admin)

    def email_change_request(self) -> RaceRequest:
        token = requested_change(self.cluster.database, self.user, "new.address@example.com")
        return RaceRequest(CONFIRM, {"token": token}, self.session.access_token)

    def reset_request(self) -> RaceRequest:
        purpose = TokenPurpose.RESET_PASSWORD
        token = self.cluster.database.write_sync(lambda session: make_token(session, self.user.id, purpose))
        return RaceRequest(RESET, {"token": token, "new": NEW_PASSWORD})


REVOCATIONS: dict[str, Callable[[Scenario], RaceRequest]] = {
    "role change": lambda scenario: scenario.admin_request(SET_ROLE),
    "suspension": lambda scenario: scenario.admin_request(SUSPEND),
    "deletion by a super admin": lambda scenario: scenario.admin_request(DELETE),
    "deletion by the user": lambda scenario: RaceRequest(
        DELETE, {"id": scenario.global_id}, scenario.session.access_token
    ),
    "password change": lambda scenario: RaceRequest(
        CHANGE, {"old": PASSWORD, "new": NEW_PASSWORD}, scenario.session.access_token
    ),
    "password reset": lambda scenario: scenario.reset_request(),
    "logout everywhere": lambda scenario: RaceRequest(EVERYWHERE, bearer=scenario.session.access_token),
    "end of one session": lambda scenario: RaceRequest(
        END, {"id": scenario.other_session_id}, scenario.session.access_token
    ),
    "change of email": lambda scenario: scenario.email_change_request(),
    "logout": lambda scenario: RaceRequest(LOGOUT, {"token": scenario.other_session.refresh_token}),
}


class Poller(threading.Thread):
    """A thread that repeats a request and records when each was sent and its status."""

    def __init__(self, client: httpx.Client, request: RaceRequest) -> None:
        super().__init__(daemon=True)
        self.responses: list[tuple[float, int]] = []
        self._client, self._request = client, request
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(POLL_SECONDS):
            sent_at = time.monotonic()
            response = self._client.send(self._request.build(self._client))
            self.responses.append((sent_at, response.status_code))

    def statuses_since(self, instant: float) -> list[int]:
        """Return the statuses of the requests that were sent after this instant."""
        return [status for sent_at, status in self.responses if sent_at > instant]

    def wait_for(self, number: int, instant: float) -> None:
        """Wait until this many requests that were sent after this instant have responses."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while len(self.statuses_since(instant)) < number:
            assert time.monotonic() < deadline, self.responses[-5:]
            time.sleep(POLL_SECONDS / 5)

    def stop(self) -> None:
        self._stopped.set()
        self.join(20)


@contextmanager
def polling(client: httpx.Client, request: RaceRequest) -> Iterator[Poller]:
    poller = Poller(client, request)
    poller.start()
    try:
        yield poller
    finally:
        poller.stop()


@pytest.fixture
def process_clients(two_processes: Cluster) -> Iterator[RaceClients]:
    with race_clients(two_processes.urls, 2) as clients:
        yield clients


@pytest.mark.parametrize("revocation", REVOCATIONS)
def test_revoked_session_ends_on_every_process(
    two_processes: Cluster, process_clients: RaceClients, revocation: str
) -> None:
    scenario = Scenario(two_processes)
    revoke = REVOCATIONS[revocation](scenario)
    with polling(
        process_clients.clients[1], RaceRequest("{ me { id } }", bearer=scenario.other_session.access_token)
    ) as poller:
        poller.wait_for(1, 0)
        assert set(poller.statuses_since(0)) == {200}
        assert process_clients.execute(revoke, 0).code is None
        ended = time.monotonic()
        poller.wait_for(5, ended)
    assert set(poller.statuses_since(ended)) == {401}, (
        "requests after the revocation fail at once, not a second later"
    )


def test_logout_leaves_other_sessions_valid(two_processes: Cluster, process_clients: RaceClients) -> None:
    scenario = Scenario(two_processes)
    assert process_clients.execute(REVOCATIONS["logout"](scenario), 0).code is None
    for process in (0, 1):
        for session, status in ((scenario.other_session, 401), (scenario.session, 200)):
            request = RaceRequest("{ me { id } }", bearer=session.access_token)
            assert process_clients.execute(request, process).status == status
