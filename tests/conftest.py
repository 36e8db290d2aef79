"""Real databases, a real server. `pytest -m "not slow"` keeps to SQLite; everything runs on MariaDB, too."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, insert

from lms_graphql import settings
from lms_graphql.asgi import configure_logging
from lms_graphql.cli import main
from lms_graphql.core.named_locks import NamedLock
from lms_graphql.mail.templates import TEMPLATES
from lms_graphql.operations import migrations
from lms_graphql.operations.background import MAINTENANCE_LEASE
from lms_graphql.operations.database_access import open_database
from lms_graphql.settings import Settings
from tests import mariadb
from tests.cli import CLEAN, Run
from tests.factories import Factories
from tests.live_service import Client, Logged, Service, Statements, running
from tests.mail_servers import KIND, OutboxUnderTest, Postbox, post_office, worded
from tests.processes import Fleet, fleet

LOGGED = Logged()
configure_logging(LOGGED)
hypothesis.settings.register_profile("calm", deadline=None)  # a slow machine is no fault
hypothesis.settings.load_profile("calm")

DATABASES = ["sqlite", pytest.param("mariadb", marks=pytest.mark.slow)]
MANY = ("not slow", "not alone")
"""What takes long enough to be shared out, and leaves out those that measure time."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """`pytest -m "not slow"` takes all cores. One file, or what is looked into, keeps to one process."""
    option = config.option
    named = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or option.keyword
    looked_into = option.usepdb or option.trace or option.capture == "no" or option.collectonly
    if option.markexpr in MANY and option.numprocesses is None and not (named or looked_into or is_part(config)):
        option.numprocesses, option.maxprocesses = "auto", option.maxprocesses or 4


def is_part(config: pytest.Config) -> bool:
    """Whether this is one of the processes that share the tests."""
    return hasattr(config, "workerinput")


def pytest_collection() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    """What was imported and collected is there to stay: the collector need not look through it again and again."""
    gc.enable()
    gc.freeze()


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.get_closest_marker("alone"):
        item.add_marker("slow")  # the quick ones run side by side


class MariaDB:
    """The tests' server; each who asks gets an empty database of their own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def new_database(self, name: str) -> str:
        mariadb.create_database(self.folder, name)
        return mariadb.address(self.port, name)


@pytest.fixture(scope="session")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    folder = tmp_path_factory.mktemp("mariadb")
    with mariadb.private_server(folder) as port:
        yield MariaDB(folder, port)


@pytest.fixture(scope="session", params=DATABASES)
def service_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a migrated, empty database of each kind."""
    return migrated(request, tmp_path_factory, "lms_service")


def migrated(request: pytest.FixtureRequest, folders: pytest.TempPathFactory, name: str) -> Settings:
    if request.param == "sqlite":
        url = f"sqlite:///{folders.mktemp(name)}/lms.db"
    else:
        url = request.getfixturevalue("maria").new_database(name)
    read = settings.load_settings({"LMS_DATABASE_URL": url}, dotenv=Path("/nowhere"))
    with open_database(read) as database:
        migrations.migrate(database.engine)
    return read


@pytest.fixture(scope="session")
def mail_server() -> Iterator[tuple[Postbox, str]]:
    with post_office() as there:
        yield there


@pytest.fixture(scope="session")
def running_service(service_settings: Settings, mail_server: tuple[Postbox, str]) -> Iterator[Service]:
    with running(service_settings.model_copy(update={"smtp_url": mail_server[1]})) as service:
        yield service


@pytest.fixture
def postbox(service: Service, mail_server: tuple[Postbox, str]) -> Postbox:
    """The mail that the service sends."""
    mail_server[0].taken.clear()
    return mail_server[0]


@pytest.fixture
def service(running_service: Service) -> Service:
    running_service.empty()
    return running_service


@pytest.fixture(scope="session")
def running_fleet(maria: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two processes on one MariaDB. Everybody asks from one address here, which may fail as often as it likes."""
    url = maria.new_database("lms_fleet")
    with fleet(tmp_path_factory.mktemp("fleet"), url, LMS_LOGIN_FAILURES_PER_ADDRESS="1000000") as running:
        yield running


@pytest.fixture
def two_processes(running_fleet: Fleet) -> Fleet:
    running_fleet.empty()
    return running_fleet


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    client = Client(service)
    yield client
    client.close()


@pytest.fixture
def make(service: Service) -> Factories:
    return Factories(service.database)


@pytest.fixture
def logged() -> Logged:
    """What the service of the tests logs from here on."""
    LOGGED.lines.clear()
    return LOGGED


@pytest.fixture
def unswept(service: Service) -> None:
    """The service's own sweep stays away: what is due waits for the test."""
    stay_unswept(service)


def stay_unswept(service: Service) -> None:
    row = {"name": MAINTENANCE_LEASE, "taken_at": datetime(2096, 1, 1, tzinfo=UTC)}
    with service.engine.begin() as connection:
        connection.execute(
            delete(NamedLock).where(NamedLock.name == MAINTENANCE_LEASE)
        )  # the service may have begun to sweep just now
        connection.execute(insert(NamedLock), row)


@pytest.fixture
def statements(service: Service) -> Statements:
    return Statements(service.database)


@pytest.fixture(params=DATABASES)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of each kind without a single table, for tests of migrations and commands."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/lms.db"
    url: str = request.getfixturevalue("maria").new_database("lms_commands")
    return url


@pytest.fixture
def anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs lms-graphql in a folder of its own, with these settings and no others."""
    monkeypatch.chdir(tmp_path)

    def command(*words: str, typed: str = "", **environment: str) -> Result:
        return CliRunner().invoke(main, words, input=typed, env={**CLEAN, **environment}, prog_name="lms-graphql")

    return command


@pytest.fixture
def run(anywhere: Run, empty_database: str) -> Run:
    """Runs lms-graphql against an empty database."""

    def command(*words: str, **options: str) -> Result:
        return anywhere(*words, **{"LMS_DATABASE_URL": empty_database, **options})

    return command


@pytest.fixture(scope="session", params=DATABASES)
def outbox_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a migrated database that no service serves, so that nobody but the test sends its mail."""
    return migrated(request, tmp_path_factory, "lms_outbox")


@pytest.fixture
def outbox(outbox_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[OutboxUnderTest]:
    monkeypatch.setitem(TEMPLATES, KIND, worded)
    outbox = OutboxUnderTest(outbox_settings)
    yield outbox
    outbox.database.dispose()


@pytest.fixture
def office() -> Iterator[tuple[Postbox, str]]:
    """A mail server and its address."""
    with post_office() as there:
        yield there
