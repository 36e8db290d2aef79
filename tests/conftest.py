"""Fixtures: real databases and real servers. `pytest -m "not slow"` uses SQLite only, without MariaDB."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete
from sqlalchemy.orm import Session

from lms_graphql import settings
from lms_graphql.cli import main
from lms_graphql.core import named_locks
from lms_graphql.core.write_health import WriteHealth
from lms_graphql.json_logging import configure_logging
from lms_graphql.mail.models import Mail
from lms_graphql.mail.outbox import enqueue
from lms_graphql.mail.templates import TEMPLATES
from lms_graphql.operations import background, migrations
from lms_graphql.operations.database_access import open_database
from lms_graphql.settings import ExecutorChoice, Settings
from tests.cli import NO_SETTINGS, RunCli
from tests.factories import Factories
from tests.live_service import Client, LogCapture, Service, StatementRecorder, run_service
from tests.mail_servers import MARKER_EMAIL, TEST_MAIL_KIND, Mailbox, OutboxHarness, render_test_mail, run_mail_server
from tests.mariadb import MariaDB, free_port, private_server
from tests.processes import Cluster, run_cluster

LOG_CAPTURE = LogCapture()
configure_logging(LOG_CAPTURE)
hypothesis.settings.register_profile("no_deadline", deadline=None)  # a slow machine must not fail a test
hypothesis.settings.load_profile("no_deadline")

DATABASES = ["sqlite", pytest.param("mariadb", marks=pytest.mark.slow)]
PARALLEL_SELECTIONS = ("not slow", "not alone")
"""Mark expressions that run on several processes: they take long, and leave out the tests that measure time."""
MAX_PROCESSES = 4


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run `pytest -m "not slow"` on all cores. Single files and interactive runs use one process."""
    option = config.option
    is_selection = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or option.keyword
    is_interactive = option.usepdb or option.trace or option.capture == "no" or option.collectonly
    is_whole_run = not (is_selection or is_interactive or is_xdist_worker(config))
    if option.markexpr in PARALLEL_SELECTIONS and option.numprocesses is None and is_whole_run:
        option.numprocesses = "auto"


def is_xdist_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_collection() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    """Freeze all imported and collected objects. They stay anyway, so the collector need not traverse them again."""
    gc.enable()
    gc.freeze()


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.get_closest_marker("alone"):
        item.add_marker("slow")  # quick tests run in parallel


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the marker `sqlite_only` on SQLite only."""
    if metafunc.definition.get_closest_marker("sqlite_only"):
        for fixture in ("service_settings", "empty_database"):
            if fixture in metafunc.fixturenames:
                metafunc.definition.add_marker(pytest.mark.parametrize(fixture, ["sqlite"], indirect=True))


def pytest_xdist_auto_num_workers() -> int:
    """Return one process more than cores, because tests wait for databases, services and browsers."""
    chosen = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    return int(chosen) if chosen else min(MAX_PROCESSES, len(os.sched_getaffinity(0)) + 1)


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """Run a MariaDB server for all tests. Each user of it creates a database."""
    with private_server(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@pytest.fixture(scope="session", params=DATABASES)
def service_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return settings with a migrated, empty database of each kind."""
    return migrated_settings(request, tmp_path_factory, "lms_service")


def migrated_settings(request: pytest.FixtureRequest, folders: pytest.TempPathFactory, name: str) -> Settings:
    """Create and migrate a database of the kind in `request.param`, and return settings with its URL."""
    if request.param == "sqlite":
        url = f"sqlite:///{folders.mktemp(name)}/lms.db"
    else:
        url = request.getfixturevalue("mariadb_server").new_database(name)
    executor = os.environ.get("LMS_TEST_EXECUTOR", ExecutorChoice.PLANS)
    loaded = settings.load_settings({"LMS_DATABASE_URL": url, "LMS_EXECUTOR": executor}, dotenv=Path("/nowhere"))
    with open_database(loaded) as database:
        migrations.migrate(database.engine)
    return loaded


@pytest.fixture(scope="session")
def service_mail_server() -> Iterator[tuple[Mailbox, str]]:
    """Run the mail server to which the tests' service sends. Yield its mailbox and its URL."""
    with run_mail_server() as server:
        yield server


@pytest.fixture(scope="session")
def running_service(service_settings: Settings, service_mail_server: tuple[Mailbox, str]) -> Iterator[Service]:
    """Run the service for all tests. The fake payment gateway sends its webhooks to `service_url`."""
    port = free_port()
    changes = {"smtp_url": service_mail_server[1], "service_url": f"http://127.0.0.1:{port}/"}
    with run_service(service_settings.model_copy(update=changes), port) as service:
        # SQLAlchemy asks the server for its settings at the first read. Statements of tests are counted without that.
        service.database.read_sync(Session.connection)
        yield service


@pytest.fixture
def mailbox(service: Service, service_mail_server: tuple[Mailbox, str], monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """Return the mailbox of the mails that the service sends from now on.

    A mail of an earlier test may still be on its way. The service sends one after the other, so a marker comes last.
    """
    mailbox, database = service_mail_server[0], service.database
    monkeypatch.setitem(TEMPLATES, TEST_MAIL_KIND, render_test_mail)
    mailbox.received.clear()
    database.write_sync(lambda session: enqueue(session, TEST_MAIL_KIND, email=MARKER_EMAIL) and None)
    mailbox.wait_for_recipient(MARKER_EMAIL)
    database.write_sync(lambda session: session.execute(delete(Mail)) and None)
    mailbox.received.clear()
    return mailbox


@pytest.fixture
def service(running_service: Service) -> Service:
    """Return the running service with an empty database, whose writes have not failed."""
    running_service.delete_all_rows()
    running_service.database.write_health = WriteHealth(running_service.engine)
    return running_service


@pytest.fixture(scope="session")
def running_cluster(mariadb_server: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run two service processes on one MariaDB.

    The limit of a network is high because most tests have one client IP. That of an account is low, for a short test.
    Access tokens outlive 300 rounds of a race on a busy machine.
    """
    url = mariadb_server.new_database("lms_cluster")
    with run_cluster(
        tmp_path_factory.mktemp("cluster"),
        url,
        LMS_LOGIN_FAILURES_PER_ADDRESS="1000000",
        LMS_LOGIN_FAILURES_PER_ACCOUNT_TOTAL="25",
        LMS_ACCESS_TOKEN_MINUTES="1440",
    ) as cluster:
        yield cluster


@pytest.fixture
def two_processes(running_cluster: Cluster) -> Cluster:
    """Return two service processes on an empty database."""
    running_cluster.delete_all_rows()
    return running_cluster


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    client = Client(service)
    yield client
    client.close()


@pytest.fixture
def make(service: Service) -> Factories:
    return Factories(service.database)


@pytest.fixture
def captured_log() -> LogCapture:
    """Return the log of the service from now on."""
    LOG_CAPTURE.lines.clear()
    return LOG_CAPTURE


@pytest.fixture
def no_maintenance(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the maintenance of the service, so that due work is left for the test."""
    disable_maintenance(monkeypatch)


@pytest.fixture
def no_background_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the background threads of all services commit nothing, so that the next COMMIT is that of the test."""
    monkeypatch.setattr(background, "send_mail", lambda _: [])
    monkeypatch.setattr(named_locks, "is_lease_due", lambda *_: False)


def disable_maintenance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the services of this process run no maintenance tasks."""
    monkeypatch.setattr(background, "run_maintenance", lambda *_: [])


@pytest.fixture
def statements(service: Service) -> StatementRecorder:
    return StatementRecorder(service.database)


@pytest.fixture(params=DATABASES)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database without tables, of each kind, for tests of migrations and commands."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/lms.db"
    url: str = request.getfixturevalue("mariadb_server").new_database("lms_commands")
    return url


@pytest.fixture
def run_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunCli:
    """Return a function that runs lms-graphql in an empty folder, with only the given settings."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, typed: str = "", **environment: str) -> Result:
        return CliRunner().invoke(
            main, arguments, input=typed, env={**NO_SETTINGS, **environment}, prog_name="lms-graphql"
        )

    return command


@pytest.fixture
def run(run_cli: RunCli, empty_database: str) -> RunCli:
    """Return a function that runs lms-graphql with an empty database."""

    def command(*arguments: str, **options: str) -> Result:
        return run_cli(*arguments, **{"LMS_DATABASE_URL": empty_database, **options})

    return command


@pytest.fixture(scope="session", params=DATABASES)
def outbox_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return settings with a migrated database that no service uses, so that only the test delivers its mail."""
    return migrated_settings(request, tmp_path_factory, "lms_outbox")


@pytest.fixture
def outbox(outbox_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[OutboxHarness]:
    """Return an empty outbox, with the tests' own kind of mail registered."""
    monkeypatch.setitem(TEMPLATES, TEST_MAIL_KIND, render_test_mail)
    outbox = OutboxHarness(outbox_settings)
    yield outbox
    outbox.database.dispose()


@pytest.fixture
def mail_server() -> Iterator[tuple[Mailbox, str]]:
    """Run a mail server for one test. Yield its mailbox and its URL."""
    with run_mail_server() as server:
        yield server
