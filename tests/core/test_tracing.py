"""Traces: spans of requests, documents, reads, statements and calls, as a collector of OpenTelemetry gets them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lms_graphql.core import tracing
from lms_graphql.core.database import Database
from lms_graphql.operations import migrations
from lms_graphql.operations.database_access import open_database
from lms_graphql.settings import ExecutorChoice, Settings, load_settings
from tests.accounts.session_client import REGISTRATION, register
from tests.cli import RunCli, assert_one_line_error
from tests.factories import Factories
from tests.live_service import Client, LogCapture, client_with
from tests.mariadb import free_port
from tests.processes import ServiceProcess
from tests.trace_collector import CollectedSpan, TraceCollector, run_collector

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, NOT_SAMPLED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}, {"traceparent": f"00-{TRACE}-{PARENT}-00"}
COURSE = """query CourseOf($slug: String!) {
    course(slug: $slug) { title instructor { fullName } sections { title lectures { title } } }
}"""
LOGIN = "mutation Login($input: LoginInput!) { login(input: $input) { errors { code } } }"
FAILED_LOGIN = {"email": "secret.person@canary.example", "password": "password-canary-77"}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[TraceCollector]:
    """Run a collector to which the services of this process send their spans."""
    with run_collector() as collector:
        for name, value in collector.variables.items():
            monkeypatch.setenv(name, value)
        yield collector


def post(client: Client, document: str, headers: dict[str, str], **variables: Any) -> Any:
    return client.post({"query": document, "variables": variables}, headers=headers).json()


def ancestors(span: CollectedSpan, spans: list[CollectedSpan]) -> list[str]:
    """Return the names of the spans around this one, from the inside."""
    by_id = {other.span_id: other for other in spans}
    names = []
    while (parent := by_id.get(span.parent_id)) is not None:
        names.append(parent.name)
        span = parent
    return names


@pytest.mark.parametrize("executor", [ExecutorChoice.PLANS, ExecutorChoice.REFERENCE])
def test_request_has_spans_of_all_its_work(
    service_settings: Settings,
    collector: TraceCollector,
    make: Factories,
    captured_log: LogCapture,
    executor: ExecutorChoice,
) -> None:
    course = make.course(title="Marker of the course")
    with client_with(service_settings, tracing=True, executor=executor) as client:
        bearer = register(client)["session"]["accessToken"]
        headers = {**SAMPLED, "authorization": f"Bearer {bearer}"}
        assert post(client, COURSE, headers, slug=course.slug)["data"]["course"]["title"] == "Marker of the course"
    spans = collector.trace(TRACE)
    (root,) = (span for span in spans if span.parent_id == PARENT)
    assert (root.name, root.kind, root.service) == ("POST /graphql", "SERVER", "lms-graphql")
    assert root.attributes == {
        "http.request.method": "POST",
        "url.scheme": "http",
        "http.route": "/graphql",
        "http.response.status_code": 200,
        "graphql.operation.type": "query",
        "graphql.operation.name": "CourseOf",
        "lms.error_codes": [],
    }
    found = {(span.name, *ancestors(span, spans)) for span in spans}
    request, query = ("POST /graphql",), ("query", "POST /graphql")
    assert {
        ("parse and validate", *request),
        ("SELECT users", *request),  # authentication
        query,
        ("courses_by_slug", *query),
        ("SELECT courses", "courses_by_slug", *query),
    } <= found
    (lectures,) = (path for path in found if path[0] == "SELECT lectures")
    assert lectures[1] == "lectures_by_section"
    assert lectures[-2:] == query
    statements = [span for span in spans if span.kind == "CLIENT"]
    system = "sqlite" if service_settings.url.get_backend_name() == "sqlite" else "mariadb"
    assert {span.attributes["db.system.name"] for span in statements} == {system}
    log = [json.loads(line) for line in captured_log.lines if '"CourseOf"' in line]
    assert [line["trace_id"] for line in log] == [TRACE]
    text = repr([span.attributes for span in collector.spans])
    assert "SELECT" in text
    for value in (course.slug, "Marker of", bearer, bearer.split(".")[2]):
        assert value not in text


def test_writes_and_mail_have_spans_without_personal_data(
    service_settings: Settings, collector: TraceCollector, make: Factories, mail_server: tuple[Any, str]
) -> None:
    with client_with(service_settings, tracing=True, smtp_url=mail_server[1]) as client:
        register(client, email="new.person@canary.example")
        post(client, LOGIN, SAMPLED, input=FAILED_LOGIN)
        client.get("/certificates/code-canary-31.pdf", headers=SAMPLED)
        client.get("/health/live", headers=SAMPLED)
        mail = collector.wait_for("SMTP")
    assert {span.name for span in collector.trace(TRACE) if span.kind == "SERVER"} == {
        "POST /graphql",
        "GET /certificates/{code}.pdf",
    }
    names = [span.name for span in collector.trace(TRACE)]
    assert {"mutation", "COMMIT"} <= set(names)
    assert mail.attributes == {"server.address": "127.0.0.1", "server.port": int(mail_server[1].rsplit(":")[-1])}
    assert ancestors(mail, collector.spans) == ["outbox"]
    text = repr(collector.spans)
    assert "INSERT" in text
    for value in ("canary", REGISTRATION["password"], REGISTRATION["username"]):
        assert value not in text


@pytest.mark.sqlite_only
def test_sampling_follows_the_caller_and_the_variables(
    service_settings: Settings, collector: TraceCollector, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    with client_with(service_settings, tracing=True) as client:
        for headers in (NOT_SAMPLED, {}):
            assert post(client, "query Lost { courses { totalCount } }", headers)["data"]
        assert post(client, "query Found { courses { totalCount } }", SAMPLED)["data"]
    operations = [span.attributes.get("graphql.operation.name") for span in collector.spans if span.kind == "SERVER"]
    assert operations == ["Found"]


@pytest.mark.sqlite_only
def test_baggage_is_not_logged(
    service_settings: Settings, collector: TraceCollector, captured_log: LogCapture
) -> None:
    with client_with(service_settings, tracing=True) as client:
        assert client.post({"query": "{ __typename }"}, headers={**SAMPLED, "baggage": "canary-41"}).json()["data"]
    assert collector.trace(TRACE)
    assert "canary-41" not in captured_log.text


@pytest.mark.sqlite_only
def test_rejected_request_is_an_error(service_settings: Settings, collector: TraceCollector, make: Factories) -> None:
    with client_with(service_settings, tracing=True, limit_in_flight=0) as client:
        assert client.post({"query": "{ __typename }"}, headers=SAMPLED).status_code == 503
    (root,) = (span for span in collector.trace(TRACE) if span.kind == "SERVER")
    assert (root.is_error, root.attributes["error.type"]) == (True, "503")


def test_failed_statement_is_an_error_without_its_message(
    service_settings: Settings, collector: TraceCollector
) -> None:
    tracing.start()
    database = Database(service_settings.url)
    statement = text("SELECT * FROM missing WHERE name = :name")
    try:
        with pytest.raises(DBAPIError), tracing.task_span("search"):
            database.read_sync(lambda session: session.execute(statement, {"name": "canary"}))
    finally:
        database.dispose()
        tracing.stop()
    (failed,) = (span for span in collector.spans if span.name == "SELECT missing")
    assert failed.is_error
    assert failed.attributes["error.type"] in {"OperationalError", "ProgrammingError"}
    assert ancestors(failed, collector.spans) == ["search"]
    assert "canary" not in repr(collector.spans)


def test_serve_names_the_extra_if_opentelemetry_is_missing(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "lms_graphql.core.opentelemetry_spans", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    result = run_cli("serve", LMS_TRACING="true")
    assert_one_line_error(result, "LMS_TRACING", "pip install 'lms-graphql[tracing]'")


@pytest.mark.slow
@pytest.mark.parametrize("has_collector", [True, False])
def test_process_sends_its_last_spans_or_stops_without_them(tmp_path: Path, has_collector: bool) -> None:
    variables = {"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db", "LMS_TRACING": "true"}
    with open_database(load_settings(variables, dotenv=Path("/nowhere"))) as database:
        migrations.migrate(database.engine)
    with run_collector() as collector:
        endpoint = collector.url if has_collector else f"http://127.0.0.1:{free_port()}"
        (tmp_path / ".env").write_text(f"OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}\nOTEL_SERVICE_NAME=lms-of-the-test\n")
        process = ServiceProcess(tmp_path, variables)
        try:
            process.wait_until_it_serves()
            answer = httpx.post(f"{process.url}/graphql", json={"query": "query Last { courses { totalCount } }"})
        finally:
            process.stop()
    assert answer.json()["data"]
    assert "Traceback" not in process.output
    sent = {(span.name, span.service) for span in collector.spans if span.kind == "SERVER"}
    assert sent == ({("POST /graphql", "lms-of-the-test")} if has_collector else set())
