"""Compressed responses: which encoding is chosen, from which size on, and the compressed copies of built files."""

from collections.abc import Iterator

import pytest

from lms_graphql import graphiql
from lms_graphql.settings import Settings
from tests.live_service import Client, run_service

pytestmark = pytest.mark.sqlite_only

LARGE = {"query": '{ __schema { types { name } } t: __type(name: "Course") { fields { name description } } }'}
SMALL = {"query": "{ __typename }"}


@pytest.fixture(scope="module")
def uncompressed_client(service_settings: Settings) -> Iterator[Client]:
    """Return a client of a service that does not compress."""
    with run_service(service_settings.model_copy(update={"compression_min_bytes": 0})) as service:
        client = Client(service)
        yield client
        client.close()


def _post(client: Client, accepted: str, body: dict[str, str] = LARGE) -> tuple[str | None, bytes, int]:
    """Return the encoding, the decoded content, and the number of bytes that were sent."""
    accept = "application/graphql-response+json"
    response = client.post(body, headers={"accept-encoding": accepted, "accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(accept)
    return response.headers.get("content-encoding"), response.content, int(response.headers["content-length"])


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("zstd", "zstd"),
        ("br", "br"),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("*", "zstd"),
    ],
)
def test_response_is_compressed_in_an_accepted_encoding(client: Client, accepted: str, encoding: str) -> None:
    _, plain, plain_size = _post(client, "identity")
    used, content, size = _post(client, accepted)
    assert used == encoding
    assert content == plain
    assert size < plain_size / 2


@pytest.mark.parametrize("accepted", ["identity", "deflate", "gzip;q=0", "snappy, x;q=a"])
def test_response_is_plain_if_no_encoding_is_accepted(client: Client, accepted: str) -> None:
    encoding, content, size = _post(client, accepted)
    assert encoding is None
    assert len(content) == size


def test_small_response_is_not_compressed(client: Client) -> None:
    assert _post(client, "zstd", SMALL)[0] is None


def test_caches_distinguish_encodings(client: Client) -> None:
    for accepted in ("zstd", "identity"):
        vary = client.post(LARGE, headers={"accept-encoding": accepted}).headers["vary"].lower()
        assert {name.strip() for name in vary.split(",")} >= {"accept", "authorization", "accept-encoding"}


def test_compression_can_be_turned_off(uncompressed_client: Client) -> None:
    assert _post(uncompressed_client, "zstd")[0] is None


@pytest.mark.slow  # the files are built with Node
@pytest.mark.parametrize(
    ("accepted", "encoding"), [("gzip, br", "br"), ("gzip", "gzip"), ("br;q=0.0, gzip", "gzip"), ("identity", None)]
)
def test_built_files_are_sent_as_compressed_copies(client: Client, accepted: str, encoding: str | None) -> None:
    script = max(graphiql.ASSETS_DIR.glob("*.js"), key=lambda path: path.stat().st_size)
    response = client.get(f"/graphiql/assets/{script.name}", headers={"accept-encoding": accepted})
    assert response.headers.get("content-encoding") == encoding
    assert response.content == script.read_bytes()
    assert response.headers["content-type"].startswith("text/javascript")
    assert "immutable" in response.headers["cache-control"]
    assert "accept-encoding" in response.headers["vary"].lower()
    suffix = {"br": ".br", "gzip": ".gz", None: ""}[encoding]
    assert int(response.headers["content-length"]) == script.with_name(script.name + suffix).stat().st_size


@pytest.mark.slow
def test_compressed_copy_is_validated_by_its_own_etag(client: Client) -> None:
    (script, *_) = graphiql.ASSETS_DIR.glob("*.js")
    path = f"/graphiql/assets/{script.name}"
    etags = {
        encoding: client.get(path, headers={"accept-encoding": encoding}).headers["etag"]
        for encoding in ("br", "gzip", "identity")
    }
    assert len(set(etags.values())) == len(etags)
    response = client.get(path, headers={"accept-encoding": "br", "if-none-match": etags["br"]})
    assert (response.status_code, response.content) == (304, b"")
