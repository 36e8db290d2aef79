"""The house rules: floors, shelves, the wall around Strawberry, sizes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from lms_graphql import all_models
from lms_graphql.core.orm import Model

PACKAGE = Path(__file__).parent.parent.parent / "lms_graphql"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "static" not in path.parts)

FLOORS = [
    {"core"},
    {"settings"},
    {"graph"},
    {"mail"},
    {"accounts"},
    {"catalog"},
    {"certificates"},
    {"learning"},
    {"assessment", "discussion", "billing"},
    {"analytics"},
    {"all_models", "wiring"},
    {"schema", "operations", "demo", "graphiql", "authentication", "certificate_endpoint"},
    {"app"},
    {"asgi"},
    {"cli"},
    {"__main__"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
SHELVES = ["models", "pure", "policies", "reads", "services", "types", "queries", "mutations"]
SPEAKS_STRAWBERRY = {"types", "queries", "mutations"}
DOMAINS = {
    "mail",
    "accounts",
    "catalog",
    "certificates",
    "learning",
    "assessment",
    "discussion",
    "billing",
    "analytics",
}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "base"}


def room_and_shelf(path: Path) -> tuple[str, str]:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0], parts[1] if len(parts) > 1 else ""


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def rooms_imported(path: Path) -> set[str]:
    names = (name.split(".") for name in imports(path) if name.startswith("lms_graphql."))
    return {name[1] for name in names if name[1] in FLOOR_OF}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_down_only(path: Path) -> None:
    room, _ = room_and_shelf(path)
    if room == "__init__":
        return
    upwards = {other for other in rooms_imported(path) - {room} if FLOOR_OF[other] >= FLOOR_OF[room]}
    same_floor_allowed = {"schema", "operations", "demo", "graphiql", "all_models", "wiring"}
    upwards -= {other for other in upwards & same_floor_allowed if FLOOR_OF[other] == FLOOR_OF[room]}
    assert not upwards, f"{room} is below {upwards}, or beside it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_inside_a_domain_the_shelves_have_one_order(path: Path) -> None:
    room, shelf = room_and_shelf(path)
    if room not in DOMAINS or shelf == "__init__":
        return
    place = SHELVES.index(shelf if shelf in SHELVES else "pure")
    for name in imports(path):
        parts = name.split(".")
        if parts[:2] == ["lms_graphql", room] and len(parts) > 2 and parts[2] in SHELVES and parts[2] != shelf:
            known_to_pure = place == SHELVES.index("pure") and parts[2] == "models"
            assert known_to_pure or SHELVES.index(parts[2]) < place, f"{shelf} imports {parts[2]}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_types_queries_and_mutations_speak_strawberry(path: Path) -> None:
    room, shelf = room_and_shelf(path)
    if room in DOMAINS | {"core"} and shelf not in SPEAKS_STRAWBERRY:
        spoken = {name.split(".")[0] for name in imports(path)} & {"strawberry", "graphql", "starlette"}
        assert not spoken
        assert not any(name.startswith("lms_graphql.graph") for name in imports(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            assert node.end_lineno - node.lineno < 40, f"{node.name} is too long"


def test_nothing_is_imported_inside_a_function() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inside = [one for one in ast.walk(node) if isinstance(one, ast.Import | ast.ImportFrom)]
                assert not inside, f"{path.name}: {node.name}"


def test_no_room_is_a_drawer_for_everything() -> None:
    names = {part for path in FILES for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert not names & FORBIDDEN_NAMES


def test_foreign_keys_run_down() -> None:
    room_of = {str(mapper.local_table): mapper.class_.__module__.split(".")[1] for mapper in Model.registry.mappers}
    for table in all_models.metadata.sorted_tables:
        for key in table.foreign_keys:
            upper, lower = room_of[table.name], room_of[key.column.table.name]
            assert upper == lower or FLOOR_OF[upper] > FLOOR_OF[lower], f"{table.name} -> {key.column.table.name}"


def test_a_forgotten_lazy_load_is_an_error() -> None:
    for mapper in Model.registry.mappers:
        for relationship in mapper.relationships:
            assert relationship.lazy == "raise", f"{mapper.class_.__name__}.{relationship.key}"
