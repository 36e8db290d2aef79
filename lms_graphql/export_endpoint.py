"""`GET /exports/{kind}.csv`: transactions, earnings and payouts as CSV, with an access token in the header."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from lms_graphql.authentication import Authenticator
from lms_graphql.billing.reads.exports import START, Batch, ExportKind, Position, may_export, read_batch
from lms_graphql.core import clock, db_errors
from lms_graphql.core.actor import Actor
from lms_graphql.core.csv_format import MEDIA_TYPE
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.graph.context import AppResources

KINDS = {kind.value for kind in ExportKind}
MAX_EXPORTS = 8
"""Exports of a process at once, at most one of each user. More get 503."""
MAX_STALL_SECONDS = 30
"""Time in which a client must take a batch. After it, the connection is closed, so that other users can export."""
HEADERS = {"cache-control": "no-store", "x-robots-tag": "noindex"}
NOT_SIGNED_IN = "Send an access token in the header: Authorization: Bearer …"
NOT_ALLOWED = "Only instructors and super admins get this export."
NOT_FOUND = "There is no such export. There are transactions.csv, earnings.csv and payouts.csv."
BUSY = "The service is busy, or another export of yours is running. Try again in a moment."

log = structlog.get_logger("lms_graphql.exports")


class ExportEndpoint:
    """The endpoint. `is_busy` returns whether reads wait too long."""

    def __init__(self, resources: AppResources, authenticator: Authenticator, is_busy: Callable[[], bool]) -> None:
        self._resources = resources
        self._authenticator = authenticator
        self._is_busy = is_busy
        self._exporting: set[int] = set()
        """Keys of the users whose exports are running."""

    async def handle(self, request: Request) -> Response:
        try:
            actor = await self._authenticator(self._resources, request)
        except RequestError as error:
            return _unauthorized(error.message) if error.code is RequestErrorCode.UNAUTHENTICATED else _busy()
        if not actor.is_signed_in:
            return _unauthorized(NOT_SIGNED_IN)
        name = request.path_params["kind"]
        if name not in KINDS:
            return _text_response(NOT_FOUND, 404)
        if not may_export(actor, ExportKind(name)):
            return _text_response(NOT_ALLOWED, 403)
        headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}.csv"'}
        if request.method == "HEAD":
            return Response(headers=headers, media_type=MEDIA_TYPE)
        return await self._download(actor, ExportKind(name), headers)

    async def _download(self, actor: Actor, kind: ExportKind, headers: Mapping[str, str]) -> Response:
        """Read the first batch and return the response, so that a database that is unavailable leads to 503."""
        assert actor.key is not None
        if self._is_busy() or len(self._exporting) >= MAX_EXPORTS or actor.key in self._exporting:
            return _busy()
        key, export = actor.key, _Export(self._resources, actor, kind)
        self._exporting.add(key)
        try:
            first = await export.read(START)
        except BaseException as error:
            self._exporting.discard(key)
            if isinstance(error, TimeoutError) or db_errors.is_unavailable(error):
                return _busy()
            raise
        return _Download(export.lines(first), headers, lambda: self._exporting.discard(key))


class _Export:
    """An export of the rows that exist when it begins."""

    def __init__(self, resources: AppResources, actor: Actor, kind: ExportKind) -> None:
        self._resources = resources
        self._actor = actor
        self._kind = kind
        self._until = clock.now()

    async def read(self, position: Position) -> Batch:
        async with asyncio.timeout(self._resources.settings.limit_seconds):
            return await self._resources.database.read(
                lambda session: read_batch(session, self._actor, self._kind, self._until, position)
            )

    async def lines(self, batch: Batch) -> AsyncIterator[bytes]:
        """Yield the lines of the batch and of all that follow it."""
        row_count = batch.row_count
        yield batch.lines
        while batch.position is not None:
            batch = await self.read(batch.position)
            row_count += batch.row_count
            yield batch.lines
        log.info("export_finished", kind=self._kind.value, viewer=self._actor.key, rows=row_count)


class _Download(StreamingResponse):
    """A streamed file. `on_end` is called when it has ended in any way, perhaps twice."""

    def __init__(self, lines: AsyncIterator[bytes], headers: Mapping[str, str], on_end: Callable[[], None]) -> None:
        super().__init__(self._until_end(lines), headers=headers, media_type=MEDIA_TYPE)
        self._on_end = on_end

    async def _until_end(self, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for batch in lines:
            yield batch
        self._on_end()  # before the client sees the end: it may begin its next export at once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(MAX_STALL_SECONDS):
                await send(message)

        try:
            await super().__call__(scope, receive, send_in_time)
        except TimeoutError:  # uvicorn closes the connection, so that the client knows that the file is incomplete
            log.warning("export_aborted")
        finally:
            self._on_end()


def _unauthorized(message: str) -> Response:
    return _text_response(message, 401, {"www-authenticate": "Bearer"})


def _busy() -> Response:
    return _text_response(BUSY, 503, {"retry-after": "1"})


def _text_response(text: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers={**HEADERS, **(headers or {})})
