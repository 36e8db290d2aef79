"""The documents of the pages: those of Apollo Client and urql, and those that Relay's compiler makes."""

import json
import re
from functools import cache
from pathlib import Path

from graphql import parse, print_ast
from graphql.utilities import concat_ast, separate_operations

from tests import node

SCHEMA = Path(__file__).parents[2] / "schema.graphql"
DOCUMENTS, RELAY_SOURCES = node.FOLDER / "documents", node.FOLDER / "relay"


@cache
def operations() -> dict[str, str]:
    """Return each operation of Apollo Client and urql with its fragments, by its name."""
    documents = [parse(path.read_text()) for path in sorted(DOCUMENTS.glob("*.graphql"))]
    separated = separate_operations(concat_ast(documents))
    return {name: print_ast(operation) for name, operation in separated.items()}


def compile_documents(folder: Path) -> Path:
    """Run Relay's compiler, and return the folder with its artifacts."""
    artifacts = folder / "artifacts"
    artifacts.mkdir()
    configuration = {
        "src": str(RELAY_SOURCES),
        "schema": str(SCHEMA),
        "artifactDirectory": str(artifacts),
        "language": "javascript",
        "eagerEsModules": False,
        "noSourceControl": True,
    }
    path = folder / "relay.config.json"
    path.write_text(json.dumps(configuration))
    result = node.run("relay-compiler", str(path), "--noWatchman")
    assert result.returncode == 0, result.stdout + result.stderr
    return artifacts


def relay_operations(artifacts: Path) -> dict[str, str]:
    """Return the text of each operation that Relay sends, by its name."""
    texts = {}
    for path in artifacts.glob("*.graphql.js"):
        if match := re.search(r'^    "text": (".*")$', path.read_text(), re.M):
            texts[path.name.removesuffix(".graphql.js")] = json.loads(match[1])
    return texts
