"""Schema conventions, checked by graphql-eslint and by Relay's compiler."""

import json
import shutil
from pathlib import Path

import pytest

from tests import node

pytestmark = pytest.mark.slow

ROOT = node.FOLDER.parents[1]
RELAY = node.FOLDER / "relay"


def test_schema_passes_graphql_eslint() -> None:
    result = node.run(
        "eslint", "--config", "tests/clients/eslint.config.js", "--format", "json", "schema.graphql", cwd=ROOT
    )
    assert result.returncode in {0, 1}, result.stderr
    (schema,) = json.loads(result.stdout)  # an ignored file is in the report, too, with a warning
    problems = [f"{message['line']}: {message['message']} ({message['ruleId']})" for message in schema["messages"]]
    assert problems == []


def test_relay_paginates_from_the_root_and_from_a_node(tmp_path: Path) -> None:
    shutil.copy(ROOT / "schema.graphql", tmp_path)  # copied, because the compiler writes beside its sources
    sources = tmp_path / RELAY.relative_to(ROOT)
    shutil.copytree(RELAY, sources, ignore=shutil.ignore_patterns("__generated__"))
    result = node.run("relay-compiler", "relay.config.json", "--noWatchman", cwd=sources)
    assert result.returncode == 0, result.stdout + result.stderr
    root_query = (sources / "__generated__" / "CourseCatalogPaginationQuery.graphql.js").read_text()
    assert "courses(first: $count, after: $cursor" in root_query
    node_query = (sources / "__generated__" / "CourseCatalogShelfPaginationQuery.graphql.js").read_text()
    assert "node(id: $id)" in node_query
