"""The command line. What it does is in `operating` and `demo`; here it is asked for, and told."""

import sys
from typing import NoReturn

import click
import uvicorn

from lms_graphql import settings
from lms_graphql.core.errors import OperatorError
from lms_graphql.schema import schema as the_schema


class Commands(click.Group):
    """Says in one line what whoever operates the service must mend, without a trace."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except OperatorError as error:
            _stop(str(error))


def _stop(message: str, code: int = 1) -> NoReturn:
    click.echo(f"lms-graphql: {message}", err=True)
    sys.exit(code)


@click.group(cls=Commands)
@click.version_option(package_name="lms-graphql")
def main() -> None:
    """A learning platform's back end as one GraphQL API."""


@main.command()
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True)
@click.option("--port", envvar="PORT", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--reload", is_flag=True, help="Start again when the code changes.")
def serve(host: str, port: int, workers: int, reload: bool) -> None:
    """Serve the API."""
    settings.read()
    uvicorn.run(
        "lms_graphql.serving:app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        reload=reload,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=20,
        log_level="warning",
    )


@main.command()
def schema() -> None:
    """Print the schema in GraphQL's schema language."""
    click.echo(the_schema.as_str())
