"""The command line. What it does is in `operations` and `demo`; here it is asked for, and told."""

import socket
import sys
from typing import NoReturn

import click
import uvicorn

from lms_graphql import settings
from lms_graphql.accounts.services.sessions import rotate_keys
from lms_graphql.asgi import configure_logging
from lms_graphql.cli.database import db, print_results
from lms_graphql.core.errors import OperatorError
from lms_graphql.graph.schema.builder import print_sdl
from lms_graphql.operations import maintenance
from lms_graphql.operations.database_access import open_database, require_migrated
from lms_graphql.operations.database_check import CheckResult
from lms_graphql.operations.production_checks import require_changed_seed_passwords, require_production_settings
from lms_graphql.schema import schema as the_schema


class OperatorErrorGroup(click.Group):
    """Says in one line what whoever operates the service must mend, without a trace."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except OperatorError as error:
            fail(str(error), error.exit_code)


def fail(message: str, code: int = 1) -> NoReturn:
    click.echo(f"lms-graphql: {message}", err=True)
    sys.exit(code)


@click.group(cls=OperatorErrorGroup)
@click.version_option(package_name="lms-graphql")
def main() -> None:
    """A learning platform's back end as one GraphQL API."""


main.add_command(db)


@main.command()
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True)
@click.option("--port", envvar="PORT", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option("--reload", is_flag=True, help="Start again when the code changes.")
def serve(host: str, port: int, workers: int, reload: bool) -> None:
    """Serve the API."""
    read = settings.load_settings()
    require_production_settings(read, workers, reload)
    require_migrated(read)
    require_changed_seed_passwords(read)
    _require_free(host, port)
    shown = f"[{host}]" if ":" in host else host
    offered = "GraphQL and GraphiQL" if read.shows_graphiql else "GraphQL"
    click.echo(f"{offered}: http://{shown}:{port}/graphql (stop with Ctrl-C)")
    uvicorn.run(
        "lms_graphql.asgi:app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        reload=reload,
        access_log=False,
        proxy_headers=bool(read.trusted_proxies),
        forwarded_allow_ips=list(read.trusted_proxies),
        server_header=False,
        timeout_graceful_shutdown=20,
        log_level="warning",
    )


def _require_free(host: str, port: int) -> None:
    """Uvicorn would start its processes first and then tell in several lines."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise OperatorError(f"Port {port} on {host} cannot be used: {error.strerror}. Try --port.") from None


@main.command()
def sweep() -> None:
    """Do what is due: count figures for instructors, send mail. As often as wanted; `serve` does it every minute."""
    configure_logging()
    read = settings.load_settings()
    require_migrated(read)
    with open_database(read) as database:
        print_results(maintenance.run_maintenance(database, read) or [CheckResult(True, "Nothing was due.")])


@main.group()
def keys() -> None:
    """Look after the keys that access tokens are signed with."""


@keys.command()
def rotate() -> None:
    """Sign with a new key from now on. What the old one has signed stays good until it expires."""
    read = settings.load_settings()
    require_migrated(read)
    with open_database(read) as database:
        click.echo(f"signing key: {database.write_sync(rotate_keys)}")


@main.command()
def schema() -> None:
    """Print the schema in GraphQL's schema language."""
    click.echo(print_sdl(the_schema), nl=False)
