"""Requests that name their document: stored documents, stored documents only, and automatic persisted queries."""

import hashlib
import json
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lms_graphql.core.actor import Role
from lms_graphql.graph.http.requested_documents import ENTRY_CHARACTERS, TextCache
from lms_graphql.settings import DocumentChoice, Settings, load_settings
from lms_graphql.stored_documents.services.loading import remove_documents, store_documents
from tests.factories import Factories
from tests.live_service import Client, Service, client_with, run_service
from tests.mariadb import free_port

QUERY = "query Stored($slug: String!) { category(slug: $slug) { name } }"
OTHER = "query Other { categories { name } }"
JSON_OF_GRAPHQL = "application/graphql-response+json"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def apq(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(text)}}


@pytest.fixture
def stored(service: Service, make: Factories) -> str:
    """Store the query and a category, and return the id of the query."""
    make.category(name="Music", slug="music")
    service.database.write_sync(lambda session: store_documents(session, "web", {sha256(QUERY): QUERY}))
    return sha256(QUERY)


def codes(body: Any) -> list[str]:
    return [error["extensions"]["code"] for error in body.get("errors", ())]


def test_stored_document_runs_by_its_id(client: Client, stored: str) -> None:
    expected = {"category": {"name": "Music"}}
    variables = {"slug": "music"}
    for form in (
        {"documentId": stored},
        {"documentId": f"sha256:{stored}"},
        {"extensions": apq(QUERY)},
    ):
        assert client.post({**form, "variables": variables}).json()["data"] == expected
        in_url = {name: value if isinstance(value, str) else json.dumps(value) for name, value in form.items()}
        response = client.get("/graphql", params={**in_url, "variables": json.dumps(variables)})
        assert response.json()["data"] == expected


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"documentId": "unknown"}, "PERSISTED_QUERY_NOT_FOUND"),
        ({"documentId": "unknown", "query": OTHER}, "BAD_USER_INPUT"),
        ({"documentId": 7}, "BAD_USER_INPUT"),
        ({"documentId": "x" * 300}, "BAD_USER_INPUT"),
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "abc"}}}, "BAD_USER_INPUT"),
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": ["a"]}}}, "BAD_USER_INPUT"),
        ({"documentId": "", "query": ""}, "BAD_USER_INPUT"),
    ],
)
def test_unknown_and_malformed_ids_are_rejected(client: Client, body: dict[str, Any], code: str) -> None:
    response = client.post(body, headers={"accept": JSON_OF_GRAPHQL})
    assert (response.status_code, codes(response.json())) == (400, [code])


def test_only_stored_documents_run_for_others_than_super_admins(
    service_settings: Settings, stored: str, make: Factories
) -> None:
    learner, admin = make.actor(make.user()), make.actor(make.user(Role.SUPER_ADMIN))
    with client_with(service_settings, documents=DocumentChoice.STORED) as client:
        assert client.graphql(QUERY, slug="music")["data"] == {"category": {"name": "Music"}}
        for viewer in (None, learner):
            assert client.error_codes(OTHER, as_=viewer) == ["DOCUMENT_NOT_STORED"]
            assert client.error_codes(QUERY + " ", as_=viewer, slug="music") == ["DOCUMENT_NOT_STORED"]
        assert client.execute(OTHER, as_=admin) == {"categories": [{"name": "Music"}]}
        assert client.post({"documentId": stored, "variables": {"slug": "music"}}).json()["data"]
        rejected = client.post({"query": OTHER, "extensions": apq(OTHER)})
        assert codes(rejected.json()) == ["DOCUMENT_NOT_STORED"]
        assert codes(client.post({"extensions": apq(OTHER)}).json()) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.sqlite_only
def test_automatic_persisted_query_runs_by_its_hash_after_it_was_sent(
    service_settings: Settings, service: Service
) -> None:
    with client_with(service_settings, automatic_persisted_queries=True) as client:
        missing = client.post({"extensions": apq(OTHER)})
        assert (missing.status_code, missing.json()["errors"][0]["message"]) == (200, "PersistedQueryNotFound")
        assert codes(missing.json()) == ["PERSISTED_QUERY_NOT_FOUND"]
        assert client.post({"query": OTHER, "extensions": apq(OTHER)}).json()["data"] == {"categories": []}
        assert client.post({"extensions": apq(OTHER)}).json()["data"] == {"categories": []}
        wrong = client.post({"query": OTHER, "extensions": apq(QUERY)})
        assert (wrong.status_code, codes(wrong.json())) == (400, ["BAD_USER_INPUT"])


@pytest.mark.sqlite_only
def test_texts_in_memory_are_bounded_and_expire() -> None:
    texts = TextCache(seconds=1000, max_characters=10 * (100 + ENTRY_CHARACTERS))
    for number in range(100):
        texts.store(str(number), "x" * 100)
        texts.get("0")
    assert texts.characters == 10 * (100 + ENTRY_CHARACTERS)
    assert [number for number in range(100) if texts.get(str(number))] == [0, *range(91, 100)]
    texts.store("large", "x" * 10_000)
    assert (texts.characters, texts.get("large")) == (0, None)
    for number in range(100):
        texts.store(str(number), "")
    assert len(texts._texts) <= 12
    expired = TextCache(seconds=0)
    expired.store("a", "x")
    assert (expired.get("a"), expired.characters) == (None, 0)


@pytest.mark.sqlite_only
def test_removed_document_is_unknown(service: Service, client: Client) -> None:
    service.database.write_sync(lambda session: store_documents(session, "web", {"old": QUERY, "older": QUERY}))
    assert service.database.write_sync(lambda session: remove_documents(session, "web")) == 2
    assert codes(client.post({"documentId": "old"}).json()) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.sqlite_only
def test_document_stays_until_its_last_client_is_removed(service: Service, client: Client, make: Factories) -> None:
    make.category(name="Music", slug="music")
    for version in ("web-1", "web-2"):
        service.database.write_sync(partial(store_documents, client=version, texts={"shared": QUERY}))
    service.database.write_sync(lambda session: remove_documents(session, "web-1"))
    body = {"documentId": "shared", "variables": {"slug": "music"}}
    assert client.post(body).json()["data"] == {"category": {"name": "Music"}}


@pytest.mark.sqlite_only
def test_request_by_id_is_unavailable_without_database() -> None:
    environment = {"LMS_DATABASE_URL": f"mysql+pymysql://lms:lms@127.0.0.1:{free_port()}/lms"}
    settings = load_settings(environment, dotenv=Path("/nowhere"))
    with client_with(settings, documents=DocumentChoice.STORED) as client:
        for body in ({"documentId": "a"}, {"query": OTHER}):
            response = client.post(body, headers={"accept": JSON_OF_GRAPHQL})
            assert (response.status_code, codes(response.json())) == (503, ["UNAVAILABLE"])
            assert response.headers["retry-after"] == "1"


@pytest.mark.sqlite_only
def test_lookup_of_document_has_time_limit(service_settings: Settings, stored: str) -> None:
    settings = service_settings.model_copy(update={"limit_seconds": 1, "limit_queue_milliseconds": 60_000})
    with run_service(settings) as service:
        client, stopped = Client(service), threading.Event()
        for _ in range(service.database._reads.count):
            service.database._reads._threads.submit(stopped.wait, 20)
        try:
            response = client.post({"documentId": stored, "variables": {"slug": "music"}})
        finally:
            stopped.set()
        assert (response.status_code, codes(response.json())) == (503, ["UNAVAILABLE"])
        client.close()
