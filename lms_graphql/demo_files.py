"""Static files of the demo data: pictures, a video and a PDF, at `/demo/…`."""

import os
from pathlib import Path

from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from lms_graphql.demo import media

FOLDER = Path(__file__).parent / "static" / "demo"
HEADERS = {
    "cache-control": "public, max-age=86400",
    "cross-origin-resource-policy": "cross-origin",  # front ends of other origins show them
}
SVG_CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""A browser that opens an SVG runs its scripts. These files have none, and could run none."""


class DemoFiles(StaticFiles):
    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS)
        if str(full_path).endswith(".svg"):
            response.headers["content-security-policy"] = SVG_CSP
        return response


def route() -> Mount:
    return Mount(media.PATH, DemoFiles(directory=FOLDER))
