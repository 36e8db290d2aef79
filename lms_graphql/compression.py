"""Compression of responses in zstd, Brotli or gzip, and static files that were compressed when they were built."""

import os
import re
from mimetypes import guess_type

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from starlette_compress import CompressMiddleware, add_compress_type

from lms_graphql.graph.http.request import GRAPHQL_JSON

LEVEL = 1
"""Level of all encodings, the cheapest one: higher levels save 5 to 15 % of the bytes, and take up to five times as
long. A tree of 100 lectures shrinks from 24 to 5 KB in 55 (zstd), 75 (Brotli) or 100 µs (gzip)."""
FILE_ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""Encodings of built files and the suffixes of their names, the smallest first."""

REJECTED = re.compile(r"q\s*=\s*0(\.0*)?")
"""Weight of an encoding that the client does not accept."""


def compression(min_bytes: int) -> Middleware:
    """Return the middleware that compresses responses of at least `min_bytes` bytes.

    The encoding is zstd if the client accepts it, else Brotli, else gzip.
    """
    add_compress_type(GRAPHQL_JSON)
    return Middleware(
        CompressMiddleware, minimum_size=min_bytes, zstd_level=LEVEL, brotli_quality=LEVEL, gzip_level=LEVEL
    )


class PrecompressedFiles(StaticFiles):
    """Static files whose names have a hash of their content. Compressed copies lie beside them.

    Clients get a copy if they accept its encoding. They may cache the files forever.
    """

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        accepted = _accepted_encodings(Headers(scope=scope).get("accept-encoding", ""))
        for encoding, suffix in FILE_ENCODINGS.items():
            copy = f"{os.fspath(full_path)}{suffix}"
            if encoding in accepted and os.path.isfile(copy):
                response = super().file_response(copy, os.stat(copy), scope, status_code)
                response.headers["content-encoding"] = encoding
                response.headers["content-type"] = guess_type(full_path)[0] or "application/octet-stream"
                break
        else:
            response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        response.headers.add_vary_header("accept-encoding")
        return response


def _accepted_encodings(header: str) -> set[str]:
    offers = [[part.strip().lower() for part in offer.split(";")] for offer in header.split(",")]
    return {name for name, *parameters in offers if not any(REJECTED.fullmatch(part) for part in parameters)}
