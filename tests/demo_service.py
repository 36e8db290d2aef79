"""A running service with demo data, set up like `scripts/serve` does it. The seed users share one password."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from lms_graphql import settings
from lms_graphql.demo.builder import build_demo
from lms_graphql.operations import migrations, seed_data
from lms_graphql.operations.database_access import open_database
from tests.live_service import Client, Service, run_service
from tests.mariadb import free_port

PASSWORD = "one-for-the-three-of-them"
LOGIN = "mutation Login($input: LoginInput!) { login(input: $input) { session { accessToken } } }"


@contextlib.contextmanager
def run_demo_service(folder: Path, learners: int) -> Iterator[Service]:
    """Run a service with all written courses and this number of learners, on SQLite."""
    port = free_port()
    environment = {
        "LMS_DATABASE_URL": f"sqlite:///{folder}/lms.db",
        "LMS_SERVICE_URL": f"http://127.0.0.1:{port}",  # the page of the fake gateway sends its webhooks there
    }
    configuration = settings.load_settings(environment, Path("/nowhere"))
    with open_database(configuration) as database:
        migrations.migrate(database.engine)
        database.write_sync(lambda session: seed_data.seed(session, PASSWORD))
        database.write_sync(lambda session: build_demo(session, courses=30, learners=learners))
    with run_service(configuration, port) as service:
        yield service


def seed_user_token(client: Client, name: str) -> str:
    """Log in as a seed user, such as "instructor". Return the access token."""
    login = {"email": f"{name}@learnwithroko.com", "password": PASSWORD}
    token: str = client.execute(LOGIN, input=login)["login"]["session"]["accessToken"]
    return token
