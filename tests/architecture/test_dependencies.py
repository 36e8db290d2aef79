"""Dependencies: each imported package is declared, so that an upgrade of another package cannot remove it."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FIRST_PARTY = {"lms_graphql", "tests", "benchmarks", "scripts"}
PINNED = {"graphql-core", "iso4217", "prometheus-client", "pymysql", "strawberry-graphql", "uvicorn"}
"""Packages with exact versions: undocumented parts of them are used, or stored amounts depend on their data."""


def distribution_name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return match[0].lower().replace("_", "-")


DEPENDENCIES = {distribution_name(requirement): requirement for requirement in PROJECT["project"]["dependencies"]}
OPTIONAL_DEPENDENCIES = {
    distribution_name(requirement)
    for extra in PROJECT["project"]["optional-dependencies"].values()
    for requirement in extra
}
DEV_DEPENDENCIES = {distribution_name(requirement) for requirement in PROJECT["dependency-groups"]["dev"]}


def imported_distributions(folder: str) -> set[str]:
    modules: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.split(".")[0])
    distributions = packages_distributions()
    third_party = modules - sys.stdlib_module_names - FIRST_PARTY
    return {distribution_name(distributions[module][0]) for module in third_party}


@pytest.mark.parametrize(
    ("folder", "declared"),
    [
        ("lms_graphql", set(DEPENDENCIES) | OPTIONAL_DEPENDENCIES),
        ("tests", set(DEPENDENCIES) | DEV_DEPENDENCIES),
    ],
)
def test_imported_packages_are_declared(folder: str, declared: set[str]) -> None:
    assert imported_distributions(folder) - declared == set()


@pytest.mark.parametrize("name", sorted(PINNED))
def test_exact_versions_are_pinned(name: str) -> None:
    assert DEPENDENCIES[name] == f"{name}=={version(name)}"
    assert f"{name}=={version(name)} " in (ROOT / "requirements.txt").read_text()


def pins(name: str) -> set[str]:
    """Return the packages of a requirements file with their versions."""
    return set(re.findall(r"^\S+==[^\s;]+", (ROOT / name).read_text(), re.MULTILINE))


def test_requirements_files_pin_the_same_versions() -> None:
    assert pins("requirements.txt") < pins("requirements-payments.txt") < pins("requirements-dev.txt")
    distributions = {pin.split("==")[0] for pin in pins("requirements-payments.txt")}
    assert {"stripe", "httpx"} <= distributions
