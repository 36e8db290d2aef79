"""`lms-graphql serve`: the server process."""

import contextlib
import gc
import os
import socket
import sys
from typing import Any

import click
import uvicorn
from uvicorn.config import STARTUP_FAILURE

from lms_graphql.billing.gateways.registry import require_packages
from lms_graphql.cli.metrics_server import shared_metrics
from lms_graphql.core import tracing
from lms_graphql.core.errors import OperatorError
from lms_graphql.draining_server import DrainingServer
from lms_graphql.http_protocol import PROTOCOL
from lms_graphql.operations.database_access import require_migrated
from lms_graphql.operations.production_checks import require_changed_seed_passwords, require_production_settings
from lms_graphql.settings import GatewayName, Settings, load_settings
from lms_graphql.worker_processes import IS_SPREAD_BY_KERNEL, WorkerSupervisor

APP = "lms_graphql.asgi:app"
"""Import path of the application's factory. A path, because worker processes import it themselves."""

WORKER_SECONDS = 30
"""Time in which a worker must start, or show that it lives. On a busy machine uvicorn's 5 seconds are too short."""


@click.command()
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", envvar="PORT", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Number of processes.")
@click.option("--reload", is_flag=True, help="Restart when the code changes. For development only.")
def serve(host: str, port: int, workers: int, reload: bool) -> None:
    """Serve the API. Needs a migrated database."""
    settings = load_settings()
    require_production_settings(settings, workers, reload)
    require_packages(settings)
    if settings.tracing:
        tracing.require_package()
    require_migrated(settings)
    require_changed_seed_passwords(settings)
    _require_free(host, port)
    if settings.metrics_port is not None:
        _require_free(settings.metrics_host, settings.metrics_port)
    set_default_urls(settings, _local_url(host, port))
    warn_of_gateways(settings)
    services = "GraphQL and GraphiQL" if settings.shows_graphiql else "GraphQL"
    click.echo(f"Serving {services} at {_base_url(host, port)}/graphql (stop with Ctrl-C)")
    gc.disable()  # `asgi.app` enables it. The start imports many objects that stay: collections took a fifth of it.
    options = _uvicorn_options(settings, host, port, workers, reload)
    with shared_metrics(settings, workers > 1):
        if workers > 1 and not reload and IS_SPREAD_BY_KERNEL:
            WorkerSupervisor(uvicorn.Config(APP, **options)).run()
        elif workers > 1 or reload:
            uvicorn.run(APP, **options)
        else:
            _run_one_process(uvicorn.Config(APP, **options))


def _run_one_process(config: uvicorn.Config) -> None:
    server = DrainingServer(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _uvicorn_options(settings: Settings, host: str, port: int, workers: int, reload: bool) -> dict[str, Any]:
    return {
        "factory": True,
        "host": host,
        "port": port,
        "workers": workers,
        "reload": reload,
        "http": PROTOCOL,
        "ws": "none",
        "timeout_keep_alive": settings.keep_alive_seconds,
        "access_log": False,
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": list(settings.trusted_proxies),
        "server_header": False,
        "timeout_graceful_shutdown": 20,
        "timeout_worker_healthcheck": WORKER_SECONDS,
        "log_level": "warning",
    }


def set_default_urls(settings: Settings, local_url: str) -> None:
    """Set URLs that are not configured, in the environment, so that the processes that serve know them.

    In production, warn about each. The front end is served elsewhere, so the local URL would not help.
    """
    if "service_url" not in settings.model_fields_set:
        os.environ["LMS_SERVICE_URL"] = local_url
        if settings.is_production:
            click.echo(f"LMS_SERVICE_URL is not set, so links to PDFs begin with {local_url}.", err=True)
    if "public_url" not in settings.model_fields_set:
        if settings.is_production:
            click.echo(f"LMS_PUBLIC_URL is not set, so links in mails begin with {settings.public_url}.", err=True)
        else:
            os.environ["LMS_PUBLIC_URL"] = local_url


def warn_of_gateways(settings: Settings) -> None:
    """Print a line for each setting with which buyers cannot pay real money in production."""
    if not settings.is_production:
        return
    for name in settings.test_account_settings:
        click.echo(f"{name} is that of a test account, so buyers do not pay real money.", err=True)
    if GatewayName.FAKE in settings.enabled_gateways:
        click.echo("LMS_PAYMENT_GATEWAYS has fake, so buyers need not pay at all.", err=True)
    if GatewayName.BANK_TRANSFER in settings.enabled_gateways and not settings.bank_account:
        click.echo("LMS_BANK_ACCOUNT is not set, so buyers are not told where to transfer money.", err=True)


def _base_url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _local_url(host: str, port: int) -> str:
    """Return the URL at which a program on this machine reaches the service."""
    return _base_url({"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host), port)  # noqa: S104


def _require_free(host: str, port: int) -> None:
    """Raise OperatorError if the port is taken, because uvicorn would report it late and in several lines."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError as error:
            message = f"Port {port} on {host} cannot be used: {error.strerror}. Choose another with --port."
            raise OperatorError(message) from None
