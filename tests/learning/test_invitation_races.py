"""Races of invitations on two processes of the service.

They are lost within the first rounds if three things are missing: the condition of the UPDATE, the lock on the
course, and `innodb_snapshot_isolation`. With the last one alone, MariaDB rejects the later transaction.
"""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, select, update

from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course, Enrollment
from lms_graphql.core import clock
from lms_graphql.learning.invitation_models import Invitation, InvitationCounter, InvitationStatus
from lms_graphql.learning.models import CourseProgress
from tests.concurrency import RaceClients, RaceRequest, code_counts, race_clients, race_rounds
from tests.factories import Factories, global_id
from tests.learning.enrollment_client import count, rows
from tests.learning.invitation_client import InvitationClient
from tests.processes import Cluster

pytestmark = pytest.mark.slow

CLIENTS = 10
ROUNDS = race_rounds(15)
"""Run 300 rounds after a change of how invitations are accepted or counted."""


@pytest.fixture
def make(two_processes: Cluster) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def clients(two_processes: Cluster) -> Iterator[RaceClients]:
    with race_clients(two_processes.urls, CLIENTS) as clients:
        yield clients


def request(mutation: str, bearer: str, **input: object) -> RaceRequest:
    return RaceRequest(InvitationClient.document(mutation), {"input": input}, bearer)


def reset(cluster: Cluster) -> None:
    with cluster.database.engine.begin() as connection:
        for table in (Invitation, CourseProgress, Enrollment):
            connection.execute(delete(table))
        connection.execute(update(Course).values(enrollment_count=0))


def test_ten_people_with_one_link_make_one_enrollment(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    course = make.course()
    tokens = [two_processes.access_token(make.user()) for _ in range(CLIENTS)]
    for number in range(ROUNDS):
        link = f"token {number}"
        invitation = make.invitation(course, "jane@example.com", link)
        responses = clients.race(*(request("acceptInvitation", bearer, token=link) for bearer in tokens))
        assert code_counts(responses) == {None: 1, "INVALID_TOKEN": CLIENTS - 1}
        (enrolled,) = (response.payload["enrollment"]["id"] for response in responses if response.code is None)
        (enrollment,) = rows(two_processes.database, select(Enrollment))
        assert global_id("Enrollment", enrollment) == enrolled
        accepted = select(Invitation.enrollment_id).where(Invitation.id == invitation.id)
        assert rows(two_processes.database, accepted) == [enrollment.id]
        assert count(two_processes.database, CourseProgress) == 1
        assert two_processes.database.read_sync(counters.find_counter_drift) == []
        reset(two_processes)


def test_invitation_is_accepted_or_cancelled(two_processes: Cluster, make: Factories, clients: RaceClients) -> None:
    course = make.course()
    staff = two_processes.access_token(course.instructor)
    learners = [two_processes.access_token(make.user()) for _ in range(4)]
    for number in range(ROUNDS):
        link = f"token {number}"
        invitation = make.invitation(course, "jane@example.com", link)
        requests = [request("acceptInvitation", bearer, token=link) for bearer in learners]
        id = global_id("Invitation", invitation)
        *accepts, cancel = clients.race(*requests, request("cancelInvitation", staff, invitationId=id))
        is_cancelled = cancel.code is None
        assert cancel.code in (None, "INVALID_TRANSITION")
        expected = {"INVALID_TOKEN": 4} if is_cancelled else {None: 1, "INVALID_TOKEN": 3}
        assert code_counts(accepts) == expected
        assert count(two_processes.database, Enrollment) == int(not is_cancelled)
        reset(two_processes)


def test_concurrent_invitations_stay_below_the_limit(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    """Each request has 30 addresses, of which all share one, while 100 are left for the day."""
    course = make.course()
    staff = two_processes.access_token(course.instructor)
    for number in range(ROUNDS):
        today = {"course_id": course.row.id, "day": clock.now().date(), "invitation_count": 900}
        with two_processes.database.engine.begin() as connection:
            connection.execute(delete(InvitationCounter))
        make.add(InvitationCounter(**today))
        requests = [
            request(
                "inviteLearners",
                staff,
                courseId=course.global_id,
                emails=["jane@example.com", *(f"{number}-{client}-{index}@example.com" for index in range(29))],
            )
            for client in range(CLIENTS)
        ]
        assert code_counts(clients.race(*requests)) == {None: 3, "LIMIT_REACHED": CLIENTS - 3}
        assert rows(two_processes.database, select(InvitationCounter.invitation_count)) == [990]
        pending = Invitation.status == InvitationStatus.PENDING
        assert count(two_processes.database, Invitation, pending) == 3 * 29 + 1
        reset(two_processes)
