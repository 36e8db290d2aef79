"""The schema, as graphql-eslint and Relay's compiler see it."""

import json
import shutil
from pathlib import Path

import pytest

from tests import node

pytestmark = pytest.mark.slow

ROOT = node.HERE.parents[1]
RELAY = node.HERE / "relay"


def test_the_schema_keeps_graphql_eslints_rules() -> None:
    result = node.run(
        "eslint", "--config", "tests/node/eslint.config.mjs", "--format", "json", "schema.graphql", cwd=ROOT
    )
    assert result.returncode in {0, 1}, result.stderr
    (schema,) = json.loads(result.stdout)  # a file that eslint passes over is here too, with a warning
    faults = [f"{fault['line']}: {fault['message']} ({fault['ruleId']})" for fault in schema["messages"]]
    assert faults == []


def test_relay_compiles_a_catalog_and_pages_it_from_the_root_and_from_any_node(tmp_path: Path) -> None:
    shutil.copy(ROOT / "schema.graphql", tmp_path)  # all in a copy: the compiler writes beside its sources
    sources = tmp_path / RELAY.relative_to(ROOT)
    shutil.copytree(RELAY, sources, ignore=shutil.ignore_patterns("__generated__"))
    result = node.run("relay-compiler", "relay.config.json", "--noWatchman", cwd=sources)
    assert result.returncode == 0, result.stdout + result.stderr
    from_the_root = (sources / "__generated__" / "CourseCatalogPaginationQuery.graphql.js").read_text()
    assert "courses(first: $count, after: $cursor" in from_the_root
    from_a_node = (sources / "__generated__" / "CourseCatalogShelfPaginationQuery.graphql.js").read_text()
    assert "node(id: $id)" in from_a_node
