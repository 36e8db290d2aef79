"""Reads of the TOML files in this package: written courses, and pools of texts for generated courses."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

PACKAGE = files("lms_graphql.demo")


@cache
def read(path: str) -> dict[str, Any]:
    """Return the content of a file. The path is relative to the package, without suffix, such as "pools/names"."""
    return tomllib.loads(PACKAGE.joinpath(f"{path}.toml").read_text(encoding="utf-8"))


@cache
def paths(folder: str) -> tuple[str, ...]:
    """Return the paths of all files in a folder, sorted by name, in the form that `read` takes."""
    names = (entry.name for entry in PACKAGE.joinpath(folder).iterdir())
    return tuple(f"{folder}/{name.removesuffix('.toml')}" for name in sorted(names) if name.endswith(".toml"))
