"""Node and the npm packages of `tests/clients`: clients, and tools that check the schema and the endpoint."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "clients"
OLDEST_NODE = (20, 19)


def run(*command: str, cwd: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    """Run Node or a program of `node_modules/.bin`, and return its result, whether it succeeded or not."""
    program, *arguments = command
    _install()
    installed = FOLDER / "node_modules" / ".bin" / program
    return _run([str(installed) if installed.exists() else program, *arguments], cwd)


@cache
def _install() -> None:
    """Install what package-lock.json names, once a session. Skip the test if there is no Node."""
    if (version := _node_version()) is None or version < OLDEST_NODE:
        reason = f"needs Node {OLDEST_NODE[0]}.{OLDEST_NODE[1]} or newer, with npm"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}: CI runs all tests")
        pytest.skip(reason)
    packages, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    with packages.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two installations at once leave an incomplete node_modules
        if installed.exists() and installed.stat().st_mtime >= packages.stat().st_mtime:
            return
        result = _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], FOLDER)
    assert result.returncode == 0, result.stderr


def _node_version() -> tuple[int, ...] | None:
    """Return the version of Node; None if Node or npm is not installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    return tuple(map(int, _run(["node", "--version"], FOLDER).stdout.strip().removeprefix("v").split(".")))


def _run(command: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
