"""Signing up, in, on and out: over HTTP, with real tokens."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, update

from lms_graphql.accounts import email_addresses
from lms_graphql.accounts.models import AuditEvent, RefreshToken, SigningKey, User, UserSession
from lms_graphql.accounts.services.retention import purge_expired
from lms_graphql.accounts.services.sessions import end_all_sessions, require_active_session, rotate_keys
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.core.password_hashing import (
    MAX_IN_FLIGHT,
    MAX_IN_FLIGHT_PER_CLIENT,
    MAX_QUEUED_PER_CLIENT,
    PasswordHashingPool,
)
from lms_graphql.core.signing import token_hash
from lms_graphql.core.statements import execute_dml
from lms_graphql.mail.models import Mail
from lms_graphql.settings import Settings
from tests.factories import PASSWORD, Factories, global_id
from tests.live_service import Client, Service, running
from tests.mail_servers import Postbox

SESSION = """session {
  accessToken accessTokenExpiresAt refreshToken refreshTokenExpiresAt user { username role email }
} errors { code path message }"""
REGISTER = f"mutation R($input: RegisterInput!) {{ register(input: $input) {{ {SESSION} }} }}"
LOGIN = f"mutation L($input: LoginInput!) {{ login(input: $input) {{ {SESSION} }} }}"
REFRESH = f"mutation F($token: String!) {{ refreshSession(input: {{refreshToken: $token}}) {{ {SESSION} }} }}"
LOGOUT = "mutation O($token: String!) { logout(input: {refreshToken: $token}) { ok errors { code path } } }"
EVERYWHERE = "mutation { logoutEverywhere { ok errors { code } } }"
ME = "{ me { username role lastLoginAt } }"

NEW = {
    "email": "Jane@Example.com",
    "username": "Jane.Doe",
    "password": "a long enough one",
    "firstName": " Jane ",
    "lastName": "Doe",
}


def login(client: Client, user: User, password: str = PASSWORD) -> Any:
    return client.execute(LOGIN, input={"email": user.email, "password": password})["login"]


def signed_in(client: Client, user: User) -> Any:
    session = login(client, user)["session"]
    assert session is not None
    return session


def told(payload: Any) -> list[tuple[str, list[str] | None]]:
    return [(error["code"], error["path"]) for error in payload["errors"]]


def refused(client: Client, token: str) -> bool:
    return client.post({"query": ME}, headers={"authorization": f"Bearer {token}"}).status_code == 401


def audited(service: Service) -> list[str]:
    return service.database.read_sync(lambda session: list(session.scalars(select(AuditEvent.action))))


def test_who_registers_is_a_learner_and_signed_in(client: Client, service: Service) -> None:
    payload = client.execute(REGISTER, input=NEW)["register"]
    assert payload["errors"] == []
    session = payload["session"]
    assert session["user"] == {"username": "Jane.Doe", "role": "LEARNER", "email": "Jane@example.com"}
    assert client.execute(ME, bearer=session["accessToken"])["me"]["username"] == "Jane.Doe"
    expires = datetime.fromisoformat(session["accessTokenExpiresAt"])
    assert timedelta(minutes=14) < expires - datetime.now(UTC) <= timedelta(minutes=15)
    lasts = datetime.fromisoformat(session["refreshTokenExpiresAt"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < lasts <= timedelta(days=30)
    assert "account.registered" in audited(service)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "", "REQUIRED"),
        ("email", "nobody", "INVALID"),
        ("email", "a@b@c.de", "INVALID"),
        ("email", "a b@example.com", "INVALID"),
        ("email", "jane@example.com\nbcc: x@example.com", "INVALID"),
        ("email", "x" * 250 + "@example.com", "TOO_LONG"),
        ("username", "", "REQUIRED"),
        ("username", "ab", "TOO_SHORT"),
        ("username", "a" * 31, "TOO_LONG"),
        ("username", "jane doe", "INVALID"),
        ("username", "jäne", "INVALID"),
        ("username", "deleted~1", "INVALID"),
        ("firstName", "  ", "REQUIRED"),
        ("lastName", "x" * 101, "TOO_LONG"),
        ("lastName", "Doe\r\nBcc: x", "INVALID"),
        ("password", "", "REQUIRED"),
        ("password", "123456789", "TOO_SHORT"),
        ("password", "x" * 257, "TOO_LONG"),
        ("password", "password123", "WEAK_PASSWORD"),
        ("password", "Qwertyuiop", "WEAK_PASSWORD"),
        ("password", "aaaaaaaaaaaa", "WEAK_PASSWORD"),
        ("password", "JANE@example.com", "WEAK_PASSWORD"),
    ],
)
def test_what_an_account_cannot_be_is_told_at_its_place(
    client: Client, service: Service, field: str, value: str, code: str
) -> None:
    payload = client.execute(REGISTER, input={**NEW, field: value})["register"]
    assert payload["session"] is None
    assert told(payload) == [(code, ["input", field])]
    assert not service.database.read_sync(lambda session: session.scalar(select(User.id)))


def test_all_faults_of_a_registration_are_told_at_once(client: Client) -> None:
    wrong = {"email": "x", "username": "y", "password": "z", "firstName": "", "lastName": ""}
    payload = client.execute(REGISTER, input=wrong)["register"]
    assert {path[1] for _, path in told(payload) if path} == set(wrong)


def test_a_password_like_the_username_is_weak(client: Client) -> None:
    payload = client.execute(REGISTER, input={**NEW, "username": "jane.doe.long", "password": "Jane.Doe.Long"})[
        "register"
    ]
    assert told(payload) == [("WEAK_PASSWORD", ["input", "password"])]


def test_an_address_and_a_username_are_taken_in_any_case(client: Client) -> None:
    client.execute(REGISTER, input=NEW)
    again = {**NEW, "email": " jane@EXAMPLE.com ", "username": "JANE.DOE"}
    payload = client.execute(REGISTER, input=again)["register"]
    assert told(payload) == [("ALREADY_EXISTS", ["input", "email"]), ("ALREADY_EXISTS", ["input", "username"])]


def test_domains_that_merely_look_alike_are_not_one(client: Client, postbox: Postbox) -> None:
    """straße.example and strasse.example may belong to two people."""
    person = {**NEW, "email": "bob@straße.example"}
    assert client.execute(REGISTER, input=person)["register"]["errors"] == []
    other = {**NEW, "email": "bob@strasse.example", "username": "other.bob"}
    assert client.execute(REGISTER, input=other)["register"]["errors"] == []
    postbox.token_to("bob@xn--strae-oqa.example", "/verify-email")
    postbox.token_to("bob@strasse.example", "/verify-email")
    for spelling in ("Bob@STRAßE.example", "bob@xn--strae-oqa.example"):
        session = client.execute(LOGIN, input={"email": spelling, "password": NEW["password"]})["login"]["session"]
        assert session["user"]["username"] == NEW["username"]


def test_one_mailbox_gets_only_so_many_mails_of_registrations(client: Client, service: Service) -> None:
    for number in range(7):
        tagged = {**NEW, "email": f"Victim+{number}@example.com", "username": f"victim{number}"}
        assert client.execute(REGISTER, input=tagged)["register"]["errors"] == []
    mails = service.database.read_sync(lambda session: len(list(session.scalars(select(Mail.id)))))
    assert mails == 5


def test_one_address_makes_only_so_many_accounts(service_settings: Settings) -> None:
    with running(service_settings.model_copy(update={"registrations_per_address": 3})) as service:
        service.empty()
        client = Client(service)
        codes = [
            told(
                client.execute(REGISTER, input={**NEW, "email": f"p{n}@example.com", "username": f"person{n}"})[
                    "register"
                ]
            )
            for n in range(5)
        ]
        client.close()
    assert codes == [[]] * 3 + [[("RATE_LIMITED", None)]] * 2


def test_who_asks_for_one_account_after_another_is_told_no_more(client: Client, make: Factories) -> None:
    known = make.person()
    body = {**NEW, "email": known.email, "username": "somebody.else"}
    codes = [told(client.execute(REGISTER, input=body)["register"])[0][0] for _ in range(102)]
    assert codes == ["ALREADY_EXISTS"] * 100 + ["RATE_LIMITED"] * 2


def test_signing_in_gives_a_session_whatever_the_case_of_the_address(client: Client, make: Factories) -> None:
    user = make.person(Role.INSTRUCTOR, email="Ada.Lovelace@example.com")
    payload = client.execute(LOGIN, input={"email": " ADA.lovelace@EXAMPLE.com ", "password": PASSWORD})["login"]
    assert payload["errors"] == []
    me = client.execute(ME, bearer=payload["session"]["accessToken"])["me"]
    assert (me["username"], me["role"]) == (user.username, "INSTRUCTOR")
    assert datetime.now(UTC) - datetime.fromisoformat(me["lastLoginAt"]) < timedelta(minutes=1)


def test_the_access_token_says_who_and_until_when(client: Client, make: Factories) -> None:
    user = make.person()
    token = signed_in(client, user)["accessToken"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims.keys() == {"sub", "role", "sid", "iat", "exp", "iss", "aud"}
    assert (claims["sub"], claims["role"]) == (str(user.id), "learner")
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "at+jwt", "kid": "k1"}


def test_wrong_addresses_and_wrong_passwords_answer_alike(client: Client, make: Factories, service: Service) -> None:
    user = make.person()
    gone = make.person(email=None, deleted_at=datetime.now(UTC), is_active=False)
    wrong = login(client, user, "not the password")
    unknown = client.execute(LOGIN, input={"email": "nobody@example.com", "password": PASSWORD})["login"]
    nothing = client.execute(LOGIN, input={"email": "", "password": ""})["login"]
    assert gone.email is None
    assert wrong == unknown == nothing
    assert told(wrong) == [("INVALID_CREDENTIALS", None)]
    assert audited(service) == ["account.sign_in_failed"] * 3


def test_a_suspended_person_is_told_so_only_with_the_right_password(client: Client, make: Factories) -> None:
    user = make.person(is_active=False)
    assert told(login(client, user, "wrong password")) == [("INVALID_CREDENTIALS", None)]
    assert told(login(client, user)) == [("ACCOUNT_SUSPENDED", None)]


def test_ten_failures_shut_an_account_to_new_sign_ins_alone(
    client: Client, make: Factories, service: Service
) -> None:
    user, other = make.person(), make.person()
    session = signed_in(client, user)
    codes = [told(login(client, user, "wrong password"))[0][0] for _ in range(12)]
    assert codes == ["INVALID_CREDENTIALS"] * 10 + ["RATE_LIMITED"] * 2
    assert told(login(client, user)) == [("RATE_LIMITED", None)]
    assert login(client, other)["session"] is not None, "others are not meant"
    assert client.execute(ME, bearer=session["accessToken"])["me"] is not None, "who is in stays in"
    assert refresh(client, session["refreshToken"])["session"] is not None


def test_unknown_addresses_are_throttled_alike(client: Client) -> None:
    body = {"email": "nobody@example.com", "password": "wrong password"}
    codes = [told(client.execute(LOGIN, input=body)["login"])[0][0] for _ in range(11)]
    assert codes == ["INVALID_CREDENTIALS"] * 10 + ["RATE_LIMITED"]


@pytest.mark.parametrize("address", ["x" * 780_000, "." * 780_000 + "@example.com", "a@" + "é" * 390_000])
def test_an_address_that_is_far_too_long_costs_nothing(client: Client, address: str) -> None:
    body = {"email": address, "password": "wrong password"}
    assert told(client.execute(LOGIN, input=body)["login"])[0][0] == "INVALID_CREDENTIALS"
    began = time.thread_time()
    for _ in range(10):
        email_addresses.normalize_email(address)
    assert time.thread_time() - began < 0.05


def test_right_sign_ins_are_not_counted(client: Client, make: Factories) -> None:
    user = make.person()
    assert all(login(client, user)["session"] for _ in range(12))


def test_a_hash_of_an_older_kind_is_made_anew_at_sign_in(client: Client, make: Factories, service: Service) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    user = make.person(password_hash=old)
    signed_in(client, user)
    kept = service.database.read_sync(lambda session: session.scalar(select(User.password_hash)))
    assert kept != old
    assert not PasswordHashingPool().needs_rehash(kept or "")
    signed_in(client, user)


def refresh(client: Client, token: str) -> Any:
    return client.execute(REFRESH, token=token)["refreshSession"]


def test_a_refresh_token_is_used_once(client: Client, make: Factories) -> None:
    first = signed_in(client, make.person())
    second = refresh(client, first["refreshToken"])["session"]
    assert second["refreshToken"] != first["refreshToken"]
    assert client.execute(ME, bearer=second["accessToken"])["me"] is not None
    again = refresh(client, first["refreshToken"])
    assert told(again) == [("INVALID_TOKEN", ["input", "refreshToken"])]
    assert refresh(client, second["refreshToken"])["session"] is not None, "two tabs at once end nothing"


def test_a_refresh_token_that_comes_again_later_ends_the_session(
    client: Client, make: Factories, service: Service
) -> None:
    first = signed_in(client, make.person())
    second = refresh(client, first["refreshToken"])["session"]
    used = update(RefreshToken).where(RefreshToken.used_at.is_not(None))
    later = used.values(used_at=datetime.now(UTC) - timedelta(seconds=11))
    service.database.write_sync(lambda session: session.execute(later) and None)
    assert told(refresh(client, first["refreshToken"]))[0][0] == "INVALID_TOKEN"
    assert refused(client, second["accessToken"])
    assert told(refresh(client, second["refreshToken"]))[0][0] == "INVALID_TOKEN"
    assert "session.token_reused" in audited(service)


def test_a_refresh_token_expires(client: Client, make: Factories, service: Service) -> None:
    session = signed_in(client, make.person())
    over = update(RefreshToken).values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    service.database.write_sync(lambda session: session.execute(over) and None)
    assert told(refresh(client, session["refreshToken"]))[0][0] == "INVALID_TOKEN"


@pytest.mark.parametrize("token", ["", "x", "é" * 50, "a" * 10_000])
def test_what_is_no_refresh_token_is_refused(client: Client, token: str) -> None:
    assert told(refresh(client, token)) == [("INVALID_TOKEN", ["input", "refreshToken"])]
    assert told(client.execute(LOGOUT, token=token)["logout"]) == [("INVALID_TOKEN", ["input", "refreshToken"])]


def test_no_token_is_kept_in_clear(client: Client, make: Factories, service: Service) -> None:
    session = signed_in(client, make.person())
    kept = service.database.read_sync(lambda session: list(session.scalars(select(RefreshToken.token_hash))))
    assert session["refreshToken"] not in str(kept)
    assert len(kept[0]) == 64


def test_signing_out_ends_one_session_at_once(client: Client, make: Factories) -> None:
    user = make.person()
    here, there = signed_in(client, user), signed_in(client, user)
    answer = client.execute(LOGOUT, token=here["refreshToken"])
    assert answer["logout"] == {"ok": True, "errors": []}
    assert refused(client, here["accessToken"])
    assert told(refresh(client, here["refreshToken"]))[0][0] == "INVALID_TOKEN"
    assert client.execute(ME, bearer=there["accessToken"])["me"] is not None
    again = client.execute(LOGOUT, token=here["refreshToken"])
    assert again["logout"] == {"ok": True, "errors": []}, "the wish is true already"


def test_signing_out_everywhere_ends_all_sessions_of_oneself(client: Client, make: Factories) -> None:
    user, other = make.person(), make.person()
    sessions = [signed_in(client, user) for _ in range(3)]
    others = signed_in(client, other)
    assert client.execute(EVERYWHERE, bearer=sessions[0]["accessToken"])["logoutEverywhere"]["ok"] is True
    assert all(refused(client, session["accessToken"]) for session in sessions)
    assert client.execute(ME, bearer=others["accessToken"])["me"] is not None
    assert client.error_codes(EVERYWHERE) == ["UNAUTHENTICATED"]


def test_a_bad_token_is_refused_for_every_operation(client: Client) -> None:
    for document in (ME, "{ categories { id } }", REFRESH, LOGIN):
        response = client.post({"query": document}, headers={"authorization": "Bearer x.y.z"})
        assert response.status_code == 401
        assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert "data" not in response.json()
    assert client.execute(ME) == {"me": None}


def test_a_new_signing_key_leaves_the_tokens_of_the_old_one_good(
    client: Client, make: Factories, service: Service
) -> None:
    user = make.person()
    before = signed_in(client, user)["accessToken"]
    assert service.database.write_sync(rotate_keys) == "k2"
    after = signed_in(client, user)["accessToken"]
    assert jwt.get_unverified_header(after)["kid"] == "k2"
    assert client.execute(ME, bearer=before)["me"] is not None
    assert client.execute(ME, bearer=after)["me"] is not None
    long_ago = update(SigningKey).where(SigningKey.key_id == "k1")
    retired = long_ago.values(retired_at=datetime.now(UTC) - timedelta(minutes=1))
    service.database.write_sync(lambda session: session.execute(retired) and None)
    assert refused(client, before), "it says that it was signed after its key was retired"


def test_entrances_are_once_in_a_document(client: Client) -> None:
    one = 'login(input: {email: "a@example.com", password: "x"}) { errors { code } }'
    for document in (
        f"mutation {{ a: {one} b: {one} }}",
        f"mutation {{ ...F ...F }} fragment F on Mutation {{ {one} }}",
        f"mutation {{ {one} ... on Mutation {{ b: {one} }} }}",
    ):
        assert client.error_codes(document) == ["QUERY_TOO_COMPLEX"]


def test_who_signs_in_goes_on_as_themselves_in_the_same_request(client: Client, make: Factories) -> None:
    user = make.person()
    document = """mutation L($input: LoginInput!) {
      login(input: $input) { session { user { username email permissions } } }
      updateProfile(input: {bio: "Back again."}) { user { username bio } }
    }"""
    answer = client.execute(document, input={"email": user.email, "password": PASSWORD})
    assert answer["login"]["session"]["user"]["email"] == user.email
    assert answer["updateProfile"]["user"] == {"username": user.username, "bio": "Back again."}


def test_an_address_signs_in_as_it_was_registered_and_in_its_other_spellings(client: Client) -> None:
    composed, decomposed = "jos\u00e9@example.com", "jose\u0301@example.com"
    for number, (registered, others) in enumerate(
        ((decomposed, [composed, decomposed]), ("x@xn--bcher-kva.example", ["x@b\u00fccher.example"]))
    ):
        person = {**NEW, "email": registered, "username": f"spelled{number}"}
        assert client.execute(REGISTER, input=person)["register"]["errors"] == []
        for spelling in (registered, *others):
            answer = client.execute(LOGIN, input={"email": spelling, "password": NEW["password"]})
            assert answer["login"]["errors"] == [], spelling


def test_an_address_of_long_letters_fits(client: Client) -> None:
    email = "\u0390" * 63 + "@" + "a" * 63 + "." + "b" * 40 + ".com"
    assert client.execute(REGISTER, input={**NEW, "email": email})["register"]["errors"] == []


def test_nobody_goes_on_in_the_request_that_ends_their_session(client: Client, make: Factories) -> None:
    own = 'updateProfile(input: {bio: "still here"}) { user { id } }'
    for ending in (
        "logoutEverywhere { ok }",
        'logout(input: {refreshToken: "REFRESH"}) { ok }',
        'deleteUser(input: {userId: "ID"}) { deletedId }',
    ):
        user = make.person()
        session = signed_in(client, user)
        named = ending.replace("REFRESH", session["refreshToken"]).replace("ID", global_id("User", user))
        body = client.graphql(f"mutation {{ {named} {own} }}", bearer=session["accessToken"])
        assert body["data"]["updateProfile"] is None
        assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"]


def test_a_write_waits_for_nobody_whose_session_has_ended(client: Client, make: Factories, service: Service) -> None:
    """The request was let in; its session ends before its transaction begins."""
    user = make.person()
    signed_in(client, user)
    key = service.database.read_sync(lambda session: session.scalar(select(UserSession.id)))
    actor = Actor(user.id, user.role, key)
    began = datetime.now(UTC)
    service.database.write_sync(lambda session: require_active_session(session, actor, began))
    service.database.write_sync(lambda session: end_all_sessions(session, user.id))
    service.database.write_sync(lambda session: require_active_session(session, actor, began))
    later = datetime.now(UTC)
    with pytest.raises(RequestError) as raised:
        service.database.write_sync(lambda session: require_active_session(session, actor, later))
    assert raised.value.code is RequestErrorCode.UNAUTHENTICATED


def test_a_super_admin_who_is_suspended_by_themselves_makes_no_other(client: Client, make: Factories) -> None:
    make.user(Role.SUPER_ADMIN)
    admin = make.person(Role.SUPER_ADMIN)
    document = f"""mutation {{
      suspendUser(input: {{userId: "{global_id("User", admin)}"}}) {{ user {{ isActive }} errors {{ code }} }}
      createUser(input: {{email: "x@example.com", username: "xxx", password: "a long enough one", firstName: "X",
        lastName: "Y", role: SUPER_ADMIN}}) {{ user {{ id }} }}
    }}"""
    body = client.graphql(document, bearer=signed_in(client, admin)["accessToken"])
    assert body["data"]["createUser"] is None
    assert body["data"]["suspendUser"]["errors"] == []


@pytest.mark.slow
def test_many_register_at_once_from_one_address(service: Service) -> None:
    def one(number: int) -> list[tuple[str, list[str] | None]]:
        client = Client(service)
        person = {**NEW, "email": f"crowd{number}@example.com", "username": f"crowd{number}"}
        payload = client.execute(REGISTER, input=person)["register"]
        client.close()
        return told(payload)

    with ThreadPoolExecutor(8) as crowd:
        assert list(crowd.map(one, range(40))) == [[]] * 40


def test_nobody_takes_all_places_of_the_line_alone() -> None:
    hashing = PasswordHashingPool()
    with contextlib.ExitStack() as held:
        for _ in range(MAX_QUEUED_PER_CLIENT):
            held.enter_context(hashing.queue_slot("one"))
        with pytest.raises(RequestError):
            hashing.admit("one")
        hashing.admit("another")
    hashing.admit("one")
    hashing.close()


def test_no_more_than_so_many_are_on_their_way_to_a_place_and_from_it() -> None:
    """Where the database stalls, whoever signs in meanwhile would else take the room of all who read."""
    hashing = PasswordHashingPool()
    with contextlib.ExitStack() as held:
        for number in range(MAX_IN_FLIGHT):
            held.enter_context(hashing.admit(f"{number}"))
        with pytest.raises(RequestError):
            hashing.admit("another")
    hashing.admit("another")
    hashing.close()


def test_nobody_fills_the_way_to_the_line_alone() -> None:
    hashing = PasswordHashingPool()
    with contextlib.ExitStack() as held:
        for _ in range(MAX_IN_FLIGHT_PER_CLIENT):
            held.enter_context(hashing.admit("one"))
        with pytest.raises(RequestError):
            hashing.admit("one")
        hashing.admit("another")
    hashing.admit("one")
    hashing.close()


def test_tokens_that_were_used_long_ago_are_forgotten_when_the_session_goes_on(
    client: Client, make: Factories, service: Service
) -> None:
    first = signed_in(client, make.person())
    second = refresh(client, first["refreshToken"])["session"]
    third = refresh(client, second["refreshToken"])["session"]
    long_ago = datetime.now(UTC) - timedelta(days=8)
    used = update(RefreshToken).where(RefreshToken.token_hash == token_hash(first["refreshToken"]))
    service.database.write_sync(lambda session: execute_dml(session, used.values(used_at=long_ago)))
    assert refresh(client, third["refreshToken"])["errors"] == []
    left = service.database.read_sync(lambda session: session.scalar(select(func.count()).select_from(RefreshToken)))
    assert left == 3
    assert not refused(client, third["accessToken"])


def test_stale_sessions_are_forgotten(client: Client, make: Factories, service: Service) -> None:
    user = make.person()
    old, new = signed_in(client, user), signed_in(client, user)
    login(client, user, "wrong password")
    long_ago = datetime.now(UTC) - timedelta(days=40)

    def age(session: Any) -> None:
        first = session.scalar(select(UserSession.id).order_by(UserSession.id))
        session.execute(update(UserSession).where(UserSession.id == first).values(expires_at=long_ago))

    service.database.write_sync(age)
    assert service.database.write_sync(lambda session: purge_expired(session, 15)) == 2
    assert refused(client, old["accessToken"])
    assert client.execute(ME, bearer=new["accessToken"])["me"] is not None
