"""Schema conventions, checked by graphql-eslint. Relay's compiler checks others in `tests/clients`."""

import json

import pytest

from tests import node

pytestmark = pytest.mark.slow

ROOT = node.FOLDER.parents[1]


def test_schema_passes_graphql_eslint() -> None:
    result = node.run(
        "eslint", "--config", "tests/clients/eslint.config.js", "--format", "json", "schema.graphql", cwd=ROOT
    )
    assert result.returncode in {0, 1}, result.stderr
    (schema,) = json.loads(result.stdout)  # an ignored file is in the report, too, with a warning
    problems = [f"{message['line']}: {message['message']} ({message['ruleId']})" for message in schema["messages"]]
    assert problems == []
