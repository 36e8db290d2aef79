"""Errors for programs: each enum value has a description, each code stands in the guide, each bound is a number."""

import ast
import re
from collections.abc import Iterator

from graphql import GraphQLEnumType

from lms_graphql.core.errors import ErrorCode, RequestErrorCode
from lms_graphql.schema import schema
from tests.documents.markdown import ROOT

CODES_WITH_LIMIT = {"TOO_SHORT", "TOO_LONG", "OUT_OF_RANGE", "LIMIT_REACHED"}
ROW = re.compile(r"^\| `(?P<code>[A-Z_]+)` \| (?P<place>[a-z, -]+) \|(?P<cells>.*)\|$", re.M)


def test_each_enum_value_has_a_description() -> None:
    enums = [
        graphql_type
        for name, graphql_type in schema.graphql_schema.type_map.items()
        if isinstance(graphql_type, GraphQLEnumType) and not name.startswith("__")
    ]
    assert {"ErrorCode", "LockReason"} < {enum.name for enum in enums}
    missing = [
        f"{enum.name}.{name}" for enum in enums for name, value in enum.values.items() if not value.description
    ]
    assert [*missing, *(enum.name for enum in enums if not enum.description)] == []


def test_guide_has_one_table_of_all_codes() -> None:
    guide = (ROOT / "docs" / "api-guide.md").read_text()
    section = guide.split("\n## Errors\n")[1].split("\n## ")[0]
    rows = [(row["code"], row["place"], row["cells"].split(" | ")) for row in ROW.finditer(section)]
    top_level, payload = {code.value for code in RequestErrorCode}, {code.value for code in ErrorCode}
    expected = dict.fromkeys(payload - top_level, "payload")
    expected |= dict.fromkeys(top_level - payload, "top-level")
    expected |= dict.fromkeys(top_level & payload, "payload, top-level")
    assert sorted((code, place) for code, place, _ in rows) == sorted(expected.items())
    for code, _, cells in rows:
        assert len(cells) == 3, f"{code}: HTTP status, meaning, and what a client does"
        assert all(cell.strip() for cell in cells), code


def test_each_error_of_a_bound_names_its_limit() -> None:
    """`limit=None` is for bounds that are no numbers, such as now."""
    errors = list(_calls_without_limit())
    assert errors == [], "Add `limit=`, the highest or lowest value that is allowed."


def _calls_without_limit() -> Iterator[str]:
    for path in sorted((ROOT / "lms_graphql").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and "limit" not in {keyword.arg for keyword in node.keywords}:
                names = {argument.attr for argument in node.args if isinstance(argument, ast.Attribute)}
                if names & CODES_WITH_LIMIT:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}"
