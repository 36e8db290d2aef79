"""scripts/serve, scripts/lib.sh and the Makefile: what they do before and besides the set-up."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mariadb import free_port

ROOT = Path(__file__).parent.parent.parent
TOOLS = ("dirname", "grep", "sort")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder with the scripts alone: whatever they set up fails."""
    shutil.copytree(ROOT / "scripts", tmp_path / "clone" / "scripts")
    return tmp_path / "clone"


def serve(clone: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHON": sys.executable, **environment}
    command = [str(clone / "scripts" / "serve"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["PORT", "--port", "--port="])
def test_serve_stops_before_the_setup_if_the_port_is_taken(clone: Path, form: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        options = {"PORT": (), "--port": ("--port", port), "--port=": (f"--port={port}",)}[form]
        result = serve(clone, *options, PORT=port if form == "PORT" else "8000")
    assert result.returncode == 1
    expected = f"Stopped: Port {port} on 127.0.0.1 cannot be used: Address already in use. "
    assert result.stderr == f"{expected}Choose another: PORT=8001 scripts/serve\n"
    assert result.stdout == ""
    assert not (clone / ".venv").exists()


@pytest.mark.slow
def test_serve_stops_if_the_port_is_no_number(clone: Path) -> None:
    result = serve(clone, PORT="http")
    assert "a port is a number from 1 to 65535" in result.stderr
    assert not (clone / ".venv").exists()


@pytest.mark.slow
def test_serve_begins_the_setup_if_the_port_is_free(clone: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to("/bin/false")  # so that nothing is downloaded
    result = serve(clone, PORT=str(free_port()))
    assert "The packages of requirements.txt could not be installed" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("present", "found"), [(["3.15", "3.9", "3.14"], "python3.14"), (["3.14", "3.12"], "python3.12")]
)
def test_setup_finds_later_python_versions(tmp_path: Path, present: list[str], found: str) -> None:
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")
    for version in present:
        program = tmp_path / f"python{version}"
        program.write_text(f"#!/bin/sh\nexit {int(version == '3.9')}\n")  # the script asks each for its own version
        program.chmod(0o755)
    (tmp_path / "python3.14-config").symlink_to("/bin/true")
    command = ["/bin/bash", "-c", "set -euo pipefail; . scripts/lib.sh; find_python"]
    result = subprocess.run(
        command, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert result.stdout == f"{found}\n", result.stderr


def test_makefile_installs_what_its_commands_need() -> None:
    """scripts/serve installs no tools for tests and checks."""
    rules = re.findall(r"^(\S+):([^\n#]*).*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.M)
    needing = {target: dependencies.split() for target, dependencies, commands in rules if ".venv/bin/" in commands}
    assert needing.keys() >= {"quick", "lint"}
    assert set(map(tuple, needing.values())) == {("dev",)}
