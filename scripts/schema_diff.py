#!/usr/bin/env python3
"""Schema diff: what `schema.graphql` changes for clients since a Git revision.

    .venv/bin/python scripts/schema_diff.py origin/main

Prints breaking and dangerous changes. Exits with 1 if a breaking change has no entry in CHANGELOG.md, or if a
deprecation names no day. The policy is in docs/api-guide.md, under "Changes of the schema".
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from graphql import GraphQLEnumType, GraphQLSchema, build_schema
from graphql.utilities import BreakingChangeType, DangerousChangeType, SchemaChange, find_schema_changes

SCHEMA, CHANGELOG = Path("schema.graphql"), Path("CHANGELOG.md")

UNRELEASED = re.compile(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BREAKING_ENTRY = re.compile(r"^- Breaking: .*\n(?:  .*\n)*", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
COORDINATE = re.compile(
    r"(?:Argument |A required argument |A required field |Field |Enum value |Directive |Standard scalar "
    r"|Repeatable flag was removed from )?(\S+?)\.?(?:\s|$)"
)
"""The schema coordinate in a description by graphql-core, such as `Course.price(currency:)`."""
DAY = re.compile(r"\b20\d\d-[01]\d-[0-3]\d\b")


def coordinate_of(change: SchemaChange) -> str:
    match = COORDINATE.match(change.description)
    assert match is not None
    return match[1]


def announced_coordinates(changelog: str) -> set[str]:
    """Return the coordinates in the entries "Breaking:" under "Unreleased"."""
    unreleased = UNRELEASED.search(changelog)
    entries = BREAKING_ENTRY.findall(unreleased[1]) if unreleased else []
    return {code for entry in entries for code in CODE.findall(entry)}


def deprecations(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Yield the coordinate and the reason of each deprecated field, argument, input field and enum value."""
    for type_name, type_ in schema.type_map.items():
        members = type_.values if isinstance(type_, GraphQLEnumType) else getattr(type_, "fields", {})
        for name, member in members.items():
            arguments = getattr(member, "args", {})
            elements = {"": member, **{f"({argument}:)": value for argument, value in arguments.items()}}
            for suffix, element in elements.items():
                if element.deprecation_reason is not None:
                    yield f"{type_name}.{name}{suffix}", element.deprecation_reason


def problems(changes: list[SchemaChange], schema: GraphQLSchema, changelog: str) -> Iterator[str]:
    announced = announced_coordinates(changelog)
    for change in changes:
        if isinstance(change.type, BreakingChangeType) and (coordinate := coordinate_of(change)) not in announced:
            yield f"CHANGELOG.md: add an entry under Unreleased: - Breaking: `{coordinate}` …"
    for coordinate, reason in deprecations(schema):
        if not DAY.search(reason):
            yield f"{coordinate}: the reason of @deprecated needs the day of its removal, such as 2027-06-30."


def schema_at(revision: str) -> GraphQLSchema:
    command = ["git", "show", f"{revision}:{SCHEMA}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"The schema of {revision} cannot be read. {result.stderr.strip()}")
    return build_schema(result.stdout)


def main(revision: str) -> int:
    schema = build_schema(SCHEMA.read_text())
    changes = find_schema_changes(schema_at(revision), schema)
    for kind, title in ((BreakingChangeType, "Breaking"), (DangerousChangeType, "Dangerous")):
        for change in changes:
            if isinstance(change.type, kind):
                print(f"{title}: {change.description}")
    found = list(problems(changes, schema, CHANGELOG.read_text()))
    print("\n".join(found) if found else f"The schema keeps its promises since {revision}.")
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: schema_diff.py REVISION")
    sys.exit(main(sys.argv[1]))
