"""GraphQL over HTTP: an envelope in, an answer out.

Strawberry's own view answers malformed envelopes with 500, knows neither limits nor the GraphQL media type, and
has no end of time; what it would add here (uploads, batches, streams, WebSockets) is not offered.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any, TypeGuard, cast

import orjson
import structlog
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationType, execute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from strawberry.execution import optimized_is_awaitable

from lms_graphql.core.errors import RequestError, RequestFault
from lms_graphql.graph import answers
from lms_graphql.graph.allowance import SpentError, too_slow
from lms_graphql.graph.context import Context
from lms_graphql.graph.envelope import (
    GRAPHQL_JSON,
    JSON,
    READS,
    Bounds,
    Entrance,
    Envelope,
    EnvelopeError,
    media_type,
    open_envelope,
)
from lms_graphql.graph.executor import RowExecutor
from lms_graphql.graph.preparing import Operation, Prepared, Preparer
from lms_graphql.settings import Settings

logger = structlog.get_logger("lms_graphql.operations")

HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "vary": "accept, authorization"}
MORE_HEADERS = {405: {"allow": "POST"}, 503: {"retry-after": "1"}, 408: {"connection": "close"}}
LONGEST_NAME = 100
MOST_ARRIVING = 1_000
"""Requests of which a part has come."""
Answer = dict[str, Any]
_is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)


class GraphQLView:
    """
    `context_of` reads who asks from the request; it raises RequestError where that cannot be told. `is_busy` tells
    whether work waits for too long already.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        preparer: Preparer,
        settings: Settings,
        context_of: Callable[[Request], Awaitable[Context]],
        is_busy: Callable[[], bool],
    ) -> None:
        self._schema = schema
        self._preparer = preparer
        self._settings = settings
        self._entrance = Entrance()
        self._bounds = Bounds(settings.limit_body_bytes, settings.limit_json_depth, settings.limit_json_values)
        self._context_of = context_of
        self._is_busy = is_busy
        self._arriving = 0
        self._under_way = 0

    async def answer(self, request: Request) -> Response:
        """Who comes when too many are served, or wait too long, is sent away at once rather than late."""
        kind = JSON
        if self._arriving >= MOST_ARRIVING or self._is_full():
            return _busy()
        self._arriving += 1  # apart from those at work: a body that never comes costs nothing but its connection
        try:
            kind = media_type(request.headers.get("accept"))
            envelope = await self._open(request)
        except EnvelopeError as error:
            return _response(_refusal(answers.refused(error.code, error.message)), error.status, kind)
        except ClientDisconnect:
            return Response(status_code=499)
        finally:
            self._arriving -= 1
        if self._is_full():
            return _busy()
        self._under_way += 1
        try:
            return await self._answer(request, envelope, kind)
        finally:
            self._under_way -= 1

    def _is_full(self) -> bool:
        return self._under_way >= self._settings.limit_in_flight or self._is_busy()

    async def _answer(self, request: Request, envelope: Envelope, kind: str) -> Response:
        try:
            context = await self._asked_by(request)
        except RequestError as error:
            status = 401 if error.code is RequestFault.UNAUTHENTICATED else 503
            return _response(_refusal(answers.of_request(error)), status, kind)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception as error:  # the database, asked who this is
            return _response(_refusal(answers.masked(error)), 500, kind)
        started = time.perf_counter()
        prepared: Prepared | None = None
        try:
            prepared = self._preparer.prepare(envelope.query)
            answer, status = await self._run(prepared, envelope, context, request.method)
        except Exception as error:
            answer, status = _refusal(answers.masked(error)), 500
        finally:
            context.close()
        _log(envelope, prepared, answer, context, started)
        return _response(answer, status if kind == GRAPHQL_JSON or status not in {200, 400} else 200, kind)

    async def _open(self, request: Request) -> Envelope:
        try:
            async with asyncio.timeout(self._settings.limit_seconds):
                return await open_envelope(request, self._bounds, self._entrance)
        except TimeoutError:
            raise EnvelopeError(408, "The request did not arrive whole.", RequestFault.TIMEOUT) from None

    async def _asked_by(self, request: Request) -> Context:
        try:
            async with asyncio.timeout(self._settings.limit_seconds):
                return await self._context_of(request)
        except TimeoutError:
            raise RequestError(RequestFault.UNAVAILABLE, answers.BUSY) from None

    async def _run(self, prepared: Prepared, envelope: Envelope, context: Context, method: str) -> tuple[Answer, int]:
        """The answer and its HTTP status. 400: refused before anything ran; without `data` then."""
        if prepared.errors:
            return {"errors": list(prepared.errors)}, 400
        try:
            operation = prepared.operation(envelope.operation_name)
            cost = self._cost(operation, envelope, context)
        except RequestError as error:
            return _refusal(answers.of_request(error)), 400
        if method in READS and operation.kind is not OperationType.QUERY:
            message = "A GET request only reads: send a mutation by POST."
            return _refusal(answers.refused(RequestFault.BAD_USER_INPUT, message)), 405
        try:
            with context.courtesy.first() if operation.kind is OperationType.QUERY else nullcontext():
                result = await self._execute(prepared, operation, envelope, context)
        except SpentError as error:
            return _refusal(answers.of_request(error)), 504 if error.code is RequestFault.TIMEOUT else 400
        if result.errors and result.data is None and all(error.path is None for error in result.errors):
            answers.forget_traces(result.errors)
            return _refusal(*map(answers.of_variables, result.errors)), 400
        answer: Answer = {"data": result.data}
        if result.errors:
            answer["errors"] = [answers.of_field(error).formatted for error in result.errors]
            answers.forget_traces(result.errors)
        answer["extensions"] = {"cost": cost}
        return answer, 503 if _nothing_is_there(answer) else 200

    def _cost(self, operation: Operation, envelope: Envelope, context: Context) -> int:
        cost = operation.costs.of(envelope.variables or {})
        if cost > context.most_cost:
            message = (
                f"This request costs {min(cost, 10**9)}; at most {context.most_cost} is allowed."
                " Ask for fewer objects at once."
            )
            raise RequestError(RequestFault.QUERY_TOO_COMPLEX, message)
        return cost

    async def _execute(
        self, prepared: Prepared, operation: Operation, envelope: Envelope, context: Context
    ) -> ExecutionResult:
        assert prepared.document is not None
        try:
            async with asyncio.timeout(self._settings.limit_seconds):
                result = execute(
                    self._schema,
                    prepared.document,
                    context_value=context,
                    variable_values=envelope.variables,
                    operation_name=operation.name,
                    executor_class=RowExecutor,
                    is_awaitable=_is_awaitable,
                    hide_suggestions=self._settings.is_production,
                )
                whole = await result if _is_awaitable(result) else cast("ExecutionResult", result)
        except TimeoutError:
            raise SpentError(RequestFault.TIMEOUT, too_slow(self._settings.limit_seconds)) from None
        context.allowance.spend(0)
        return whole


def _nothing_is_there(answer: Answer) -> bool:
    """Whether the database was away for all of it, so that the whole may be asked again."""
    if any(value is not None for value in (answer["data"] or {}).values()):
        return False
    codes = [error.get("extensions", {}).get("code") for error in answer.get("errors", ())]
    return bool(codes) and all(code == RequestFault.UNAVAILABLE for code in codes)


def _busy() -> Response:
    return _response(_refusal(answers.refused(RequestFault.UNAVAILABLE, answers.BUSY)), 503, JSON)


def _refusal(*errors: GraphQLError) -> Answer:
    return {"errors": [error.formatted for error in errors]}


def _response(answer: Answer, status: int, kind: str) -> Response:
    headers = {**HEADERS, **MORE_HEADERS.get(status, {})}
    return Response(orjson.dumps(answer), status, headers=headers, media_type=f"{kind}; charset=utf-8")


def _log(envelope: Envelope, prepared: Prepared | None, answer: Answer, context: Context, started: float) -> None:
    """Never the document, the variables or a token; nor as a name what only claims to be one."""
    operations = prepared.operations if prepared is not None else {}
    name = envelope.operation_name if envelope.operation_name in operations else None
    if envelope.operation_name is None and len(operations) == 1:
        (name,) = operations
    codes = sorted({error.get("extensions", {}).get("code", "") for error in answer.get("errors", ())})
    logger.info(
        "operation",
        name=(name or "")[:LONGEST_NAME] or None,
        hash=hashlib.sha256(envelope.query.encode()).hexdigest()[:12],
        milliseconds=round((time.perf_counter() - started) * 1000, 2),
        statements=context.statements,
        cost=answer.get("extensions", {}).get("cost"),
        viewer=context.actor.id,
        errors=codes,
    )
