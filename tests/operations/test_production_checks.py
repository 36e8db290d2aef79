"""What the service refuses to start with in production, and the secret that it makes for itself in development."""

import socket
import stat
import subprocess
import sys
from pathlib import Path
from secrets import token_urlsafe

import pytest

from lms_graphql import settings
from lms_graphql.core.errors import OperatorError
from lms_graphql.operations.secret_key import load_secret_key
from tests.cli import Run, assert_one_clear_line

GOOD = token_urlsafe(48)


@pytest.mark.parametrize(
    ("secret", "word"),
    [("", "missing"), ("short-secret", "too short"), ("x" * 64, "not random"), ("abcabcabc" * 10, "not random")],
)
def test_a_weak_secret_is_refused_in_production(run: Run, secret: str, word: str) -> None:
    run("db", "init")
    ran = run("serve", LMS_ENV="production", LMS_SECRET_KEY=secret)
    assert_one_clear_line(ran, "LMS_SECRET_KEY", word)
    assert ran.exit_code == 3


def test_seed_passwords_that_scripts_know_are_refused_in_production(run: Run) -> None:
    run("db", "init", LMS_SEED_PASSWORD="known to scripts")
    environment = {"LMS_ENV": "production", "LMS_SECRET_KEY": GOOD}
    ran = run("serve", LMS_SEED_PASSWORD="known to scripts", **environment)
    assert_one_clear_line(ran, "admin@learnwithroko.com", "LMS_SEED_PASSWORD")
    assert ran.exit_code == 3
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        other = run("serve", "--port", port, LMS_SEED_PASSWORD="another one, not theirs", **environment)
    assert_one_clear_line(other, f"Port {port}")


def test_sqlite_serves_one_process_in_production_and_code_does_not_change_there(
    anywhere: Run, tmp_path: Path
) -> None:
    environment = {
        "LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db",
        "LMS_ENV": "production",
        "LMS_SECRET_KEY": GOOD,
    }
    anywhere("db", "init", **environment)
    ran = anywhere("serve", "--workers", "2", **environment)
    assert_one_clear_line(ran, "SQLite", "--workers 1")
    assert ran.exit_code == 3
    ran = anywhere("serve", "--reload", **environment)
    assert_one_clear_line(ran, "--reload")
    assert ran.exit_code == 3


@pytest.mark.slow
def test_a_server_started_without_the_command_line_refuses_as_well(tmp_path: Path) -> None:
    environment = {"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db", "LMS_ENV": "production"}
    code = "from lms_graphql.asgi import app; app()"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 3
    assert ran.stderr.startswith("lms-graphql: LMS_SECRET_KEY is missing")


def test_in_development_a_secret_is_made_once_and_kept_beside_the_database(tmp_path: Path) -> None:
    read = settings.load_settings({"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db"}, Path("/nowhere"))
    secret = load_secret_key(read)
    assert len(secret) >= 32
    assert load_secret_key(read) == secret
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.slow
def test_processes_that_start_at_once_keep_one_secret(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from lms_graphql import settings; from lms_graphql.operations import secret;"
        f"read = settings.read({{'LMS_DATABASE_URL': 'sqlite:///{tmp_path}/lms.db'}}, Path('/nowhere'));"
        "print(secret.secret_of(read))"
    )
    starts = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    told = {start.communicate(timeout=60)[0] for start in starts}
    assert len(told) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_place_where_no_secret_can_be_kept_is_told(tmp_path: Path) -> None:
    read = settings.load_settings({"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/not/there/lms.db"}, Path("/nowhere"))
    with pytest.raises(OperatorError, match="LMS_SECRET_KEY"):
        load_secret_key(read)


def test_keys_are_rotated_from_the_command_line(run: Run) -> None:
    run("db", "init")
    assert run("keys", "rotate").output == "signing key: k1\n"
    assert run("keys", "rotate").output == "signing key: k2\n"


@pytest.mark.parametrize("value", ["nonsense", "10.0.0.1, x", "300.1.1.1"])
def test_proxies_are_addresses(anywhere: Run, value: str) -> None:
    assert_one_clear_line(anywhere("db", "check", LMS_TRUSTED_PROXIES=value), "LMS_TRUSTED_PROXIES")
