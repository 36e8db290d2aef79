"""Operations with a bad or expired access token: most fail with 401, those of sessions and credentials ignore it."""

import pytest

from lms_graphql.accounts.access_tokens import Claims, encode_token
from lms_graphql.core import clock
from lms_graphql.graph.documents import TOKENLESS_MUTATIONS
from lms_graphql.schema import schema
from tests.accounts import session_client
from tests.accounts.session_client import LOGOUT_EVERYWHERE, ME, REFRESH, error_code, new_session, refresh
from tests.auth import SessionIssuer
from tests.factories import PASSWORD, Factories
from tests.live_service import Client, Service

LOGIN = 'login(input: {email: "nobody@example.com", password: "wrong password"}) { errors { code } }'
LOGOUT = 'logout(input: {refreshToken: "x"}) { errors { code } }'
VERIFY = 'verifyEmail(input: {token: "x"}) { errors { code } }'
PROFILE = 'updateProfile(input: {bio: "x"}) { errors { code } }'
IGNORES_TOKEN = {
    "login": f"mutation {{ {LOGIN} }}",
    "logout": f"mutation {{ {LOGOUT} }}",
    "verify email": f"mutation {{ {VERIFY} }}",
    "confirm email change": 'mutation { confirmEmailChange(input: {token: "x"}) { errors { code } } }',
    "refresh": 'mutation { refreshSession(input: {refreshToken: "x"}) { errors { code } } }',
    "register": """mutation { register(input: {email: "", username: "", password: "", firstName: "", lastName: ""}) {
      errors { code } } }""",
    "request reset": 'mutation { requestPasswordReset(input: {email: "x@example.com"}) { errors { code } } }',
    "reset": 'mutation { resetPassword(input: {token: "x", newPassword: "x"}) { errors { code } } }',
    "several with alias": f"mutation {{ __typename one: {LOGOUT} {VERIFY} }}",
    "fragments": f"mutation {{ ...F }} fragment F on Mutation {{ ...G ... {{ {LOGOUT} }} }} "
    f"fragment G on Mutation {{ {VERIFY} }}",
}
NEEDS_VALID_TOKEN = {
    "query": ME,
    "public query": "{ categories { id } }",
    "type name": "{ __typename }",
    "type name of mutations": "mutation { __typename }",
    "other mutation": LOGOUT_EVERYWHERE,
    "together with another mutation": f"mutation {{ {LOGIN} {PROFILE} }}",
    "other mutation in a fragment": f"mutation {{ {LOGIN} ...F }} fragment F on Mutation {{ ... {{ {PROFILE} }} }}",
    "other mutation as alias": f"mutation {{ login: {PROFILE} }}",
    "skipped mutation": f"mutation {{ {LOGIN} ... @skip(if: true) {{ {PROFILE} }} }}",
    "syntax error": f"mutation {{ {LOGIN} ",
    "unknown field": "mutation { loginn }",
    "two operations without name": f"mutation A {{ {LOGIN} }} mutation B {{ {LOGIN} }}",
}
BAD_HEADERS = {
    "malformed": "Bearer x.y.z",
    "other scheme": "Basic bmFtZTpwYXNzd29yZA==",
}


@pytest.mark.sqlite_only
@pytest.mark.parametrize("document", IGNORES_TOKEN.values(), ids=IGNORES_TOKEN)
def test_bad_token_is_ignored(client: Client, document: str) -> None:
    response = client.post({"query": document}, headers={"authorization": "Bearer x.y.z"})
    assert response.status_code == 200
    assert response.json()["data"] is not None
    assert "UNAUTHENTICATED" not in response.text


@pytest.mark.sqlite_only
@pytest.mark.parametrize("document", NEEDS_VALID_TOKEN.values(), ids=NEEDS_VALID_TOKEN)
def test_bad_token_fails_whole_document(client: Client, document: str) -> None:
    response = client.post({"query": document}, headers={"authorization": "Bearer x.y.z"})
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "data" not in response.json()


@pytest.mark.parametrize("header", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_every_kind_of_bad_token_is_ignored(client: Client, header: str) -> None:
    for document, status in ((f"mutation {{ {LOGIN} }}", 200), (ME, 401)):
        response = client.post({"query": document}, headers={"authorization": header})
        assert response.status_code == status


def test_operation_name_selects_what_needs_a_token(client: Client) -> None:
    document = f"query Me {ME} mutation Login {{ {LOGIN} }}"
    for name, status in (("Login", 200), ("Me", 401), ("Other", 401)):
        body = {"query": document, "operationName": name}
        assert client.post(body, headers={"authorization": "Bearer x.y.z"}).status_code == status


def test_session_is_refreshed_with_expired_access_token(client: Client, service: Service, make: Factories) -> None:
    resources = service.resources
    user = make.user_with_password()
    issued = SessionIssuer(service.database, resources.settings, resources.signer).sign_in(user)
    assert issued.actor.session_key is not None
    claims = Claims(user.id, issued.actor.session_key, user.role, "k1", clock.now())
    expired, _ = encode_token(resources.signer, claims, minutes=-1)
    assert client.post({"query": ME}, headers={"authorization": f"Bearer {expired}"}).status_code == 401
    payload = client.execute(REFRESH, bearer=expired, token=issued.refresh_token)["refreshSession"]
    assert payload["session"]["user"]["username"] == user.username


def test_user_logs_in_with_token_of_ended_session(client: Client, make: Factories) -> None:
    user = make.user_with_password()
    session = new_session(client, user)
    client.execute(LOGOUT_EVERYWHERE, bearer=session["accessToken"])
    input = {"email": user.email, "password": PASSWORD}
    data = client.execute(session_client.LOGIN, bearer=session["accessToken"], input=input)
    assert data["login"]["session"]["user"]["email"] == user.email
    assert error_code(refresh(client, session["refreshToken"])) == "INVALID_TOKEN"


def test_tokenless_mutations_exist() -> None:
    mutation_type = schema.graphql_schema.mutation_type
    assert mutation_type is not None
    assert set(mutation_type.fields) >= TOKENLESS_MUTATIONS
