"""Metrics at `/metrics`: what is counted, who may read it, and sums over several processes."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families as parse

from lms_graphql.cli.metrics_server import shared_metrics
from lms_graphql.core import clock, metrics
from lms_graphql.core.errors import OperatorError
from lms_graphql.mail.models import Mail
from lms_graphql.metrics_files import FOLDER_VARIABLE, shared_registry
from lms_graphql.operations import migrations
from lms_graphql.operations.database_access import open_database
from lms_graphql.settings import Settings, load_settings
from lms_graphql.settings.model import Environment
from tests.factories import Factories
from tests.live_service import Client, Service, client_with
from tests.mariadb import free_port
from tests.processes import ServiceProcess

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]

MONITORING = Path(__file__).parent.parent.parent / "docs" / "monitoring"
TOKEN = "a token of the tests: 93f1"
LOGIN = 'mutation L { login(input: { email: "nobody@example.com", password: "wrong" }) { errors { code } } }'


def samples(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def read(client: Client) -> Samples:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    return samples(response.text)


def value(found: Samples, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


class Counted:
    """Difference of the metrics before and after a test, because all tests of a process share them."""

    def __init__(self, client: Client) -> None:
        self._client, self._before = client, read(client)

    def __call__(self, name: str, **labels: str) -> float:
        return value(read(self._client), name, **labels) - value(self._before, name, **labels)


@pytest.mark.parametrize(
    ("document", "operation", "kind", "outcome"),
    [
        ("query Catalog { courses { nodes { title } } }", "Catalog", "query", "ok"),
        ("{ __typename }", "anonymous", "query", "ok"),
        ("query Mine { me { id } viewerEnrollments { totalCount } }", "unknown", "unknown", "rejected"),
        ("query Lost { auditEvents { totalCount } }", "Lost", "query", "errors"),
        (LOGIN, "L", "mutation", "ok"),
    ],
)
@pytest.mark.sqlite_only
def test_operations_are_counted(client: Client, document: str, operation: str, kind: str, outcome: str) -> None:
    counted = Counted(client)
    client.graphql(document)
    labels = {"operation": operation, "kind": kind, "outcome": outcome}
    assert counted("lms_operation_duration_seconds_count", **labels) == 1
    assert counted("lms_operation_duration_seconds_bucket", **labels, le="+Inf") == 1
    assert counted("lms_operation_statements_count") == 1


@pytest.mark.sqlite_only
def test_names_of_operations_are_bounded() -> None:
    names = metrics.OperationNames()
    labels = [names.label(f"Q{number}") for number in range(metrics.MAX_OPERATION_NAMES + 10)]
    assert len(set(labels)) == metrics.MAX_OPERATION_NAMES + 1
    assert labels[-1] == "other"
    assert names.label("Q0") == "Q0"


@pytest.mark.sqlite_only
def test_length_of_operation_names_is_bounded(client: Client) -> None:
    client.execute(f"query {'N' * 90_000} {{ __typename }}")
    assert "N" * 1_000 not in client.get("/metrics").text


@pytest.mark.sqlite_only
@pytest.mark.parametrize("accept", ["application/openmetrics-text;version=x", "text/plain;version=1.x"])
def test_metrics_are_plain_text_if_accept_header_is_malformed(client: Client, accept: str) -> None:
    response = client.get("/metrics", headers={"accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert value(samples(response.text), "lms_database_up") == 1


def test_mutations_and_committed_audit_events_are_counted(client: Client, make: Factories) -> None:
    counted = Counted(client)
    client.execute(LOGIN)
    assert counted("lms_mutations_total", field="login", result="INVALID_CREDENTIALS") == 1
    assert counted("lms_audit_events_total", action="account.sign_in_failed", outcome="") == 1
    assert counted("lms_database_wait_seconds_count", access="write") >= 1
    assert value(read(client), "lms_database_threads", access="write") == 4
    assert value(read(client), "lms_requests_in_flight") == 0


@pytest.mark.sqlite_only
def test_rejected_requests_and_document_lookups_are_counted(client: Client) -> None:
    counted = Counted(client)
    client.post([{"query": "{ __typename }"}])
    for _ in range(2):
        client.execute("query OfThisTest { __typename }")
    assert counted("lms_requests_rejected_total", status="400", code="BAD_USER_INPUT") == 1
    assert counted("lms_document_lookups_total", result="miss") == 1
    assert counted("lms_document_lookups_total", result="hit") == 1


def test_outbox_is_measured(client: Client, service: Service) -> None:
    assert value(read(client), "lms_outbox_mails") == 0
    an_hour_ago = clock.now() - timedelta(hours=1)
    mail = Mail(kind="reset_password", user_id=1, created_at=an_hour_ago, next_attempt_at=clock.now() + timedelta(1))
    service.database.write_sync(lambda session: session.add(mail))
    assert value(read(client), "lms_outbox_mails") == 1
    assert value(read(client), "lms_outbox_oldest_seconds") == pytest.approx(3600, abs=60)
    assert value(read(client), "lms_database_up") == 1


@pytest.mark.sqlite_only
def test_metrics_need_their_token(service_settings: Settings) -> None:
    with client_with(service_settings, metrics_token=TOKEN) as client:
        for header in ("", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"):
            response = client.get("/metrics", headers={"authorization": header})
            assert (response.status_code, "lms_" in response.text) == (401, False), header
            assert response.headers["www-authenticate"] == "Bearer"
        assert client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 404),
        ({"metrics": True}, 200),
        ({"metrics_token": TOKEN}, 401),
        ({"metrics_token": TOKEN, "metrics": False}, 404),
        ({"metrics": True, "metrics_port": 9000}, 404),
    ],
)
@pytest.mark.sqlite_only
def test_metrics_are_off_in_production_by_default(
    service_settings: Settings, changes: dict[str, object], status: int
) -> None:
    with client_with(service_settings, env=Environment.PRODUCTION, secret_key="s" * 40, **changes) as client:
        assert client.get("/metrics").status_code == status


@pytest.mark.slow
def test_metrics_of_several_processes_are_summed_on_a_port_of_their_own(tmp_path: Path) -> None:
    port = free_port()
    environment = {"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db", "LMS_METRICS_PORT": str(port)}
    with open_database(load_settings(environment, dotenv=Path("/nowhere"))) as database:
        migrations.migrate(database.engine)
    process = ServiceProcess(tmp_path, environment, "--workers", "2")
    try:
        process.wait_until_it_serves()
        for _ in range(30):  # each on its own connection, so that both processes get some
            httpx.post(f"{process.url}/graphql", json={"query": "query Seen { __typename }"}).raise_for_status()
        assert httpx.get(f"{process.url}/metrics").status_code == 404
        found = samples(httpx.get(f"http://127.0.0.1:{port}/metrics").text)
    finally:
        process.stop()
    labels = {"operation": "Seen", "kind": "query", "outcome": "ok"}
    assert value(found, "lms_operation_duration_seconds_count", **labels) == 30
    assert value(found, "lms_database_threads", access="read") == 8
    assert value(found, "lms_database_up") == 1


def test_workers_do_not_start_if_no_folder_is_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings({"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db"}, dotenv=Path("/nowhere"))
    monkeypatch.setattr(tempfile, "tempdir", "/proc")  # in which even root cannot create a folder
    with pytest.raises(OperatorError, match="Workers cannot store their metrics"), shared_metrics(settings, True):
        pass


COUNT = """import sys
from lms_graphql.core import metrics
metrics.REJECTED.labels("503", "UNAVAILABLE").inc(2)
metrics.IN_FLIGHT.inc()
metrics.LAST_MAINTENANCE.set(float(sys.argv[1]))
"""


@pytest.mark.slow
def test_files_of_ended_processes_are_merged(tmp_path: Path) -> None:
    environment = {**os.environ, FOLDER_VARIABLE: str(tmp_path)}
    for timestamp in ("30", "20"):
        subprocess.run((sys.executable, "-c", COUNT, timestamp), env=environment, check=True)
    of_this_process = tmp_path / f"counter_{os.getpid()}.db"
    of_this_process.write_bytes(next(tmp_path.glob("counter_*.db")).read_bytes())
    for _ in range(2):
        with shared_registry(tmp_path) as registry:
            found = samples(generate_latest(registry).decode())
        assert value(found, "lms_requests_rejected_total", status="503", code="UNAVAILABLE") == 6
        assert value(found, "lms_requests_in_flight") == 0
        assert value(found, "lms_maintenance_last_run_timestamp_seconds") == 30
    expected = {"lock", "counter_0.db", "gauge_max_0.db", "histogram_0.db", of_this_process.name}
    assert {file.name for file in tmp_path.iterdir()} == expected


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", ["grafana-dashboard.json", "prometheus-alerts.yml"])
def test_dashboard_and_alerts_use_metrics_that_exist(client: Client, name: str) -> None:
    known = {family.name for family in parse(client.get("/metrics").text)}
    known |= {family.name for family in REGISTRY.collect()}
    used = set(re.findall(r"\blms_[a-z_]+", (MONITORING / name).read_text()))
    assert used
    suffixes = re.compile(r"_(total|bucket|count|sum)$")
    assert {metric for metric in used if metric not in known and suffixes.sub("", metric) not in known} == set()
