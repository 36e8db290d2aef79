"""The audit log: what super admins read of it, by which filters, and what deleting a user erases."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from lms_graphql.accounts.models import AuditEvent
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.global_ids import encode
from tests.accounts.session_client import login
from tests.factories import Factories, global_id
from tests.live_service import Client, Service, StatementRecorder
from tests.row_writer import START

EVENTS = """
query Events($filter: AuditEventFilter, $first: Int, $after: String, $last: Int, $before: String) {
  auditEvents(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    totalCount
    pageInfo { hasNextPage endCursor startCursor }
    nodes { id action actor { id fullName email } subjectId clientIp details { name value } createdAt }
  }
}
"""
IP = "192.0.2.7"


@pytest.fixture
def admin(make: Factories) -> Actor:
    return make.actor(make.user(Role.SUPER_ADMIN))


def add_events(service: Service, *rows: dict[str, Any]) -> None:
    """Add events, each a minute after the one before."""
    nothing: dict[str, Any] = dict.fromkeys(("actor_id", "subject_kind", "subject_id", "client_ip"))
    times = (START + timedelta(minutes=number) for number in range(len(rows)))
    values = [{**nothing, "details": {}, "happened_at": time, **row} for time, row in zip(times, rows, strict=True)]
    service.database.write_sync(lambda session: session.execute(insert(AuditEvent), values))


def nodes(client: Client, admin: Actor, **filter: Any) -> Any:
    return client.execute(EVENTS, as_=admin, filter=filter)["auditEvents"]["nodes"]


def actions(client: Client, admin: Actor, **filter: Any) -> list[str]:
    return [node["action"] for node in nodes(client, admin, **filter)]


def test_events_name_actor_object_and_facts(client: Client, make: Factories, service: Service, admin: Actor) -> None:
    user = make.user_with_password()
    user_id = global_id("User", user)
    roles = "mutation R($id: ID!) { setUserRole(input: {userId: $id, role: INSTRUCTOR}) { errors { code } } }"
    client.execute(roles, as_=admin, id=user_id)
    login(client, user)
    add_events(service, {"action": "keys.rotated", "details": {"key": "k1", "old": None, "is_first": True}})
    signed_in, changed, rotated = nodes(client, admin)
    assert (changed["action"], changed["actor"]["id"]) == ("account.role_changed", encode("User", admin.key or 0))
    assert (changed["subjectId"], changed["clientIp"]) == (user_id, None)
    assert changed["details"] == [{"name": "old", "value": "learner"}, {"name": "new", "value": "instructor"}]
    assert signed_in["actor"] == {"id": user_id, "fullName": user.full_name, "email": user.email}
    assert (signed_in["action"], signed_in["clientIp"]) == ("account.signed_in", "127.0.0.1")
    assert (rotated["actor"], rotated["subjectId"]) == (None, None)
    assert rotated["details"] == [{"name": "key", "value": "k1"}, {"name": "is_first", "value": "true"}]


def test_details_name_objects_by_their_ids(client: Client, service: Service, admin: Actor) -> None:
    add_events(
        service,
        {"action": "attempt.graded", "details": {"user": 7, "question": 8, "points": "1.00"}},
        {"action": "refund.started", "details": {"refund": 9, "amount": 1_999}},
    )
    refund, grade = ({fact["name"]: fact["value"] for fact in node["details"]} for node in nodes(client, admin))
    assert grade == {"user": encode("User", 7), "question": encode("EssayQuestion", 8), "points": "1.00"}
    assert refund == {"refund": encode("Refund", 9), "amount": "1999"}


def test_filters_find_events(client: Client, service: Service, admin: Actor) -> None:
    add_events(
        service,
        {"action": "a.one", "actor_id": 5, "subject_kind": "User", "subject_id": 5},
        {"action": "a.two", "actor_id": 5, "subject_kind": "Course", "subject_id": 5},
        {"action": "a.three", "actor_id": 6, "subject_kind": "User", "subject_id": 6},
        {"action": "a.four", "subject_id": 5},  # from before kinds were stored
    )
    five = encode("User", 5)
    assert actions(client, admin) == ["a.four", "a.three", "a.two", "a.one"]
    assert actions(client, admin, action=" a.two ") == ["a.two"]
    assert actions(client, admin, actorId=five) == ["a.two", "a.one"]
    assert actions(client, admin, subjectId=five) == ["a.one"]
    assert actions(client, admin, actorId=five, subjectId=encode("Course", 5)) == ["a.two"]
    minutes = {"createdAfter": START.isoformat(), "createdBefore": (START + timedelta(minutes=3)).isoformat()}
    assert actions(client, admin, **minutes) == ["a.three", "a.two"]
    for field, ids in {"actorId": ("", "nonsense", encode("Course", 5)), "subjectId": ("", "nonsense")}.items():
        assert [actions(client, admin, **{field: id}) for id in ids] == [[]] * len(ids)
    (oldest,) = nodes(client, admin, action="a.four")
    assert oldest["subjectId"] is None


def test_pages_follow_each_other_in_equal_times(client: Client, service: Service, admin: Actor) -> None:
    add_events(service, *({"action": f"a.{number}", "happened_at": START} for number in range(5)))
    first = client.execute(EVENTS, as_=admin, first=2)["auditEvents"]
    after = first["pageInfo"]["endCursor"]
    second = client.execute(EVENTS, as_=admin, first=3, after=after)["auditEvents"]
    assert [node["action"] for node in first["nodes"] + second["nodes"]] == ["a.4", "a.3", "a.2", "a.1", "a.0"]
    assert (first["totalCount"], second["pageInfo"]["hasNextPage"]) == (5, False)
    before = second["pageInfo"]["startCursor"]
    last = client.execute(EVENTS, as_=admin, last=1, before=before)["auditEvents"]
    assert [node["action"] for node in last["nodes"]] == ["a.3"]


@pytest.mark.query_budget
def test_list_takes_a_constant_number_of_statements(
    client: Client, make: Factories, service: Service, admin: Actor
) -> None:
    add_events(service, *({"action": "a.b", "actor_id": make.user().id} for _ in range(20)))
    counts = []
    for first in (1, 20):
        with StatementRecorder(service.database) as recorder:
            client.execute(EVENTS, as_=admin, first=first)
        counts.append(recorder.count)
    assert counts == [3, 3], "the page, its count and the actors"


def test_event_is_a_node_for_super_admins_alone(client: Client, make: Factories, service: Service) -> None:
    admin, instructor = (make.actor(make.user(role)) for role in (Role.SUPER_ADMIN, Role.INSTRUCTOR))
    add_events(service, {"action": "a.b", "actor_id": instructor.key})
    (event,) = nodes(client, admin)
    document = "query N($id: ID!) { node(id: $id) { ... on AuditEvent { action } } }"
    assert client.execute(document, as_=admin, id=event["id"])["node"] == {"action": "a.b"}
    assert client.execute(document, as_=instructor, id=event["id"])["node"] is None
    body = client.graphql(EVENTS, as_=instructor)
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]


def test_deleted_user_leaves_no_personal_data_in_events(
    client: Client, make: Factories, service: Service, admin: Actor
) -> None:
    user, other = make.user_with_password(), make.user_with_password()
    for person in (user, other):
        login(client, person)
        login(client, person, "a wrong password")
    created = {"action": "account.created", "actor_id": admin.key, "client_ip": IP}
    add_events(service, {**created, "subject_kind": "User", "subject_id": user.id})
    delete = "mutation D($id: ID!) { deleteUser(input: {userId: $id}) { errors { code } } }"
    client.execute(delete, as_=admin, id=global_id("User", user))
    about_user = nodes(client, admin, subjectId=global_id("User", user))
    assert [(node["action"], node["clientIp"]) for node in about_user] == [
        ("account.deleted", None),
        ("account.sign_in_failed", None),
        ("account.signed_in", None),
        ("account.created", IP),
    ]
    assert about_user[2]["actor"] == {"id": global_id("User", user), "fullName": "Deleted user", "email": None}
    assert {node["clientIp"] for node in nodes(client, admin, subjectId=global_id("User", other))} == {"127.0.0.1"}
    stored = service.database.read_sync(lambda session: session.execute(select(AuditEvent.__table__)).all())
    personal = {user.email, user.username, user.first_name, user.last_name}
    assert not any(value and value in str(row) for row in stored for value in personal)
