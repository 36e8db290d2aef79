"""Files for deployments: they agree with the settings and limits of the service, which runs in a read-only folder."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from lms_graphql.app import create_app
from lms_graphql.cli.serve import serve
from lms_graphql.core.errors import UnsafeConfigurationError
from lms_graphql.metrics_endpoint import PATH as METRICS_PATH
from lms_graphql.operations import migrations
from lms_graphql.operations.database_access import open_database
from lms_graphql.settings import Settings, load_settings
from lms_graphql.settings.model import variable_of
from tests.processes import SECRET, ServiceProcess

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()
UNIT = (ROOT / "docs" / "deployment" / "lms-graphql.service").read_text()
NGINX = (ROOT / "docs" / "deployment" / "nginx.conf").read_text()

SECRET_PARAMETERS = {"code", "reference", "token"}
"""Parameters of paths that grant access to those who know them."""
READ_ONLY_FOLDER = Path("/proc")
"""A folder in which even root cannot create files."""


def number(pattern: str, text: str) -> int:
    match = re.search(pattern, text, re.MULTILINE)
    assert match is not None, pattern
    return int(match[1])


def default(setting: str) -> int:
    value = Settings.model_fields[setting].default
    assert isinstance(value, int)
    return value


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[set[str]]:
    """Return the paths of the routes in development, which has all. The database is not opened."""
    settings = {"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db", "LMS_SECRET_KEY": SECRET}
    application = create_app(load_settings(settings, dotenv=Path("/nowhere")))
    yield {route.path for route in application.routes if isinstance(route, Route)}
    application.state.resources.hashing.close()
    application.state.resources.database.dispose()


@pytest.mark.parametrize("text", [DOCKERFILE, COMPOSE, UNIT, NGINX], ids=["image", "compose", "unit", "nginx"])
def test_settings_in_deployment_files_exist(text: str) -> None:
    names = set(re.findall(r"\b(?:LMS|DB)_[A-Z_]+\b", text))
    assert names <= {variable_of(field) for field in Settings.model_fields}


def test_compose_sets_the_database_and_the_mail_server() -> None:
    values = dict(re.findall(r"^    ((?:LMS|DB)_[A-Z_]+): (\S+)$", COMPOSE, re.MULTILINE))
    settings = load_settings(values, dotenv=Path("/nowhere"))
    assert {f"  {settings.url.host}:", "  mailpit:"} <= set(COMPOSE.splitlines())
    assert settings.smtp_url == "smtp://mailpit:1025"
    for setting, variable in (("database", "DATABASE"), ("username", "USER"), ("password", "PASSWORD")):
        assert f"      MARIADB_{variable}: {getattr(settings.url, setting)}\n" in COMPOSE


def test_ports_agree() -> None:
    (port,) = (option.default for option in serve.params if option.name == "port")
    assert number(r"\bPORT=(\d+)$", DOCKERFILE) == port
    assert number(r"^EXPOSE (\d+)$", DOCKERFILE) == port
    assert number(r'ports: \["127\.0\.0\.1:\d+:(8\d+)"\]$', COMPOSE) == port
    assert number(r"^ +server 127\.0\.0\.1:(\d+);$", NGINX) == port


def test_health_check_of_the_image_asks_an_existing_path(paths: set[str]) -> None:
    match = re.search(r"connection\.request\('GET', '(.+)'\)", DOCKERFILE)
    assert match is not None
    assert match[1] in paths


def test_nginx_forwards_no_metrics(paths: set[str]) -> None:
    assert METRICS_PATH in paths
    assert f"location {METRICS_PATH} {{\n        return 404;\n    }}" in NGINX


def test_nginx_logs_no_codes(paths: set[str]) -> None:
    rule = re.search(r"^ +~(\S+) +\$lms_prefix/-;$", NGINX, re.MULTILINE)
    assert rule is not None
    hidden = re.compile(rule[1].replace("(?<", "(?P<"))
    secret = {path for path in paths if set(re.findall(r"\{(\w+)\}", path)) & SECRET_PARAMETERS}
    assert len(secret) >= 5
    assert {path for path in secret if not hidden.match(path)} == set()
    assert not hidden.match("/graphql")


def test_limits_of_nginx_fit_those_of_the_service() -> None:
    assert number(r"client_max_body_size (\d+)m;", NGINX) * 2**20 > default("limit_body_bytes")
    assert number(r"keepalive_timeout (\d+)s;", NGINX) < default("keep_alive_seconds")
    assert number(r"proxy_read_timeout (\d+)s;", NGINX) >= 2 * default("limit_seconds")
    assert number(r"client_header_timeout (\d+)s;", NGINX) == default("limit_header_seconds")


def test_limits_of_the_unit_fit_those_of_the_service() -> None:
    assert number(r"^LimitNOFILE=(\d+)$", UNIT) >= default("limit_waiting_connections") + 200
    assert (
        str(UnsafeConfigurationError.exit_code) in UNIT.split("RestartPreventExitStatus=")[1].split("\n")[0].split()
    )
    for stop_seconds in (number(r"^TimeoutStopSec=(\d+)$", UNIT), number(r"stop_grace_period: (\d+)s", COMPOSE)):
        assert stop_seconds > 20  # the time in which `serve` lets running requests end


@pytest.mark.slow
def test_service_runs_in_a_read_only_folder(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lms.db"
    variables = {"LMS_DATABASE_URL": url, "LMS_SECRET_KEY": SECRET, "LMS_ENV": "production"}
    with open_database(load_settings(variables, dotenv=Path("/nowhere"))) as database:
        migrations.migrate(database.engine)
    service = ServiceProcess(tmp_path, variables, working_folder=READ_ONLY_FOLDER)
    try:
        service.wait_until_it_serves()
    finally:
        service.stop()
    assert "Serving GraphQL at" in service.output
