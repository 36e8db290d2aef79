"""Tokens that nobody was given, or that are over: each is refused in the same words, whatever is wrong with it."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from lms_graphql.accounts.models import SigningKey, User
from lms_graphql.accounts.services import credentials, sessions, users
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.signing import Signer
from tests.auth import Reception
from tests.factories import Factories
from tests.live_service import Client, Service

QUERY = "{ me { id } }"
MUTATION = 'mutation { updateProfile(input: {bio: "taken over"}) { user { id } errors { code } } }'
DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def opened(part: str) -> dict[str, Any]:
    members: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(part + "=="))
    return members


class Forger:
    """Knows a good token and, for what only a flaw of ours could let through, the keys as well."""

    def __init__(self, good: str, signer: Signer, stranger_session: int) -> None:
        self.good = good
        self.head, self.body, self.signature = good.split(".")
        self.signer = signer
        self.stranger_session = stranger_session
        self.person, self.session = (int(opened(self.body)[name]) for name in ("sub", "sid"))

    def token(self, header: Any = None, key: bytes | None = None, digest: str = "HS256", **claims: Any) -> str:
        """The good one but for this, and signed. `...` leaves a member out."""
        head = self._changed(self.head, header or {})
        body = self._changed(self.body, claims)
        signed = hmac.new(self.signer.key("k1") if key is None else key, f"{head}.{body}".encode(), DIGESTS[digest])
        return f"{head}.{body}.{encoded(signed.digest())}"

    def edited(self, **claims: Any) -> str:
        return f"{self.head}.{self._changed(self.body, claims)}.{self.signature}"

    def unsigned(self, algorithm: str) -> str:
        return f"{self._changed(self.head, {'alg': algorithm})}.{self.body}."

    def _changed(self, part: str, changes: dict[str, Any]) -> str:
        members = {key: value for key, value in (opened(part) | changes).items() if value is not ...}
        return encoded(orjson.dumps(members))


Forgery = Callable[[Forger], str | bytes]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def other_spelling(forger: Forger) -> str:
    """The signature's last letter has two bits that mean nothing: another letter stands for the same bytes."""
    return forger.good[:-1] + ALPHABET[ALPHABET.index(forger.good[-1]) ^ 1]


def now() -> int:
    return int(time.time())


FORGERIES: dict[str, Forgery] = {
    "alg none": lambda forger: forger.unsigned("none"),
    "alg None": lambda forger: forger.unsigned("None"),
    "alg NONE": lambda forger: forger.unsigned("NONE"),
    "alg nOnE": lambda forger: forger.unsigned("nOnE"),
    "alg none with the old signature": lambda forger: forger.unsigned("none") + forger.signature,
    "alg none, signed": lambda forger: forger.token({"alg": "none"}),
    "alg in small letters": lambda forger: forger.token({"alg": "hs256"}),
    "alg missing": lambda forger: forger.token({"alg": ...}),
    "alg a list": lambda forger: forger.token({"alg": ["HS256"]}),
    "RS256 with our key as if it were public": lambda forger: forger.token({"alg": "RS256"}),
    "ES256": lambda forger: forger.token({"alg": "ES256"}),
    "HS384 with our key": lambda forger: forger.token({"alg": "HS384"}, digest="HS384"),
    "HS512 with our key": lambda forger: forger.token({"alg": "HS512"}, digest="HS512"),
    "HS512 by its name alone": lambda forger: forger.token({"alg": "HS512"}),
    "signed with nothing": lambda forger: forger.token(key=b""),
    "signed with the key's id": lambda forger: forger.token(key=b"k1"),
    "signed by another installation": lambda forger: forger.token(key=Signer("another secret").key("k1")),
    "a key of its own in the header": lambda forger: forger.token(
        {"jwk": {"kty": "oct", "k": encoded(b"mine")}}, key=b"mine"
    ),
    "a key from an address": lambda forger: forger.token({"jku": "http://127.0.0.1/keys"}, key=b"mine"),
    "a payload that is not encoded": lambda forger: forger.token({"b64": False, "crit": ["b64"]}),
    "an extension that must be understood": lambda forger: forger.token({"crit": ["exp"]}),
    "role edited": lambda forger: forger.edited(role="super_admin"),
    "person edited": lambda forger: forger.edited(sub="999"),
    "time edited": lambda forger: forger.edited(exp=now() + 10**6),
    "role escalated and signed": lambda forger: forger.token(role="super_admin"),
    "role unknown": lambda forger: forger.token(role="owner"),
    "role missing": lambda forger: forger.token(role=...),
    "role a list": lambda forger: forger.token(role=["learner"]),
    "issuer wrong": lambda forger: forger.token(iss="somebody"),
    "issuer missing": lambda forger: forger.token(iss=...),
    "issuer a list": lambda forger: forger.token(iss=["lms-graphql"]),
    "audience wrong": lambda forger: forger.token(aud="another-service"),
    "audience missing": lambda forger: forger.token(aud=...),
    "type wrong": lambda forger: forger.token({"typ": "JWT"}),
    "type missing": lambda forger: forger.token({"typ": ...}),
    "kid that was never made": lambda forger: forger.token({"kid": "k999"}, key=forger.signer.key("k999")),
    "kid that is a statement": lambda forger: forger.token({"kid": "k1' OR '1'='1"}),
    "kid that is a path": lambda forger: forger.token({"kid": "../../../../dev/null"}, key=b""),
    "kid a number": lambda forger: forger.token({"kid": 1}),
    "kid with a line's end": lambda forger: forger.token({"kid": "k1\n"}, key=forger.signer.key("k1\n")),
    "kid in capitals": lambda forger: forger.token({"kid": "K1"}, key=forger.signer.key("K1")),
    "kid missing": lambda forger: forger.token({"kid": ...}),
    "kid null": lambda forger: forger.token({"kid": None}),
    "expired": lambda forger: forger.token(exp=now() - 1),
    "expired long ago": lambda forger: forger.token(exp=0),
    "exp missing": lambda forger: forger.token(exp=...),
    "exp null": lambda forger: forger.token(exp=None),
    "exp a word": lambda forger: forger.token(exp="never"),
    "exp beyond all time": lambda forger: forger.token(exp=10**18, iat=10**18),
    "issued in the future": lambda forger: forger.token(iat=now() + 300),
    "issued at a word": lambda forger: forger.token(iat="today"),
    "iat missing": lambda forger: forger.token(iat=...),
    "not before tomorrow": lambda forger: forger.token(nbf=now() + 86_400),
    "sub a word": lambda forger: forger.token(sub="admin"),
    "sub a number": lambda forger: forger.token(sub=forger.person),
    "sub negative": lambda forger: forger.token(sub="-1"),
    "sub huge": lambda forger: forger.token(sub="9" * 30),
    "sub a list": lambda forger: forger.token(sub=["1"]),
    "sub missing": lambda forger: forger.token(sub=...),
    "sid a word": lambda forger: forger.token(sid="mine"),
    "sid a list": lambda forger: forger.token(sid=["1"]),
    "sid negative": lambda forger: forger.token(sid="-1"),
    "sid huge": lambda forger: forger.token(sid="9" * 1_000),
    "sid a number": lambda forger: forger.token(sid=forger.session),
    "sid with a fraction": lambda forger: forger.token(sid=forger.session + 0.5),
    "sid missing": lambda forger: forger.token(sid=...),
    "another person's session": lambda forger: forger.token(sid=str(forger.stranger_session)),
    "truncated by a letter": lambda forger: forger.good[:-1],
    "truncated to a half": lambda forger: forger.good[: len(forger.good) // 2],
    "without its signature": lambda forger: f"{forger.head}.{forger.body}.",
    "two parts": lambda forger: f"{forger.head}.{forger.body}",
    "padded": lambda forger: f"{forger.good}=",
    "padded twice": lambda forger: f"{forger.good}==",
    "padded inside": lambda forger: f"{forger.head}=.{forger.body}.{forger.signature}",
    "with letters that decoders skip": lambda forger: f"{forger.good}!!!!",
    "the same bytes in another spelling": other_spelling,
    "a space inside": lambda forger: f"{forger.head}. {forger.body}.{forger.signature}",
    "a space in the signature": lambda forger: f"{forger.good[:-4]} {forger.good[-4:]}",
    "two tokens": lambda forger: f"{forger.good} {forger.good}",
    "two with a comma": lambda forger: f"{forger.good}, Bearer {forger.good}",
    "in quotes": lambda forger: f'"{forger.good}"',
    "dots": lambda _: "..",
    "five kilobytes": lambda forger: forger.good + "A" * 5_000,
    "five kilobytes, signed": lambda forger: forger.token(more="A" * 5_000),
    "bytes beyond ASCII": lambda _: b"\xff\xfe\xe2\x82\xac",
    "a hard space before": lambda forger: b"\xa0" + forger.good.encode(),
    "a hard space behind": lambda forger: forger.good.encode() + b"\xa0",
    "encrypted": lambda forger: ".".join(
        [encoded(b'{"alg":"dir","enc":"A256GCM","kid":"k1"}'), "", "aaaa", "bb", "cc"]
    ),
    "deeply nested": lambda forger: f"{encoded(b'[' * 900)}.{forger.body}.{forger.signature}",
    "no object": lambda forger: f"{encoded(b'12')}.{forger.body}.{forger.signature}",
}


@pytest.fixture
def reception(service: Service) -> Reception:
    return Reception(service.database, service.resources.settings, service.resources.signer)


@pytest.fixture
def person(make: Factories) -> User:
    return make.user()


@pytest.fixture
def good(reception: Reception, person: User) -> str:
    return reception.sign_in(person).access_token


@pytest.fixture
def forger(reception: Reception, make: Factories, good: str) -> Forger:
    stranger = reception.sign_in(make.user()).access_token.split(".")[1]
    return Forger(good, reception.desk.signer, int(opened(stranger)["sid"]))


def answer_to(client: Client, header: Any, document: str = QUERY) -> tuple[int, bytes]:
    response = client.post({"query": document}, headers=[("authorization", header)])
    return response.status_code, response.content


def is_refused(client: Client, header: Any) -> bool:
    """As every other: what is wrong with it, or how near it came, shows nowhere."""
    usual = answer_to(client, "Bearer x")
    body = orjson.loads(usual[1])
    assert (usual[0], body.keys()) == (401, {"errors"})
    assert [error["extensions"] for error in body["errors"]] == [{"code": "UNAUTHENTICATED"}]
    return answer_to(client, header) == usual and answer_to(client, header, MUTATION) == usual


def is_good(client: Client, header: Any) -> bool:
    status, body = answer_to(client, header)
    return status == 200 and orjson.loads(body)["data"]["me"] is not None


def test_a_forged_token_is_nobodys(client: Client, forger: Forger) -> None:
    taken = []
    for name, forge in FORGERIES.items():
        forged = forge(forger)
        header = b"Bearer " + (forged if isinstance(forged, bytes) else forged.encode())
        if not is_refused(client, header):
            taken.append(name)
    assert taken == []
    assert is_good(client, f"Bearer {forger.good}")


def test_a_good_token_is_good_after_the_word_bearer_alone(client: Client, good: str, person: User) -> None:
    for before in ("", "Basic ", "Token ", "JWT ", "Bearer", "Bearer:", "Bearer,", "Bearer\t", "DPoP "):
        assert is_refused(client, before + good), before
    for without in ("Bearer", "bearer", "", "x", ",", "Basic " + encoded(f"{person.email}:password".encode())):
        assert is_refused(client, without), without


def test_a_good_token_works_in_every_spelling_of_the_scheme(client: Client, good: str) -> None:
    for scheme in ("Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "):
        assert is_good(client, f"{scheme} {good}"), scheme


def test_two_headers_are_refused_though_both_are_good(client: Client, good: str) -> None:
    for second in (f"Bearer {good}", "Bearer x", ""):
        headers = [("authorization", f"Bearer {good}"), ("authorization", second)]
        assert client.post({"query": QUERY}, headers=headers).status_code == 401


def signed_out(reception: Reception, _: Actor, person: User) -> None:
    reception.database.write_sync(lambda session: sessions.end_all_sessions(session, person.id))


def suspended(reception: Reception, admin: Actor, person: User) -> None:
    global_id = global_ids.encode("User", person.id)
    reception.database.write_sync(lambda session: users.suspend_user(session, admin, global_id))


def deleted(reception: Reception, admin: Actor, person: User) -> None:
    global_id = global_ids.encode("User", person.id)
    reception.database.write_sync(lambda session: users.delete_user(session, admin, global_id))


def promoted(reception: Reception, admin: Actor, person: User) -> None:
    global_id = global_ids.encode("User", person.id)
    reception.database.write_sync(lambda session: users.set_user_role(session, admin, global_id, Role.INSTRUCTOR))


def with_a_new_password(reception: Reception, _: Actor, person: User) -> None:
    known = credentials.PasswordCheck(person.id, person.password_hash, "")
    actor = Actor(person.id, person.role)
    change = credentials.change_password
    reception.database.write_sync(lambda session: change(session, actor, reception.desk, known, "new"))


@pytest.mark.parametrize("end", [signed_out, suspended, deleted, promoted, with_a_new_password])
def test_a_token_from_before_is_over(
    client: Client, make: Factories, reception: Reception, person: User, good: str, end: Callable[..., None]
) -> None:
    assert is_good(client, f"Bearer {good}")
    end(reception, Actor(make.user(Role.SUPER_ADMIN).id, Role.SUPER_ADMIN), person)
    assert is_refused(client, f"Bearer {good}")


def test_a_logout_ends_the_token(client: Client, reception: Reception, person: User) -> None:
    session = reception.sign_in(person)
    logout = "mutation ($token: String!) { logout(input: {refreshToken: $token}) { ok } }"
    assert client.execute(logout, token=session.refresh_token)["logout"]["ok"]
    assert is_refused(client, f"Bearer {session.access_token}")


def test_what_a_key_signed_before_it_was_retired_stays_good(client: Client, reception: Reception, good: str) -> None:
    reception.database.write_sync(sessions.rotate_keys)
    assert is_good(client, f"Bearer {good}")


def test_what_a_key_signs_after_it_was_retired_is_forged(
    client: Client, reception: Reception, forger: Forger
) -> None:
    """Whoever has an old key may not make new tokens with it."""
    reception.database.write_sync(sessions.rotate_keys)
    long_ago = update(SigningKey).where(SigningKey.key_id == "k1").values(retired_at=clock.now() - timedelta(hours=1))
    reception.database.write_sync(lambda session: session.execute(long_ago) and None)
    assert is_refused(client, f"Bearer {forger.token()}")
