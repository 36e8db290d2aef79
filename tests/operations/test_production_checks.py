"""Configurations rejected in production, the secret key, and the rotation of signing keys."""

import socket
import stat
import subprocess
import sys
from pathlib import Path
from secrets import token_urlsafe

import pytest

from lms_graphql.cli.serve import warn_of_gateways
from lms_graphql.core.errors import OperatorError
from lms_graphql.operations.secret_key import load_secret_key
from lms_graphql.settings import load_settings
from tests.cli import RunCli, assert_one_line_error

pytestmark = pytest.mark.slow

SECRET_KEY = token_urlsafe(48)


WEAK_KEYS = {"": "missing", "short-secret": "too short", "x" * 64: "not random", "abcabcabc" * 10: "not random"}
"""Keys, with a part of the message that rejects them."""


@pytest.mark.sqlite_only
def test_weak_secret_key_is_rejected_in_production(run: RunCli) -> None:
    run("db", "init")
    for secret, problem in WEAK_KEYS.items():
        result = run("serve", LMS_ENV="production", LMS_SECRET_KEY=secret)
        assert_one_line_error(result, "LMS_SECRET_KEY", problem)
        assert result.exit_code == 3


@pytest.mark.sqlite_only
def test_unchanged_seed_password_is_rejected_in_production(run: RunCli) -> None:
    run("db", "init", LMS_SEED_PASSWORD="known to scripts")
    environment = {"LMS_ENV": "production", "LMS_SECRET_KEY": SECRET_KEY}
    result = run("serve", LMS_SEED_PASSWORD="known to scripts", **environment)
    assert_one_line_error(result, "admin@learnwithroko.com", "LMS_SEED_PASSWORD")
    assert result.exit_code == 3
    with socket.socket() as listening_socket:
        listening_socket.bind(("127.0.0.1", 0))
        port = str(listening_socket.getsockname()[1])
        other = run("serve", "--port", port, LMS_SEED_PASSWORD="another password", **environment)
    assert_one_line_error(other, f"Port {port}")


def test_sqlite_workers_and_reload_are_rejected_in_production(run_cli: RunCli, tmp_path: Path) -> None:
    environment = {
        "LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db",
        "LMS_ENV": "production",
        "LMS_SECRET_KEY": SECRET_KEY,
    }
    run_cli("db", "init", **environment)
    result = run_cli("serve", "--workers", "2", **environment)
    assert_one_line_error(result, "SQLite", "--workers 1")
    assert result.exit_code == 3
    result = run_cli("serve", "--reload", **environment)
    assert_one_line_error(result, "--reload")
    assert result.exit_code == 3


@pytest.mark.slow
def test_asgi_app_without_secret_key_exits_in_production(tmp_path: Path) -> None:
    environment = {"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db", "LMS_ENV": "production"}
    code = "from lms_graphql.asgi import app; app()"
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 3
    assert result.stderr.startswith("lms-graphql: LMS_SECRET_KEY is missing")


def test_development_secret_key_is_stored_beside_database(tmp_path: Path) -> None:
    settings = load_settings({"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db"}, Path("/nowhere"))
    secret = load_secret_key(settings)
    assert len(secret) >= 32
    assert load_secret_key(settings) == secret
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.slow
def test_concurrent_processes_share_one_secret_key(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from lms_graphql.settings import load_settings;"
        "from lms_graphql.operations.secret_key import load_secret_key;"
        f"settings = load_settings({{'LMS_DATABASE_URL': 'sqlite:///{tmp_path}/lms.db'}}, Path('/nowhere'));"
        "print(load_secret_key(settings))"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    (secret,) = {process.communicate(timeout=180)[0].strip() for process in processes}
    assert len(secret) >= 32
    assert len(list(tmp_path.iterdir())) == 1


def test_unwritable_secret_key_file_is_reported(tmp_path: Path) -> None:
    settings = load_settings({"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/missing/lms.db"}, Path("/nowhere"))
    with pytest.raises(OperatorError, match="LMS_SECRET_KEY"):
        load_secret_key(settings)


def test_rotate_prints_new_signing_key(run: RunCli) -> None:
    run("db", "init")
    assert run("keys", "rotate").output == "signing key: k1\n"
    assert run("keys", "rotate").output == "signing key: k2\n"


@pytest.mark.parametrize("value", ["nonsense", "10.0.0.1, x", "300.1.1.1"])
def test_invalid_trusted_proxies_are_reported(run_cli: RunCli, value: str) -> None:
    assert_one_line_error(run_cli("db", "check", LMS_TRUSTED_PROXIES=value), "LMS_TRUSTED_PROXIES")


def test_gateways_that_cannot_take_money_are_warned_about(capsys: pytest.CaptureFixture[str]) -> None:
    production = {"LMS_ENV": "production", "LMS_PAYMENT_GATEWAYS": "bank_transfer, stripe"}
    stripe = {"LMS_STRIPE_SECRET_KEY": "sk_test_1", "LMS_STRIPE_WEBHOOK_SECRET": "whsec_1"}
    ready = {"LMS_STRIPE_SECRET_KEY": "sk_live_1", "LMS_BANK_ACCOUNT": "DE89"}
    fake = {**ready, "LMS_PAYMENT_GATEWAYS": "fake"}
    cases = [({}, ["LMS_STRIPE_SECRET_KEY", "LMS_BANK_ACCOUNT"]), (fake, ["LMS_PAYMENT_GATEWAYS"]), (ready, [])]
    for changes, names in cases:
        warn_of_gateways(load_settings({**production, **stripe, **changes}, Path("/nowhere")))
        assert [line.split()[0] for line in capsys.readouterr().err.splitlines()] == names
