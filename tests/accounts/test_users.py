"""Profiles, and accounts looked after by super admins."""

from typing import Any

import pytest
from sqlalchemy import func, select

from lms_graphql.accounts.models import AuditEvent, User, UserTerm
from lms_graphql.catalog.models import Course
from lms_graphql.core.actor import Role
from tests.accounts.test_login import ME, login, refresh, refused, signed_in, told
from tests.factories import Factories, global_id
from tests.live_service import Client, Service

USER = "user { id username fullName firstName lastName bio profileImageUrl role isActive email } errors { code path }"
PROFILE = f"mutation P($input: UpdateProfileInput!) {{ updateProfile(input: $input) {{ {USER} }} }}"
CREATE = f"mutation C($input: CreateUserInput!) {{ createUser(input: $input) {{ {USER} }} }}"
ROLE = f"mutation R($id: ID!, $role: Role!) {{ setUserRole(input: {{userId: $id, role: $role}}) {{ {USER} }} }}"
SUSPEND = f"mutation S($id: ID!) {{ suspendUser(input: {{userId: $id}}) {{ {USER} }} }}"
ACTIVATE = f"mutation A($id: ID!) {{ activateUser(input: {{userId: $id}}) {{ {USER} }} }}"
DELETE = "mutation D($id: ID!) { deleteUser(input: {userId: $id}) { deletedId errors { code path } } }"
NEWCOMER = {
    "email": "new@example.com",
    "username": "newcomer",
    "password": "a long enough one",
    "firstName": "New",
    "lastName": "Comer",
    "role": "INSTRUCTOR",
}
THE_ID = ["input", "userId"]


def id_of(user: User) -> str:
    return global_id("User", user)


def count(service: Service, what: Any, *where: Any) -> int:
    statement = select(func.count()).select_from(what).where(*where)
    return service.database.read_sync(lambda session: session.scalar(statement)) or 0


def audited(service: Service) -> list[tuple[str, int | None, int | None]]:
    events = select(AuditEvent).order_by(AuditEvent.id)
    return service.database.read_sync(
        lambda session: [(event.action, event.actor_id, event.subject_id) for event in session.scalars(events)]
    )


def test_what_is_left_out_of_a_profile_stays_and_null_empties(client: Client, make: Factories) -> None:
    user = make.user(bio="Old words.", profile_image="https://example.com/a.jpg")
    actor = make.actor(user)
    payload = client.execute(PROFILE, as_=actor, input={"firstName": " Grace "})["updateProfile"]
    assert payload["errors"] == []
    assert (payload["user"]["firstName"], payload["user"]["bio"]) == ("Grace", "Old words.")
    emptied = client.execute(PROFILE, as_=actor, input={"bio": None, "profileImageUrl": None})["updateProfile"][
        "user"
    ]
    assert (emptied["bio"], emptied["profileImageUrl"], emptied["firstName"]) == (None, None, "Grace")


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
def test_a_fault_in_a_profile_changes_nothing(
    client: Client, make: Factories, field: str, value: str | None, code: str
) -> None:
    user = make.user()
    good = {"bio": "New words."} if field != "bio" else {"firstName": "Grace"}
    payload = client.execute(PROFILE, as_=make.actor(user), input={**good, field: value})["updateProfile"]
    assert payload["user"] is None
    assert told(payload) == [(code, ["input", field])]
    me = client.execute("{ me { bio firstName } }", as_=make.actor(user))["me"]
    assert me == {"bio": None, "firstName": user.first_name}


def test_all_faults_of_a_profile_are_told_in_the_order_of_its_fields(client: Client, make: Factories) -> None:
    wrong = {"firstName": None, "lastName": "", "bio": "x" * 1001, "profileImageUrl": "here"}
    payload = client.execute(PROFILE, as_=make.actor(make.user()), input=wrong)["updateProfile"]
    assert [path[1] for _, path in told(payload) if path] == list(wrong)


def test_a_super_admin_makes_an_account_that_signs_in(client: Client, make: Factories, service: Service) -> None:
    admin = make.user(Role.SUPER_ADMIN)
    payload = client.execute(CREATE, as_=make.actor(admin), input=NEWCOMER)["createUser"]
    assert payload["errors"] == []
    assert (payload["user"]["role"], payload["user"]["isActive"]) == ("INSTRUCTOR", True)
    again = client.execute(CREATE, as_=make.actor(admin), input={**NEWCOMER, "email": "NEW@example.com"})[
        "createUser"
    ]
    assert told(again) == [("ALREADY_EXISTS", ["input", "email"]), ("ALREADY_EXISTS", ["input", "username"])]
    new = service.database.read_sync(
        lambda session: session.scalars(select(User).where(User.username == "newcomer")).one()
    )
    assert login(client, new, NEWCOMER["password"])["session"]["user"]["username"] == "newcomer"
    assert ("account.created", admin.id, new.id) in audited(service)


@pytest.mark.parametrize("document", [ROLE, SUSPEND, ACTIVATE, DELETE])
@pytest.mark.parametrize("id", ["", "nonsense", "VXNlcjo5OTk5OTk", "Q291cnNlOjE"])
def test_an_account_that_is_not_there_is_not_found(client: Client, make: Factories, document: str, id: str) -> None:
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    variables = {"role": "LEARNER"} if document is ROLE else {}
    (payload,) = client.execute(document, as_=admin, id=id, **variables).values()
    assert told(payload) == [("NOT_FOUND", THE_ID)]


def test_a_new_role_ends_the_sessions_and_is_there_at_the_next_sign_in(
    client: Client, make: Factories, service: Service
) -> None:
    admin, user = make.user(Role.SUPER_ADMIN), make.person()
    session = signed_in(client, user)
    payload = client.execute(ROLE, as_=make.actor(admin), id=id_of(user), role="INSTRUCTOR")["setUserRole"]
    assert payload["user"]["role"] == "INSTRUCTOR"
    assert refused(client, session["accessToken"])
    assert told(refresh(client, session["refreshToken"]))[0][0] == "INVALID_TOKEN"
    again = signed_in(client, user)
    assert again["user"]["role"] == "INSTRUCTOR"
    same = client.execute(ROLE, as_=make.actor(admin), id=id_of(user), role="INSTRUCTOR")["setUserRole"]
    assert same["errors"] == []
    assert client.execute(ME, bearer=again["accessToken"])["me"] is not None, "nothing has changed for them"
    assert ("account.role_changed", admin.id, user.id) in audited(service)


def test_nobody_changes_their_own_role(client: Client, make: Factories) -> None:
    admin = make.user(Role.SUPER_ADMIN)
    make.user(Role.SUPER_ADMIN)
    for role in Role:
        assert client.error_codes(ROLE, as_=make.actor(admin), id=id_of(admin), role=role.name) == ["FORBIDDEN"]


def test_the_last_active_super_admin_stays(client: Client, make: Factories) -> None:
    admin = make.user(Role.SUPER_ADMIN)
    make.user(Role.SUPER_ADMIN, is_active=False)
    ghost = make.actor(admin)
    refusal = [("INVALID_TRANSITION", THE_ID)]
    assert told(client.execute(SUSPEND, as_=ghost, id=id_of(admin))["suspendUser"]) == refusal
    assert told(client.execute(DELETE, as_=ghost, id=id_of(admin))["deleteUser"]) == refusal
    second = make.user(Role.SUPER_ADMIN)
    assert (
        client.execute(ROLE, as_=make.actor(second), id=id_of(admin), role="LEARNER")["setUserRole"]["errors"] == []
    )
    assert told(client.execute(SUSPEND, as_=make.actor(second), id=id_of(second))["suspendUser"]) == refusal


def test_a_suspension_shuts_out_at_once_until_it_is_lifted(client: Client, make: Factories, service: Service) -> None:
    admin, user = make.user(Role.SUPER_ADMIN), make.person()
    session = signed_in(client, user)
    for _ in range(2):
        payload = client.execute(SUSPEND, as_=make.actor(admin), id=id_of(user))["suspendUser"]
        assert (payload["user"]["isActive"], payload["errors"]) == (False, [])
    assert refused(client, session["accessToken"])
    assert told(login(client, user)) == [("ACCOUNT_SUSPENDED", None)]
    for _ in range(2):
        assert (
            client.execute(ACTIVATE, as_=make.actor(admin), id=id_of(user))["activateUser"]["user"]["isActive"]
            is True
        )
    assert refused(client, session["accessToken"]), "what was ended stays so"
    assert login(client, user)["session"] is not None
    mine = [what for what, _, subject in audited(service) if subject == user.id]
    assert mine.count("account.suspended") == mine.count("account.activated") == 1


def test_a_deleted_person_leaves_their_courses_and_nothing_personal(
    client: Client, make: Factories, service: Service
) -> None:
    admin = make.user(Role.SUPER_ADMIN)
    user = make.person(Role.INSTRUCTOR, bio="canary", profile_image="https://canary.example/x", email="canary@x.org")
    course = make.course(instructor=user)
    session = signed_in(client, user)
    answer = client.execute(DELETE, bearer=session["accessToken"], id=id_of(user))["deleteUser"]
    assert answer == {"deletedId": id_of(user), "errors": []}
    assert refused(client, session["accessToken"])
    assert told(login(client, user)) == [("INVALID_CREDENTIALS", None)]
    row = service.database.read_sync(lambda session: session.get_one(User, user.id))
    kept = {key: value for key, value in vars(row).items() if type(value) is str}
    assert kept == {
        "username": f"deleted~{user.id}",
        "username_key": f"deleted~{user.id}",
        "first_name": "",
        "last_name": "",
        "name_key": "",
    }
    assert not count(service, UserTerm, UserTerm.user_id == user.id)
    assert count(service, Course, Course.id == course.row.id) == 1
    shown = client.execute(
        "query Q($id: ID!) { node(id: $id) { ... on User { fullName } } }", as_=make.actor(admin), id=id_of(user)
    )
    assert shown["node"]["fullName"] == "Deleted user"
    again = client.execute(DELETE, as_=make.actor(admin), id=id_of(user))["deleteUser"]
    assert again == {"deletedId": id_of(user), "errors": []}
    for document in (SUSPEND, ACTIVATE):
        (payload,) = client.execute(document, as_=make.actor(admin), id=id_of(user)).values()
        assert told(payload) == [("INVALID_TRANSITION", THE_ID)]


def test_a_deleted_persons_address_and_name_are_free_again(client: Client, make: Factories) -> None:
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    user = make.person(email=NEWCOMER["email"], username=NEWCOMER["username"])
    client.execute(DELETE, as_=admin, id=id_of(user))
    assert client.execute(CREATE, as_=admin, input=NEWCOMER)["createUser"]["errors"] == []


def test_nobody_but_a_super_admin_deletes_somebody_else(client: Client, make: Factories) -> None:
    user = make.user()
    for actor in (make.actor(make.user()), make.actor(make.user(Role.INSTRUCTOR))):
        assert client.error_codes(DELETE, as_=actor, id=id_of(user)) == ["FORBIDDEN"]
    assert client.error_codes(DELETE, id=id_of(user)) == ["UNAUTHENTICATED"]


LIST = """query U($filter: UserFilter, $order: UserOrder, $first: Int, $after: String) {
  users(filter: $filter, orderBy: $order, first: $first, after: $after) {
    totalCount nodes { firstName lastName } pageInfo { endCursor hasNextPage }
  }
}"""


def names(client: Client, make: Factories, admin: User, **variables: Any) -> list[str]:
    nodes = client.execute(LIST, as_=make.actor(admin), **variables)["users"]["nodes"]
    return [f"{node['firstName']} {node['lastName']}" for node in nodes]


def test_super_admins_find_people_by_words_role_and_date(client: Client, make: Factories) -> None:
    admin = make.user(Role.SUPER_ADMIN, first_name="Zoë", last_name="Admin")
    make.user(first_name="José", last_name="Álvarez", email="pepe@mail.example")
    make.user(Role.INSTRUCTOR, first_name="Joseph", last_name="Conrad", is_active=False)

    def found(**asked: Any) -> list[str]:
        return names(client, make, admin, filter=asked, order="NAME")

    assert found() == ["José Álvarez", "Joseph Conrad", "Zoë Admin"]
    assert found(search="jose") == ["José Álvarez", "Joseph Conrad"]
    assert found(search="jose alv") == ["José Álvarez"]
    assert found(search="pepe@mail.exa") == ["José Álvarez"]
    assert found(search="alv jose x") == []
    assert found(search="  ") == found()
    assert found(search="!?") == []
    assert found(role="INSTRUCTOR") == ["Joseph Conrad"]
    assert found(isActive=False) == ["Joseph Conrad"]
    assert found(createdAfter="2020-01-01T00:00:00Z") == found()
    assert found(createdBefore="2020-01-01T00:00:00Z") == []
    assert names(client, make, admin, order="OLDEST") == names(client, make, admin)[::-1]
    client.execute(PROFILE, as_=make.actor(admin), input={"lastName": "Renamed"})
    assert found(search="renamed") == ["Zoë Renamed"]
    assert found(search="zoe admin") == []


def test_the_list_of_people_is_paged_in_every_order(client: Client, make: Factories) -> None:
    admin = make.user(Role.SUPER_ADMIN)
    for number in range(7):
        make.user(first_name="Same" if number % 2 else "Other", last_name="Name")
    for order in ("NEWEST", "OLDEST", "NAME"):
        seen, after = [], None
        while True:
            page = client.execute(
                LIST.replace("firstName lastName", "id"), as_=make.actor(admin), order=order, first=3, after=after
            )["users"]
            seen += [node["id"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert len(seen) == len(set(seen)) == page["totalCount"] == 8


def test_the_list_of_people_is_for_super_admins(client: Client, make: Factories) -> None:
    assert client.error_codes(LIST) == ["UNAUTHENTICATED"]
    for role in (Role.LEARNER, Role.INSTRUCTOR):
        body = client.graphql(LIST, as_=make.actor(make.user(role)))
        assert body["data"] == {"users": None}
        assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
