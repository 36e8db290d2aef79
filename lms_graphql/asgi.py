"""Entry point of a server process: the application with the settings of the environment.

It also works as `uvicorn --factory lms_graphql.asgi:app`.
"""

import gc
import logging
import sys
from typing import TextIO

import structlog
from starlette.applications import Starlette
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

from lms_graphql import settings
from lms_graphql.app import create_app
from lms_graphql.core.errors import UnsafeConfigurationError
from lms_graphql.operations.production_checks import require_changed_seed_passwords, require_production_settings

GC_THRESHOLD = 50_000
"""New objects between two garbage collections.

A response of thousands of rows would otherwise start dozens of collections that find nothing.
"""


def app() -> Starlette:
    """Return the application. Exit with status 3 if the configuration is unsafe in production."""
    configure_logging()
    configuration = settings.load_settings()
    try:
        require_production_settings(configuration)
        require_changed_seed_passwords(configuration)
    except UnsafeConfigurationError as error:
        sys.stderr.write(f"lms-graphql: {error}\n")
        sys.exit(error.exit_code)
    application = create_app(configuration)
    gc.collect()
    gc.freeze()  # because the schema and the models live as long as the process: collections skip them
    gc.set_threshold(GC_THRESHOLD, 20, 50)
    return application


def configure_logging(file: TextIO = sys.stderr) -> None:
    """Log one JSON line for each event, including those of libraries. Uvicorn's own lines stay as they are.

    Further calls in the same process change nothing.
    """
    if structlog.is_configured():
        return
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*processors, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=file),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(file)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
        )
    )
    logging.getLogger().addHandler(handler)
