"""The commands `lms-graphql documents load`, `list` and `remove`, and the manifests of clients' tools."""

import json
from typing import Any

import pytest

from lms_graphql.core.errors import OperatorError
from lms_graphql.stored_documents.manifests import read_manifest
from tests.cli import RunCli, assert_one_line_error, row_count

QUERY = "query Catalog { categories { id } }"
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": "a1", "name": "Catalog", "type": "query", "body": QUERY}],
}


@pytest.mark.parametrize(
    "manifest",
    [APOLLO, {"a1": QUERY}, {"sha256:a1": QUERY}, {**APOLLO, "operations": APOLLO["operations"] * 2}],  # type: ignore[operator]
)
def test_manifests_of_clients_are_read(manifest: Any) -> None:
    assert read_manifest(json.dumps(manifest).encode()) == {"a1": QUERY}


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "no documents"),
        ('{"a": 1}', "has no text"),
        ('{"": "{ a }"}', "has no id"),
        ('{"a": "{ a }", "sha256:a": "{ b }"}', "two documents with the id a"),
        ('{"' + "a" * 300 + '": "{ a }"}', "more than 200 characters"),
        ('{"format": "other", "operations": []}', "Apollo's manifest needs"),
        ('{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}', "Apollo's manifest needs"),
        ('{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [1]}', "must be an object"),
    ],
)
def test_malformed_manifest_is_rejected(manifest: str, message: str) -> None:
    with pytest.raises(OperatorError, match=message):
        read_manifest(manifest.encode())


@pytest.mark.slow
def test_documents_are_loaded_listed_and_removed(run: RunCli, empty_database: str, tmp_path: Any) -> None:
    assert run("db", "migrate").exit_code == 0
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(APOLLO))
    load = ("documents", "load", str(file), "--client", "web")
    assert run(*load).stdout == "1 documents stored, 0 were stored before.\n"
    assert run(*load).stdout == "0 documents stored, 1 were stored before.\n"
    assert "web: 1 documents" in run("documents", "list").stdout
    file.write_text(json.dumps({"a1": "{ categories { name } }"}))
    assert_one_line_error(run("documents", "load", str(file)), "a1", "belongs to another document")
    file.write_text(json.dumps({"b1": QUERY, "b2": "{ nothing }"}))
    invalid = run("documents", "load", str(file))
    assert (invalid.exit_code, row_count(empty_database, "stored_documents")) == (1, 1)
    assert "b2: Cannot query field 'nothing'" in invalid.stderr
    assert "1 documents removed." in run("documents", "remove", "--client", "web").stdout
    assert "No documents are stored." in run("documents", "list").stdout
