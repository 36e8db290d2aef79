"""Public responses: stored queries by GET of anonymous viewers, which browsers and CDNs may cache."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import httpx
import pytest

from lms_graphql.app import document_limits
from lms_graphql.graph.documents import DocumentCache
from lms_graphql.graph.http.public_responses import MAX_VARIABLES_BYTES, PublicResponses
from lms_graphql.public_fields import PUBLIC_FIELDS
from lms_graphql.schema import schema
from lms_graphql.settings import Settings
from lms_graphql.stored_documents.services.loading import store_documents
from tests.access_matrix.matrix import AUDIENCES, VISIBLE
from tests.access_matrix.paths import is_structural
from tests.factories import CourseTree, Factories
from tests.live_service import Client, Service, run_service
from tests.statement_events import listen_to_statements

COURSE = """
query Course($slug: String!) {
  course(slug: $slug) { __typename title ...Parts instructor { fullName } category { name } }
  courses(first: 5) { nodes { slug price { amount } } pageInfo { hasNextPage } }
}
fragment Parts on Course { sections { title lectures { title isPreview } } }
"""
DOCUMENTS = {
    "course": COURSE,
    "viewer": "query V($slug: String!) { course(slug: $slug) { title viewerCanEdit } }",
    "permission": "query P($slug: String!) { course(slug: $slug) { title analytics { id } } }",
    "content": "query C($slug: String!) { course(slug: $slug) { sections { lectures { content { body } } } } }",
    "fragment": "query F { courses { nodes { ...Q } } } fragment Q on Course { qaQuestions { totalCount } }",
    "me": "{ me { id } }",
    "node": 'query N { node(id: "Q291cnNlOjE") { id } }',
    "introspection": "{ __schema { queryType { name } } categories { id } }",
}
PUBLIC = "public, max-age=60, stale-while-revalidate=60"


@pytest.fixture
def course(service: Service, make: Factories) -> CourseTree:
    """Store the documents and a published course."""
    service.database.write_sync(partial(store_documents, client="web", texts=DOCUMENTS))
    return make.course("Piano", slug="piano", lectures=1)


@contextmanager
def client_with(settings: Settings, **changes: object) -> Iterator[tuple[Service, Client]]:
    with run_service(settings.model_copy(update=changes)) as service:
        client = Client(service)
        yield service, client
        client.close()


@pytest.fixture
def cached(service_settings: Settings) -> Iterator[tuple[Service, Client]]:
    """Return a service whose cache is empty, and a client."""
    with client_with(service_settings) as served:
        yield served


def get(client: Client, document_id: str, slug: str = "piano", **headers: str) -> httpx.Response:
    parameters = {"documentId": document_id, "variables": json.dumps({"slug": slug})}
    return client.get(
        "/graphql", params=parameters, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def test_public_response_is_cached_and_validated_without_statements(
    cached: tuple[Service, Client], course: CourseTree
) -> None:
    service, client = cached
    first = get(client, "course")
    assert first.json()["data"]["course"]["sections"][0]["lectures"] == [
        {"title": course.lectures[0].title, "isPreview": True}
    ]
    assert (first.headers["cache-control"], first.headers["age"]) == (PUBLIC, "0")
    assert {"accept", "authorization"} <= {name.strip() for name in first.headers["vary"].lower().split(",")}
    statements: list[str] = []
    engines = [service.database.read_engine]
    with listen_to_statements(engines, lambda _connection, text, _values: statements.append(text)):
        again = get(client, "course")
        validated = get(client, "course", if_none_match=f'"other", {first.headers["etag"]}')
        changed = get(client, "course", if_none_match='W/"other"')
    assert statements == []
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert (validated.status_code, validated.content) == (304, b"")
    assert (validated.headers["etag"], validated.headers["cache-control"]) == (first.headers["etag"], PUBLIC)
    assert changed.status_code == 200


@pytest.mark.sqlite_only
def test_validated_response_has_the_same_vary_header(cached: tuple[Service, Client], course: CourseTree) -> None:
    first = get(cached[1], "course")
    validated = get(cached[1], "course", if_none_match=first.headers["etag"])
    names = [
        {name.strip().lower() for name in response.headers["vary"].split(",")} for response in (first, validated)
    ]
    assert names[0] == names[1] >= {"accept", "accept-encoding", "authorization"}


@pytest.mark.sqlite_only
def test_media_types_have_different_etags(cached: tuple[Service, Client], course: CourseTree) -> None:
    first = get(cached[1], "course", accept="application/json")
    other = get(cached[1], "course", accept="application/graphql-response+json", if_none_match=first.headers["etag"])
    assert (other.status_code, other.content) == (200, first.content)
    assert other.headers["content-type"].startswith("application/graphql-response+json")


@pytest.mark.sqlite_only
def test_response_with_deep_variables_is_private(service_settings: Settings, course: CourseTree) -> None:
    variables = '{"slug": "piano", "deep": ' + "[" * 300 + "]" * 300 + "}"
    with client_with(service_settings, limit_json_depth=500) as (_, client):
        response = client.get("/graphql", params={"documentId": "course", "variables": variables})
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")


@pytest.mark.sqlite_only
@pytest.mark.parametrize("document_id", sorted(DOCUMENTS.keys() - {"course"}))
def test_response_with_another_field_is_private(
    cached: tuple[Service, Client], course: CourseTree, document_id: str
) -> None:
    for _ in range(2):
        response = get(cached[1], document_id)
        assert response.headers["cache-control"] == "no-store"
        assert "etag" not in response.headers


@pytest.mark.sqlite_only
def test_only_anonymous_get_requests_for_stored_documents_are_public(
    cached: tuple[Service, Client], course: CourseTree
) -> None:
    _, client = cached
    assert get(client, "course").headers["cache-control"] == PUBLIC
    body = {"documentId": "course", "variables": {"slug": "piano"}}
    in_url = {"query": COURSE, "variables": json.dumps({"slug": "piano"})}
    others = [
        client.post(body),
        client.get("/graphql", params=in_url),
        get(client, "course", authorization="Bearer nonsense"),
        get(client, "course", slug="x" * MAX_VARIABLES_BYTES),
        client.get("/graphql", params={"documentId": "course"}),
    ]
    assert {response.headers["cache-control"] for response in others} == {"no-store"}


def test_change_is_seen_when_the_response_has_expired(
    service_settings: Settings, service: Service, course: CourseTree
) -> None:
    with client_with(service_settings, public_cache_seconds=1) as (_, client):
        first = get(client, "course")
        with service.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE courses SET status = 'draft'")
        deadline = time.monotonic() + 10
        while (later := get(client, "course")).headers["etag"] == first.headers["etag"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert later.json()["data"] == {"course": None, "courses": {"nodes": [], "pageInfo": {"hasNextPage": False}}}


@pytest.mark.sqlite_only
def test_public_responses_can_be_turned_off(service_settings: Settings, course: CourseTree) -> None:
    with client_with(service_settings, public_cache_seconds=0) as (_, client):
        assert get(client, "course").headers["cache-control"] == "no-store"


@pytest.mark.sqlite_only
def test_public_responses_are_bounded(service_settings: Settings) -> None:
    responses = PublicResponses(schema.graphql_schema, PUBLIC_FIELDS, 60, max_bytes=100_000)
    documents = DocumentCache(schema.graphql_schema, document_limits(service_settings))
    operation = documents.prepare("{ categories { id } }").operation(None)
    for number in range(500):
        key = (b"hash", None, str(number).encode(), "application/json")
        assert responses.store(key, operation, {"data": "x" * 500}) is not None
        assert responses.bytes <= 100_000
    assert responses.find((b"hash", None, b"0", "application/json")) is None
    assert responses.find((b"hash", None, b"499", "application/json")) is not None


@pytest.mark.sqlite_only
def test_public_fields_are_visible_to_everyone_who_sees_the_object() -> None:
    """The access matrix tests that these fields have the same audience on every path."""
    fields = {f"{kind}.{name}" for kind, names in PUBLIC_FIELDS.items() for name in names}
    structural = {field for field in fields if is_structural(schema.graphql_schema.type_map[field.split(".")[0]])}
    assert {field for field in fields - structural if AUDIENCES.get(field) != VISIBLE} == set()
    assert not [field for field in fields if field.split(".")[1].startswith("viewer")]
