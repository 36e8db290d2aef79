"""Schema diff: a breaking change needs an entry in the changelog, and a deprecation needs the day of its removal."""

import subprocess
import sys
from pathlib import Path

import pytest
from graphql import build_schema
from graphql.utilities import BreakingChangeType, find_schema_changes

from scripts import schema_diff

SCRIPT = Path(schema_diff.__file__).resolve()
PREVIOUS = """
directive @cost(value: Int) repeatable on FIELD | QUERY
interface Node { id: ID! }
type Course implements Node { id: ID! title(locale: String): String! price(currency: String): Int }
type Lecture { id: ID! }
union Item = Course | Lecture
enum Level { EASY HARD }
input Filter { level: Level }
type Query { item: Item, courses(filter: Filter): [Course!]!, rating: Float, old: Kind }
scalar Kind
"""
CHANGED = """
directive @cost(value: Int, unit: String!) on FIELD
interface Node { id: ID! }
type Course { id: ID! title: String price(currency: Int, vat: Boolean!): Int }
type Lecture { id: ID! }
union Item = Course
enum Level { EASY }
input Filter { level: Level, term: String! }
type Query { item: Item, courses(filter: Filter): [Course!]! }
"""
COORDINATES = {
    "@cost", "@cost(unit:)", "QUERY", "Course", "Course.title", "Course.title(locale:)", "Course.price(currency:)",
    "Course.price(vat:)", "Lecture", "Level.HARD", "Filter.term", "Query.rating", "Query.old", "Kind", "Float",
}  # fmt: skip


def changelog(*entries: str, released: str = "") -> str:
    unreleased = "\n".join(f"- {entry}" for entry in entries)
    return f"# Changelog\n\n## [Unreleased]\n\n### Changed\n\n{unreleased}\n\n## [1.0.0]\n\n- {released}\n"


def problems(previous: str, current: str, changes: str = "") -> list[str]:
    schema = build_schema(current)
    return list(schema_diff.problems(find_schema_changes(build_schema(previous), schema), schema, changes))


def test_breaking_changes_are_named_by_coordinates() -> None:
    changes = find_schema_changes(build_schema(PREVIOUS), build_schema(CHANGED))
    breaking = [change for change in changes if isinstance(change.type, BreakingChangeType)]
    assert {schema_diff.coordinate_of(change) for change in breaking} == COORDINATES


@pytest.mark.parametrize(
    ("entry", "count"),
    [
        ("Breaking: `Query.rating` was removed.\n  Use `Query.item`.", 0),
        ("Breaking: `Query.item` and\n  `Query.rating` were removed.", 0),
        ("`Query.rating` was removed.", 1),
        ("Breaking: Query.rating was removed.", 1),
        ("Breaking: `Query.item` was removed.", 1),
    ],
)
def test_breaking_change_needs_an_entry_with_its_coordinate(entry: str, count: int) -> None:
    previous, current = "type Query { item: Int, rating: Int }", "type Query { item: Int }"
    found = problems(previous, current, changelog(entry))
    assert found == ["CHANGELOG.md: add an entry under Unreleased: - Breaking: `Query.rating` …"] * count


def test_entry_of_a_released_version_does_not_count() -> None:
    previous, current = "type Query { item: Int, rating: Int }", "type Query { item: Int }"
    assert problems(previous, current, changelog(released="Breaking: `Query.rating` was removed."))


def test_additions_need_no_entry() -> None:
    previous = "enum Level { EASY } type Query { levels(first: Int): [Level] }"
    current = "enum Level { EASY HARD } type Query { levels(first: Int, after: ID): [Level!]!, rating: Int }"
    assert problems(previous, current) == []


@pytest.mark.parametrize("reason", ["", '(reason: "Use `b`.")'])
@pytest.mark.parametrize(
    ("schema", "coordinate"),
    [
        ("type Query { a: Int @deprecated%s }", "Query.a"),
        ("type Query { b(a: Int @deprecated%s): Int }", "Query.b(a:)"),
        ("enum Level { A @deprecated%s } type Query { level: Level }", "Level.A"),
        ("input Filter { a: Int @deprecated%s } type Query { b(filter: Filter): Int }", "Filter.a"),
    ],
)
def test_deprecation_needs_the_day_of_removal(schema: str, coordinate: str, reason: str) -> None:
    without_day = schema % reason
    (problem,) = problems(without_day, without_day)
    assert problem.startswith(f"{coordinate}: ")
    with_day = schema % '(reason: "Use `b`. Removal: 2027-06-30.")'
    assert problems(with_day, with_day) == []


def test_script_compares_with_a_revision(tmp_path: Path) -> None:
    def run(*command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    schema, changes = tmp_path / "schema.graphql", tmp_path / "CHANGELOG.md"
    schema.write_text("type Query { a: Int, b: Int }")
    changes.write_text(changelog())
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    for arguments in (("init",), ("add", "."), (*identity, "commit", "-m", "first")):
        assert run("git", *arguments).returncode == 0
    schema.write_text("type Query { a: Int }")
    rejected = run(sys.executable, str(SCRIPT), "HEAD")
    assert (rejected.returncode, rejected.stdout.splitlines()[0]) == (1, "Breaking: Field Query.b was removed.")
    changes.write_text(changelog("Breaking: `Query.b` was removed."))
    assert run(sys.executable, str(SCRIPT), "HEAD").returncode == 0
    unknown = run(sys.executable, str(SCRIPT), "no-such-revision")
    assert unknown.returncode == 1
    assert "The schema of no-such-revision cannot be read." in unknown.stderr
