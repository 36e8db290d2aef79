"""Logging as JSON lines, for our events and those of libraries."""

import json
import logging
import sys
from typing import Any, TextIO

import orjson
import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor


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
        processors=[*processors, structlog.processors.JSONRenderer(_to_json)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=file),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(file)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer(_to_json)],
        )
    )
    logging.getLogger().addHandler(handler)


def _to_json(event: Any, **options: Any) -> str:
    """Return the event as ASCII JSON, so that no line depends on the encoding of the file or has other line breaks.

    orjson is faster, but knows neither all values nor all texts that Python has.
    """
    try:
        line = orjson.dumps(event, default=options["default"])
    except TypeError:
        return json.dumps(event, **options)
    return line.decode() if line.isascii() else json.dumps(orjson.loads(line))
