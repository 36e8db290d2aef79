"""The documents of the pages, as Apollo Client and urql send them."""

from functools import cache
from pathlib import Path

from graphql import parse, print_ast
from graphql.utilities import separate_operations

FOLDER = Path(__file__).parent / "documents"


@cache
def operations() -> dict[str, str]:
    """Return each operation of all pages with its fragments, by its name."""
    documents = [parse(path.read_text()) for path in sorted(FOLDER.glob("*.graphql"))]
    return {
        name: print_ast(operation)
        for document in documents
        for name, operation in separate_operations(document).items()
    }
