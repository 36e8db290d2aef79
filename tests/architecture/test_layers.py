"""Architecture rules: layers, module roles, boundaries of Strawberry, and sizes of files and functions."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from lms_graphql import all_models
from lms_graphql.core.orm import Model

PACKAGE = Path(__file__).parent.parent.parent / "lms_graphql"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "static" not in path.parts)

LAYERS = [
    {"core"},
    {"settings", "pdf"},
    {"graph"},
    {"mail"},
    {"stored_documents"},
    {"accounts"},
    {"catalog"},
    {"certificates"},
    {"learning"},
    {"assessment", "discussion", "billing"},
    {"analytics"},
    {"all_models", "wiring"},
    {"authentication", "compression", "metrics_files", "pdf_endpoint", "request_body"},
    {
        "schema",
        "operations",
        "demo",
        "graphiql",
        "demo_files",
        "certificate_endpoint",
        "checkout_return",
        "connection_limits",
        "json_logging",
        "export_endpoint",
        "metrics_endpoint",
        "middleware",
        "public_fields",
        "receipt_endpoint",
        "fake_checkout_page",
        "webhook_endpoint",
    },
    {"app", "worker_processes"},
    {"asgi", "http_protocol"},
    {"cli"},
    {"__main__"},
]
"""Packages and root modules from the lowest layer to the highest. Each may import those of lower layers."""
LAYER_OF = {package: number for number, packages in enumerate(LAYERS) for package in packages}
IMPORTED_IN_OWN_LAYER = {
    "schema",
    "operations",
    "demo",
    "graphiql",
    "all_models",
    "wiring",
    "pdf_endpoint",
    "authentication",
}
"""Packages that others of the same layer may import."""
DOMAIN_PACKAGES = {
    "mail",
    "stored_documents",
    "accounts",
    "catalog",
    "certificates",
    "learning",
    "assessment",
    "discussion",
    "billing",
    "analytics",
}
MODULE_ROLES = ["models", "pure", "policies", "reads", "services", "types", "queries", "mutations"]
"""Roles inside a domain package, in order. A module may import those before its own; `pure` is any other name."""
ROLES_WITH_STRAWBERRY = {"types", "queries", "mutations"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "base"}
MAX_FILE_LINES, MAX_FUNCTION_LINES = 300, 40

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))


def package_and_module(path: Path) -> tuple[str, str]:
    """Return the package and the module in it. The module of a root module is empty."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0], parts[1] if len(parts) > 1 else ""


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def imported_packages(path: Path) -> set[str]:
    names = (name.split(".") for name in imports(path) if name.startswith("lms_graphql."))
    return {name[1] for name in names if name[1] in LAYER_OF}


@each_file
def test_imports_go_to_lower_layers(path: Path) -> None:
    package, _ = package_and_module(path)
    if package == "__init__":
        return
    layer = LAYER_OF[package]
    forbidden = {other for other in imported_packages(path) - {package} if LAYER_OF[other] >= layer}
    forbidden -= {other for other in IMPORTED_IN_OWN_LAYER if LAYER_OF[other] == layer}
    assert not forbidden, f"{package} may not import {forbidden}: they are in its own layer or above it"


@each_file
def test_module_roles_are_imported_in_order(path: Path) -> None:
    package, module = package_and_module(path)
    if package not in DOMAIN_PACKAGES or module == "__init__":
        return
    role = module if module in MODULE_ROLES else "pure"
    position = MODULE_ROLES.index(role)
    for name in imports(path):
        parts = name.split(".")
        if parts[:2] == ["lms_graphql", package] and len(parts) > 2 and parts[2] in MODULE_ROLES:
            imported_role = parts[2]
            assert imported_role == module or MODULE_ROLES.index(imported_role) < position, f"{module}: {name}"


@each_file
def test_only_graphql_roles_import_strawberry(path: Path) -> None:
    package, module = package_and_module(path)
    if package in DOMAIN_PACKAGES | {"core"} and module not in ROLES_WITH_STRAWBERRY:
        names = set(imports(path))
        assert not {name.split(".")[0] for name in names} & {"strawberry", "graphql", "starlette"}
        assert not any(name.startswith("lms_graphql.graph") for name in names)


@each_file
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            assert node.end_lineno - node.lineno < MAX_FUNCTION_LINES, f"{node.name} is too long"


def test_functions_contain_no_imports() -> None:
    for path in FILES:
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
                assert not inner, f"{path.name}: {function.name}"


def test_no_module_has_a_catch_all_name() -> None:
    names = {part for path in FILES for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert not names & FORBIDDEN_NAMES


def test_foreign_keys_go_to_lower_layers() -> None:
    packages = {str(mapper.local_table): mapper.class_.__module__.split(".")[1] for mapper in Model.registry.mappers}
    for table in all_models.metadata.sorted_tables:
        for key in table.foreign_keys:
            package, target = packages[table.name], packages[key.column.table.name]
            is_lower = LAYER_OF[target] < LAYER_OF[package]
            assert is_lower or package == target, f"{table.name} -> {key.column.table.name}"


def test_relationships_raise_on_lazy_load() -> None:
    for mapper in Model.registry.mappers:
        for relationship in mapper.relationships:
            assert relationship.lazy == "raise", f"{mapper.class_.__name__}.{relationship.key}"
