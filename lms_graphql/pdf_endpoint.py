"""Endpoints that serve PDFs at `/…/{code}.pdf`, to everyone who knows the code."""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from lms_graphql.accounts.services.sessions import AuthContext
from lms_graphql.certificates.services import verification
from lms_graphql.core import codes, db_errors
from lms_graphql.core.actor import ANONYMOUS
from lms_graphql.core.errors import RequestError
from lms_graphql.graph.context import AppResources
from lms_graphql.settings import Settings

MAX_QUEUED = 16
"""PDFs in the queue: 0.5 to 2 seconds of work. Further requests get 503 at once."""
COMMON_HEADERS = {"x-robots-tag": "noindex"}
CACHE_HEADERS = {"cache-control": "private, no-cache"}
"""Browsers may store the PDF but must revalidate it each time, because a certificate may be revoked, for example."""
NO_STORE_HEADERS = {"cache-control": "no-store"}


class PdfFile(NamedTuple):
    """A PDF that is rendered if the browser has not cached it. Its ETag changes with content and design version."""

    name: str
    content: Any
    render: Callable[[Any], bytes]
    design_version: int

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(repr((self.design_version, self.content)).encode()).hexdigest()[:32]}"'


class Gone(NamedTuple):
    """The answer for a code whose PDF is not served any more."""

    message: str


class PdfKind(NamedTuple):
    """PDFs of one kind. `find` returns the one with a code, or None if there is no such code."""

    find: Callable[[Session, Settings, str], PdfFile | Gone | None]
    not_found_message: str


class PdfRenderer:
    """A thread that renders PDFs. There is one in a process, because the fonts are not thread-safe."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="pdf")
        self._queued = 0

    async def render(self, file: PdfFile) -> bytes | None:
        """Return the PDF, or None if too many are in the queue."""
        if self._queued >= MAX_QUEUED:
            return None
        self._queued += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, file.render, file.content)
        finally:
            self._queued -= 1

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


class PdfEndpoint:
    """The endpoint of one kind.

    `client_ip` returns the client IP, `is_busy` whether work waits too long.
    """

    def __init__(
        self,
        resources: AppResources,
        renderer: PdfRenderer,
        client_ip: Callable[[Request], str],
        is_busy: Callable[[], bool],
        kind: PdfKind,
    ) -> None:
        self._resources = resources
        self._renderer = renderer
        self._client_ip = client_ip
        self._is_busy = is_busy
        self._kind = kind

    async def handle(self, request: Request) -> Response:
        if (code := codes.normalize_code(request.path_params["code"])) is None:
            return text_response(self._kind.not_found_message, 404)
        if self._is_busy():
            return busy_response()
        try:
            async with asyncio.timeout(self._resources.settings.limit_seconds):
                return await self._respond(request, code)
        except TimeoutError:
            return busy_response()
        except Exception as error:
            # A failure may be counted twice if a commit is unknown, which is harmless.
            if db_errors.is_repeatable(error):
                return busy_response()
            raise

    async def _respond(self, request: Request, code: str) -> Response:
        settings = self._resources.settings
        file = await self._resources.database.read(lambda session: self._kind.find(session, settings, code))
        if file is None:
            return await self._not_found(request)
        if isinstance(file, Gone):
            return text_response(file.message, 410)
        headers = {**COMMON_HEADERS, **CACHE_HEADERS, "etag": file.etag}
        if file.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if (pdf := await self._renderer.render(file)) is None:
            return busy_response()
        headers["content-disposition"] = f'inline; filename="{file.name}"'
        return Response(pdf, headers=headers, media_type="application/pdf")

    async def _not_found(self, request: Request) -> Response:
        """Count the failure against the rate limit of the client, as `verifyCertificate` does.

        Otherwise codes could be guessed here.
        """
        resources = self._resources
        auth = AuthContext(resources.signer, resources.settings, self._client_ip(request))
        try:
            await resources.database.write(
                lambda session: verification.count_failed_verification(session, ANONYMOUS, auth)
            )
        except RequestError as error:
            retry_after = resources.settings.login_window_minutes * 60
            return text_response(error.message, 429, {"retry-after": str(retry_after)})
        return text_response(self._kind.not_found_message, 404)


def text_response(text: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers={**COMMON_HEADERS, **NO_STORE_HEADERS, **(headers or {})})


def busy_response() -> Response:
    return text_response("The service is busy. Try again in a moment.", 503, {"retry-after": "1"})
