"""Reads the texts that stand beside the code: hand-written courses, and pools for what is put together."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

HERE = files("lms_graphql.demo")


@cache
def read(path: str) -> dict[str, Any]:
    """The file of this path below the package, without its ending: "pools/names"."""
    return tomllib.loads(HERE.joinpath(f"{path}.toml").read_text(encoding="utf-8"))


@cache
def paths(folder: str) -> tuple[str, ...]:
    """The paths of a folder's files for `read`, in the order of their names."""
    names = (entry.name for entry in HERE.joinpath(folder).iterdir())
    return tuple(f"{folder}/{name.removesuffix('.toml')}" for name in sorted(names) if name.endswith(".toml"))
