"""Transfers of courses at the same time as edits, purchases, suspensions and deletions, on two processes.

The races of suspensions and deletions were not lost in 400 rounds without the lock of the new instructor: the foreign
key locks the user's row as well, and `innodb_snapshot_isolation` makes the transfer start again.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.billing.models import Transaction
from lms_graphql.catalog.models import Course
from lms_graphql.core.actor import Role
from tests.billing.billing_client import purchase_request
from tests.catalog.course_client import CourseClient
from tests.concurrency import RaceClients, RaceRequest, race_clients, race_rounds
from tests.factories import CourseTree, Factories, global_id
from tests.processes import Cluster

pytestmark = pytest.mark.slow

ROUNDS = race_rounds(10)
"""Run 300 rounds after a change of transfers."""
EDIT = "mutation M($input: UpdateCourseInput!) { updateCourse(input: $input) { course { id } errors { code } } }"
"""Without fields for course staff, which would be FORBIDDEN if the course was given away after the edit."""
STATE = "mutation M($input: UserIdInput!) { %s(input: $input) { errors { code path } } }"


@pytest.fixture
def make(two_processes: Cluster) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def clients(two_processes: Cluster) -> Iterator[RaceClients]:
    with race_clients(two_processes.urls, 6) as clients:
        yield clients


@pytest.fixture
def bearer(two_processes: Cluster, make: Factories) -> str:
    """Return an access token of a super admin."""
    return two_processes.access_token(make.user(Role.SUPER_ADMIN))


def scalars(cluster: Cluster, statement: Any) -> list[Any]:
    return cluster.database.read_sync(lambda session: list(session.scalars(statement)))


def transfer_request(course: CourseTree, user: User, bearer: str) -> RaceRequest:
    input = {"courseId": course.global_id, "instructorId": global_id("User", user)}
    return RaceRequest(CourseClient.document("transferCourse"), {"input": input}, bearer)


def test_transfer_edit_and_purchase_at_once_lose_nothing(
    two_processes: Cluster, make: Factories, clients: RaceClients, bearer: str
) -> None:
    for number in range(ROUNDS):
        course, user = make.course(price=1999), make.user(Role.INSTRUCTOR)
        other = make.user(Role.INSTRUCTOR)
        former, new = (two_processes.access_token(person) for person in (course.instructor, user))
        edits = [
            RaceRequest(EDIT, {"input": {"courseId": course.global_id, **field}}, former)
            for field in ({"title": f"Title {number}"}, {"shortDescription": f"Summary {number}"})
        ]
        transfers = [transfer_request(course, person, bearer) for person in (user, user, other)]
        *moved, titled, summarized, bought = clients.race(*transfers, *edits, purchase_request(course, new))
        assert [response.code for response in moved] == [None] * 3, [response.body for response in moved]
        assert {titled.code, summarized.code} <= {None, "FORBIDDEN"}
        assert bought.code in {None, "OWN_COURSE"}
        (row,) = scalars(two_processes, select(Course).where(Course.id == course.row.id))
        assert (row.title == f"Title {number}", row.short_description == f"Summary {number}") == (
            titled.code is None,
            summarized.code is None,
        )
        events = scalars(two_processes, transfers_of(course))
        assert row.version == 1 + [titled.code, summarized.code].count(None) + len(events)
        steps = [(event.details["former_instructor"], event.details["instructor"]) for event in events]
        owners = [course.instructor.id, *(new_key for _, new_key in steps)]
        assert [former_key for former_key, _ in steps] == owners[:-1], "each transfer starts where the last one ended"
        assert row.instructor_id == owners[-1]
        started = scalars(two_processes, select(Transaction.id).where(Transaction.course_id == course.row.id))
        assert len(started) == (bought.code is None)


@pytest.mark.parametrize(
    ("mutation", "action"), [("suspendUser", "account.suspended"), ("deleteUser", "account.deleted")]
)
def test_transfer_to_suspended_or_deleted_user_is_rejected(
    two_processes: Cluster, make: Factories, clients: RaceClients, bearer: str, mutation: str, action: str
) -> None:
    for _ in range(ROUNDS):
        course, user = make.course(), make.user(Role.INSTRUCTOR)
        change = RaceRequest(STATE % mutation, {"input": {"userId": global_id("User", user)}}, bearer)
        transferred, changed = clients.race(transfer_request(course, user, bearer), change)
        assert changed.code is None
        assert transferred.code in {None, "INVALID"}
        (row,) = scalars(two_processes, select(Course).where(Course.id == course.row.id))
        is_new = transferred.code is None
        assert (row.instructor_id, row.version) == ((user.id, 2) if is_new else (course.instructor.id, 1))
        ended = select(AuditEvent.id).where(AuditEvent.action == action, AuditEvent.subject_id == user.id)
        (end,) = scalars(two_processes, ended)
        assert all(event.id < end for event in scalars(two_processes, transfers_of(course)))


def transfers_of(course: CourseTree) -> Any:
    is_transfer = (AuditEvent.action == "course.transferred", AuditEvent.subject_id == course.row.id)
    return select(AuditEvent).where(*is_transfer).order_by(AuditEvent.id)
