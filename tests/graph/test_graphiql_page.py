"""The choice between the GraphiQL page and the API, and the headers and files of both kinds of page."""

from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from secrets import token_hex

import pytest

from lms_graphql import graphiql, settings
from lms_graphql.operations import migrations
from lms_graphql.operations.database_access import open_database
from tests.live_service import Client, run_service

pytestmark = pytest.mark.sqlite_only

OF_BROWSERS = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (OF_BROWSERS, True),
        ("TEXT/HTML", True),
        ("application/json", False),
        ("application/graphql-response+json", False),
        ("application/json, text/html", False),
        ("*/*", False),
    ],
)
def test_link_with_document_runs_only_for_api_clients(client: Client, accept: str, is_page: bool) -> None:
    response = client.get("/graphql", params={"query": "{ __typename }"}, headers={"accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html") == is_page
    assert ('"__typename"' in response.text) != is_page
    assert "accept" in response.headers["vary"].split(", "), "caches must not mix page and data"


class Elements(HTMLParser):
    """The scripts and styles of a page: their attributes, and the inline scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.external: list[dict[str, str | None]] = []
        self.inline_scripts: list[str] = []
        self._is_inline = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag in {"script", "link"} and attributes.keys() & {"src", "href"}:
            self.external.append(attributes)
        elif tag == "script":
            self.inline_scripts.append("")
        self._is_inline = tag == "script" and "src" not in attributes

    def handle_data(self, data: str) -> None:
        if self._is_inline:
            self.inline_scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._is_inline = False


def test_page_from_cdn_loads_only_pinned_files(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(graphiql, "BUILD_DIR", tmp_path)  # as if GraphiQL was not built
    response = client.get("/graphql", headers={"accept": OF_BROWSERS})
    elements = Elements(response.text)
    assert len(elements.external) == 4
    for attributes in elements.external:
        url = attributes.get("src") or attributes.get("href") or ""
        assert url.startswith("https://unpkg.com/")
        assert (attributes["integrity"] or "").startswith("sha384-")
        assert attributes["crossorigin"] == "anonymous"
    (script,) = elements.inline_scripts
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = response.headers["content-security-policy"]
    assert f"script-src 'sha256-{digest}' https://unpkg.com;" in policy
    assert "Node 20.19" in response.text


@pytest.mark.slow
def test_built_page_has_strict_content_security_policy(client: Client) -> None:
    response = client.get("/graphql", headers={"accept": "text/html"})
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy
    script = response.text.split('src="')[1].split('"')[0]
    asset = client.get(script)
    assert asset.status_code == 200
    assert "javascript" in asset.headers["content-type"]
    assert client.get("/graphiql/assets/none.js").status_code == 404


@pytest.mark.slow
def test_production_has_no_graphiql_and_no_introspection(tmp_path: Path) -> None:
    configuration = settings.load_settings(
        {"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db", "LMS_ENV": "production", "LMS_SECRET_KEY": token_hex()},
        Path("/nowhere"),
    )
    with open_database(configuration) as database:
        migrations.migrate(database.engine)
    with run_service(configuration) as service:
        client = Client(service)
        assert client.get("/graphql", headers={"accept": "text/html"}).status_code == 404
        link = client.get("/graphql", params={"query": "{ __typename }"}, headers={"accept": OF_BROWSERS})
        assert (link.status_code, link.headers["vary"]) == (404, "accept")
        assert set(client.error_codes("{ __schema { types { name } } }")) == {"GRAPHQL_VALIDATION_FAILED"}
        for document in ("{ categories { nam } }", "{ courses }", "{ category(slg: 1) { id } }"):
            assert "Did you mean" not in client.graphql(document)["errors"][0]["message"]
        assert client.execute("{ __typename }") == {"__typename": "Query"}
        client.close()
