"""Log lines: one line of JSON for each event, whatever its values and the encoding of the terminal."""

import json
import os
import subprocess
import sys

import pytest

LOG_EVENT = """
import structlog
from lms_graphql.json_logging import configure_logging
configure_logging()
structlog.get_logger().info("event", value={value})
"""


@pytest.mark.parametrize("value", ["é\u2028", "\ud800", {1: "é"}, 2**70])
def test_log_line_is_json_in_every_encoding(value: object) -> None:
    process = subprocess.run(
        [sys.executable, "-c", LOG_EVENT.format(value=ascii(value))],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
    )
    assert process.stderr.isascii()
    expected = {"1": "é"} if value == {1: "é"} else value
    assert json.loads(process.stderr)["value"] == expected
