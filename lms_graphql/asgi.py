"""What a server process runs: the application as the environment sets it up. For `uvicorn --factory`, too."""

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
"""Objects made between two collections. An answer of thousands of rows would set off dozens, which find nothing."""


def app() -> Starlette:
    configure_logging()
    read = settings.load_settings()
    try:
        require_production_settings(read)
        require_changed_seed_passwords(read)
    except UnsafeConfigurationError as error:
        sys.exit(_told(error))
    made = create_app(read)
    gc.collect()
    gc.freeze()  # the schema and the models stay: no collection need look at them again
    gc.set_threshold(GC_THRESHOLD, 20, 50)
    return made


def _told(error: UnsafeConfigurationError) -> int:
    sys.stderr.write(f"lms-graphql: {error}\n")
    return error.exit_code


def configure_logging(file: TextIO = sys.stderr) -> None:
    """Once a process: one JSON line an event, those of libraries included; uvicorn's own lines stay as they are."""
    if structlog.is_configured():
        return
    common: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*common, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=file),
        cache_logger_on_first_use=True,
    )
    libraries = logging.StreamHandler(file)
    libraries.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
        )
    )
    logging.getLogger().addHandler(libraries)
