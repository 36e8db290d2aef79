"""What a server process runs: the application as the environment sets it up. For `uvicorn --factory`, too."""

import logging
import sys

import structlog
from starlette.applications import Starlette

from lms_graphql import settings
from lms_graphql.app import make_app


def app() -> Starlette:
    configure_logs()
    return make_app(settings.read())


def configure_logs() -> None:
    """One JSON line an event, on standard error; uvicorn's own lines stay as they are."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
