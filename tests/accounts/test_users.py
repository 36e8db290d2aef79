"""User accounts: profiles, roles, suspension, deletion and the list of users."""

from typing import Any

import pytest
from sqlalchemy import func, select

from lms_graphql.accounts.models import AuditEvent, User, UserTerm
from lms_graphql.catalog.models import Course
from lms_graphql.core.actor import Role
from tests.accounts.session_client import ME, error_code, is_rejected, login, new_session, refresh, user_errors
from tests.factories import Factories, global_id
from tests.live_service import Client, Service

USER = "user { id username fullName firstName lastName bio profileImageUrl role isActive email } errors { code path }"
UPDATE_PROFILE = f"mutation P($input: UpdateProfileInput!) {{ updateProfile(input: $input) {{ {USER} }} }}"
CREATE_USER = f"mutation C($input: CreateUserInput!) {{ createUser(input: $input) {{ {USER} }} }}"
SET_ROLE = f"mutation R($id: ID!, $role: Role!) {{ setUserRole(input: {{userId: $id, role: $role}}) {{ {USER} }} }}"
SUSPEND = f"mutation S($id: ID!) {{ suspendUser(input: {{userId: $id}}) {{ {USER} }} }}"
ACTIVATE = f"mutation A($id: ID!) {{ activateUser(input: {{userId: $id}}) {{ {USER} }} }}"
DELETE = "mutation D($id: ID!) { deleteUser(input: {userId: $id}) { deletedId errors { code path } } }"
NEW_USER = {
    "email": "new@example.com",
    "username": "newcomer",
    "password": "a long enough one",
    "firstName": "New",
    "lastName": "Comer",
    "role": "INSTRUCTOR",
}
USER_ID_PATH = ["input", "userId"]


def id_of(user: User) -> str:
    return global_id("User", user)


def count(service: Service, table: Any, *where: Any) -> int:
    """Return the number of rows that match these clauses."""
    statement = select(func.count()).select_from(table).where(*where)
    return service.database.read_sync(lambda session: session.scalar(statement)) or 0


def audit_events(service: Service) -> list[tuple[str, int | None, int | None]]:
    """Return action, actor and subject of all audit events, in order."""
    events = select(AuditEvent).order_by(AuditEvent.id)
    return service.database.read_sync(
        lambda session: [(event.action, event.actor_id, event.subject_id) for event in session.scalars(events)]
    )


def test_profile_keeps_omitted_fields_and_clears_nulls(client: Client, make: Factories) -> None:
    user = make.user(bio="Old words.", profile_image="https://example.com/a.jpg")
    actor = make.actor(user)
    payload = client.execute(UPDATE_PROFILE, as_=actor, input={"firstName": " Grace "})["updateProfile"]
    assert payload["errors"] == []
    assert (payload["user"]["firstName"], payload["user"]["bio"]) == ("Grace", "Old words.")
    payload = client.execute(UPDATE_PROFILE, as_=actor, input={"bio": None, "profileImageUrl": None})["updateProfile"]
    cleared = payload["user"]
    assert (cleared["bio"], cleared["profileImageUrl"], cleared["firstName"]) == (None, None, "Grace")


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("firstName", None, "REQUIRED"),
        ("lastName", " ", "REQUIRED"),
        ("firstName", "x" * 101, "TOO_LONG"),
        ("bio", "x" * 1001, "TOO_LONG"),
        ("profileImageUrl", "javascript:alert(1)", "INVALID"),
        ("profileImageUrl", "//example.com/a.jpg", "INVALID"),
        ("profileImageUrl", "https:///a.jpg", "INVALID"),
        ("profileImageUrl", "https://example.com/a b.jpg", "INVALID"),
        ("profileImageUrl", "https://example.com/" + "x" * 2000, "TOO_LONG"),
    ],
)
def test_invalid_profile_field_changes_nothing(
    client: Client, make: Factories, field: str, value: str | None, code: str
) -> None:
    user = make.user()
    valid = {"bio": "New words."} if field != "bio" else {"firstName": "Grace"}
    payload = client.execute(UPDATE_PROFILE, as_=make.actor(user), input={**valid, field: value})["updateProfile"]
    assert payload["user"] is None
    assert user_errors(payload) == [(code, ["input", field])]
    me = client.execute("{ me { bio firstName } }", as_=make.actor(user))["me"]
    assert me == {"bio": None, "firstName": user.first_name}


def test_profile_reports_all_errors_in_field_order(client: Client, make: Factories) -> None:
    invalid = {"firstName": None, "lastName": "", "bio": "x" * 1001, "profileImageUrl": "here"}
    payload = client.execute(UPDATE_PROFILE, as_=make.actor(make.user()), input=invalid)["updateProfile"]
    assert [path[1] for _, path in user_errors(payload) if path] == list(invalid)


def test_account_created_by_super_admin_can_log_in(client: Client, make: Factories, service: Service) -> None:
    admin = make.user(Role.SUPER_ADMIN)
    payload = client.execute(CREATE_USER, as_=make.actor(admin), input=NEW_USER)["createUser"]
    assert payload["errors"] == []
    assert (payload["user"]["role"], payload["user"]["isActive"]) == ("INSTRUCTOR", True)
    duplicate = {**NEW_USER, "email": "NEW@example.com"}
    payload = client.execute(CREATE_USER, as_=make.actor(admin), input=duplicate)["createUser"]
    assert user_errors(payload) == [("ALREADY_EXISTS", ["input", "email"]), ("ALREADY_EXISTS", ["input", "username"])]
    new = service.database.read_sync(
        lambda session: session.scalars(select(User).where(User.username == "newcomer")).one()
    )
    assert login(client, new, NEW_USER["password"])["session"]["user"]["username"] == "newcomer"
    assert ("account.created", admin.id, new.id) in audit_events(service)


@pytest.mark.parametrize("document", [SET_ROLE, SUSPEND, ACTIVATE, DELETE])
@pytest.mark.parametrize("id", ["", "nonsense", "VXNlcjo5OTk5OTk", "Q291cnNlOjE"])
def test_unknown_user_id_returns_not_found(client: Client, make: Factories, document: str, id: str) -> None:
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    variables = {"role": "LEARNER"} if document is SET_ROLE else {}
    (payload,) = client.execute(document, as_=admin, id=id, **variables).values()
    assert user_errors(payload) == [("NOT_FOUND", USER_ID_PATH)]


def test_role_change_ends_sessions(client: Client, make: Factories, service: Service) -> None:
    admin, user = make.user(Role.SUPER_ADMIN), make.user_with_password()
    session = new_session(client, user)
    payload = client.execute(SET_ROLE, as_=make.actor(admin), id=id_of(user), role="INSTRUCTOR")["setUserRole"]
    assert payload["user"]["role"] == "INSTRUCTOR"
    assert is_rejected(client, session["accessToken"])
    assert error_code(refresh(client, session["refreshToken"])) == "INVALID_TOKEN"
    new = new_session(client, user)
    assert new["user"]["role"] == "INSTRUCTOR"
    same = client.execute(SET_ROLE, as_=make.actor(admin), id=id_of(user), role="INSTRUCTOR")["setUserRole"]
    assert same["errors"] == []
    assert client.execute(ME, bearer=new["accessToken"])["me"] is not None, "an unchanged role ends no session"
    assert ("account.role_changed", admin.id, user.id) in audit_events(service)


def test_super_admin_cannot_change_own_role(client: Client, make: Factories) -> None:
    admin = make.user(Role.SUPER_ADMIN)
    make.user(Role.SUPER_ADMIN)
    for role in Role:
        assert client.error_codes(SET_ROLE, as_=make.actor(admin), id=id_of(admin), role=role.name) == ["FORBIDDEN"]


def test_last_active_super_admin_cannot_be_removed(client: Client, make: Factories) -> None:
    admin = make.user(Role.SUPER_ADMIN)
    make.user(Role.SUPER_ADMIN, is_active=False)
    actor = make.actor(admin)
    expected = [("INVALID_TRANSITION", USER_ID_PATH)]
    assert user_errors(client.execute(SUSPEND, as_=actor, id=id_of(admin))["suspendUser"]) == expected
    assert user_errors(client.execute(DELETE, as_=actor, id=id_of(admin))["deleteUser"]) == expected
    second = make.user(Role.SUPER_ADMIN)
    payload = client.execute(SET_ROLE, as_=make.actor(second), id=id_of(admin), role="LEARNER")["setUserRole"]
    assert payload["errors"] == []
    assert user_errors(client.execute(SUSPEND, as_=make.actor(second), id=id_of(second))["suspendUser"]) == expected


def test_suspended_user_cannot_log_in_until_activated(client: Client, make: Factories, service: Service) -> None:
    admin, user = make.user(Role.SUPER_ADMIN), make.user_with_password()
    session = new_session(client, user)
    for _ in range(2):
        payload = client.execute(SUSPEND, as_=make.actor(admin), id=id_of(user))["suspendUser"]
        assert (payload["user"]["isActive"], payload["errors"]) == (False, [])
    assert is_rejected(client, session["accessToken"])
    assert user_errors(login(client, user)) == [("ACCOUNT_SUSPENDED", None)]
    for _ in range(2):
        payload = client.execute(ACTIVATE, as_=make.actor(admin), id=id_of(user))["activateUser"]
        assert payload["user"]["isActive"] is True
    assert is_rejected(client, session["accessToken"]), "ended sessions stay ended"
    assert login(client, user)["session"] is not None
    actions = [action for action, _, subject in audit_events(service) if subject == user.id]
    assert actions.count("account.suspended") == actions.count("account.activated") == 1


def test_deletion_erases_personal_data_but_not_courses(client: Client, make: Factories, service: Service) -> None:
    admin = make.user(Role.SUPER_ADMIN)
    user = make.user_with_password(
        Role.INSTRUCTOR, bio="canary", profile_image="https://canary.example/x", email="canary@x.org"
    )
    course = make.course(instructor=user)
    session = new_session(client, user)
    payload = client.execute(DELETE, bearer=session["accessToken"], id=id_of(user))["deleteUser"]
    assert payload == {"deletedId": id_of(user), "errors": []}
    assert is_rejected(client, session["accessToken"])
    assert user_errors(login(client, user)) == [("INVALID_CREDENTIALS", None)]
    row = service.database.read_sync(lambda session: session.get_one(User, user.id))
    texts = {name: value for name, value in vars(row).items() if type(value) is str}
    assert texts == {
        "username": f"deleted~{user.id}",
        "username_key": f"deleted~{user.id}",
        "first_name": "",
        "last_name": "",
        "name_key": "",
    }
    assert not count(service, UserTerm, UserTerm.user_id == user.id)
    assert count(service, Course, Course.id == course.row.id) == 1
    data = client.execute(
        "query Q($id: ID!) { node(id: $id) { ... on User { fullName } } }", as_=make.actor(admin), id=id_of(user)
    )
    assert data["node"]["fullName"] == "Deleted user"
    repeated = client.execute(DELETE, as_=make.actor(admin), id=id_of(user))["deleteUser"]
    assert repeated == {"deletedId": id_of(user), "errors": []}
    for document in (SUSPEND, ACTIVATE):
        (payload,) = client.execute(document, as_=make.actor(admin), id=id_of(user)).values()
        assert user_errors(payload) == [("INVALID_TRANSITION", USER_ID_PATH)]


def test_email_and_username_are_available_after_deletion(client: Client, make: Factories) -> None:
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    user = make.user_with_password(email=NEW_USER["email"], username=NEW_USER["username"])
    client.execute(DELETE, as_=admin, id=id_of(user))
    assert client.execute(CREATE_USER, as_=admin, input=NEW_USER)["createUser"]["errors"] == []


def test_only_super_admins_delete_other_users(client: Client, make: Factories) -> None:
    user = make.user()
    for actor in (make.actor(make.user()), make.actor(make.user(Role.INSTRUCTOR))):
        assert client.error_codes(DELETE, as_=actor, id=id_of(user)) == ["FORBIDDEN"]
    assert client.error_codes(DELETE, id=id_of(user)) == ["UNAUTHENTICATED"]


LIST_USERS = """query U($filter: UserFilter, $order: UserOrder, $first: Int, $after: String) {
  users(filter: $filter, orderBy: $order, first: $first, after: $after) {
    totalCount nodes { firstName lastName } pageInfo { endCursor hasNextPage }
  }
}"""


def names(client: Client, make: Factories, admin: User, **variables: Any) -> list[str]:
    """Return the names of the users on the first page."""
    nodes = client.execute(LIST_USERS, as_=make.actor(admin), **variables)["users"]["nodes"]
    return [f"{node['firstName']} {node['lastName']}" for node in nodes]


def test_users_are_found_and_sorted_without_strokes(client: Client, make: Factories) -> None:
    admin = make.user(Role.SUPER_ADMIN, first_name="Zebra", last_name="Admin")
    make.user(first_name="Øystein", last_name="Łęcki")
    make.user(first_name="王", last_name="小明")
    assert names(client, make, admin, filter={"search": "oystein"}) == ["Øystein Łęcki"]
    assert names(client, make, admin, filter={"search": "明 王"}) == ["王 小明"]
    assert names(client, make, admin, order="NAME") == ["Øystein Łęcki", "Zebra Admin", "王 小明"]


def test_users_are_filtered_by_words_role_and_date(client: Client, make: Factories) -> None:
    admin = make.user(Role.SUPER_ADMIN, first_name="Zoë", last_name="Admin")
    make.user(first_name="José", last_name="Álvarez", email="pepe@mail.example")
    make.user(Role.INSTRUCTOR, first_name="Joseph", last_name="Conrad", is_active=False)

    def search(**conditions: Any) -> list[str]:
        return names(client, make, admin, filter=conditions, order="NAME")

    assert search() == ["José Álvarez", "Joseph Conrad", "Zoë Admin"]
    assert search(search="jose") == ["José Álvarez", "Joseph Conrad"]
    assert search(search="jose alv") == ["José Álvarez"]
    assert search(search="pepe@mail.exa") == ["José Álvarez"]
    assert search(search="alv jose x") == []
    assert search(search="  ") == search()
    assert search(search="!?") == []
    assert search(role="INSTRUCTOR") == ["Joseph Conrad"]
    assert search(isActive=False) == ["Joseph Conrad"]
    assert search(createdAfter="2020-01-01T00:00:00Z") == search()
    assert search(createdBefore="2020-01-01T00:00:00Z") == []
    assert names(client, make, admin, order="OLDEST") == names(client, make, admin)[::-1]
    client.execute(UPDATE_PROFILE, as_=make.actor(admin), input={"lastName": "Renamed"})
    assert search(search="renamed") == ["Zoë Renamed"]
    assert search(search="zoe admin") == []


def test_users_are_paginated_in_every_order(client: Client, make: Factories) -> None:
    admin = make.user(Role.SUPER_ADMIN)
    for number in range(7):
        make.user(first_name="Same" if number % 2 else "Other", last_name="Name")
    for order in ("NEWEST", "OLDEST", "NAME"):
        ids, after = [], None
        while True:
            page = client.execute(
                LIST_USERS.replace("firstName lastName", "id"),
                as_=make.actor(admin),
                order=order,
                first=3,
                after=after,
            )["users"]
            ids += [node["id"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert len(ids) == len(set(ids)) == page["totalCount"] == 8


def test_users_query_requires_super_admin(client: Client, make: Factories) -> None:
    assert client.error_codes(LIST_USERS) == ["UNAUTHENTICATED"]
    for role in (Role.LEARNER, Role.INSTRUCTOR):
        body = client.graphql(LIST_USERS, as_=make.actor(make.user(role)))
        assert body["data"] == {"users": None}
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
