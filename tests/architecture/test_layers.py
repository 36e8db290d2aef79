"""Architecture rules: layers, module roles, boundaries of Strawberry, and sizes of files and functions."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

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
    {"app", "draining_server"},
    {"worker_processes"},
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


def package_and_module(path: Path) -> tuple[str, str]:
    """Return the package and the module in it. The module of a root module is empty."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0], parts[1] if len(parts) > 1 else ""


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def imports(path: Path) -> set[str]:
    names = set()
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
    return names


def imported_packages(path: Path) -> set[str]:
    names = (name.split(".") for name in imports(path) if name.startswith("lms_graphql."))
    return {name[1] for name in names if name[1] in LAYER_OF}


def test_imports_go_to_lower_layers() -> None:
    violations = []
    for path in FILES:
        package, _ = package_and_module(path)
        if package == "__init__":
            continue
        layer = LAYER_OF[package]
        forbidden = {other for other in imported_packages(path) - {package} if LAYER_OF[other] >= layer}
        forbidden -= {other for other in IMPORTED_IN_OWN_LAYER if LAYER_OF[other] == layer}
        violations += [f"{path} may not import {other}: it is in its own layer or above it" for other in forbidden]
    assert not violations


def test_module_roles_are_imported_in_order() -> None:
    violations = []
    for path in FILES:
        package, module = package_and_module(path)
        if package not in DOMAIN_PACKAGES or module == "__init__":
            continue
        position = MODULE_ROLES.index(module if module in MODULE_ROLES else "pure")
        for name in imports(path):
            parts = name.split(".")
            if parts[:2] == ["lms_graphql", package] and len(parts) > 2 and parts[2] in MODULE_ROLES:
                is_allowed = parts[2] == module or MODULE_ROLES.index(parts[2]) < position
                violations += [] if is_allowed else [f"{path}: {name}"]
    assert not violations


def test_only_graphql_roles_import_strawberry() -> None:
    violations = []
    for path in FILES:
        package, module = package_and_module(path)
        if package in DOMAIN_PACKAGES | {"core"} and module not in ROLES_WITH_STRAWBERRY:
            for name in imports(path):
                is_web = name.split(".")[0] in {"strawberry", "graphql", "starlette"}
                violations += [f"{path}: {name}"] if is_web or name.startswith("lms_graphql.graph") else []
    assert not violations


def test_files_are_short() -> None:
    assert [str(path) for path in FILES if len(path.read_text().splitlines()) > MAX_FILE_LINES] == []


def test_functions_are_short() -> None:
    violations = [
        f"{path}: {function.name}"
        for path in FILES
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= MAX_FUNCTION_LINES
    ]
    assert violations == []


def test_functions_contain_no_imports() -> None:
    for path in FILES:
        for function in functions(path):
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
