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

from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.graph import error_formatting
from lms_graphql.graph.context import Context
from lms_graphql.graph.documents import DocumentCache, Operation, PreparedDocument
from lms_graphql.graph.execution.executor import RowExecutor
from lms_graphql.graph.execution.response_budget import BudgetExceededError, timeout_message
from lms_graphql.graph.http.request import (
    GRAPHQL_JSON,
    JSON,
    SAFE_METHODS,
    GraphQLRequest,
    HTTPRequestError,
    LargeBodyLimiter,
    RequestLimits,
    negotiate_media_type,
    read_request,
)
from lms_graphql.settings import Settings

logger = structlog.get_logger("lms_graphql.operations")

HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "vary": "accept, authorization"}
STATUS_HEADERS = {405: {"allow": "POST"}, 503: {"retry-after": "1"}, 408: {"connection": "close"}}
MAX_NAME_LENGTH = 100
MAX_ARRIVING = 1_000
"""Requests of which a part has come."""
ResponseBody = dict[str, Any]
_is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)


class GraphQLView:
    """
    `context_of` reads who asks from the request; it raises RequestError where that cannot be told. `is_busy` tells
    whether work waits for too long already.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        preparer: DocumentCache,
        settings: Settings,
        context_of: Callable[[Request], Awaitable[Context]],
        is_busy: Callable[[], bool],
    ) -> None:
        self._schema = schema
        self._preparer = preparer
        self._settings = settings
        self._entrance = LargeBodyLimiter()
        self._bounds = RequestLimits(settings.limit_body_bytes, settings.limit_json_depth, settings.limit_json_values)
        self._context_of = context_of
        self._is_busy = is_busy
        self._arriving = 0
        self._under_way = 0

    async def handle(self, request: Request) -> Response:
        """Who comes when too many are served, or wait too long, is sent away at once rather than late."""
        kind = JSON
        if self._arriving >= MAX_ARRIVING or self._is_full():
            return _busy()
        self._arriving += 1  # apart from those at work: a body that never comes costs nothing but its connection
        try:
            kind = negotiate_media_type(request.headers.get("accept"))
            envelope = await self._open(request)
        except HTTPRequestError as error:
            return _response(_refusal(error_formatting.graphql_error(error.code, error.message)), error.status, kind)
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

    async def _answer(self, request: Request, envelope: GraphQLRequest, kind: str) -> Response:
        try:
            context = await self._asked_by(request)
        except RequestError as error:
            status = 401 if error.code is RequestErrorCode.UNAUTHENTICATED else 503
            return _response(_refusal(error_formatting.from_request_error(error)), status, kind)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception as error:  # the database, asked who this is
            return _response(_refusal(error_formatting.mask_internal_error(error)), 500, kind)
        started = time.perf_counter()
        prepared: PreparedDocument | None = None
        try:
            prepared = self._preparer.prepare(envelope.query)
            answer, status = await self._run(prepared, envelope, context, request.method)
        except Exception as error:
            answer, status = _refusal(error_formatting.mask_internal_error(error)), 500
        finally:
            context.close()
        _log(envelope, prepared, answer, context, started)
        return _response(answer, status if kind == GRAPHQL_JSON or status not in {200, 400} else 200, kind)

    async def _open(self, request: Request) -> GraphQLRequest:
        try:
            async with asyncio.timeout(self._settings.limit_seconds):
                return await read_request(request, self._bounds, self._entrance)
        except TimeoutError:
            raise HTTPRequestError(408, "The request did not arrive whole.", RequestErrorCode.TIMEOUT) from None

    async def _asked_by(self, request: Request) -> Context:
        try:
            async with asyncio.timeout(self._settings.limit_seconds):
                return await self._context_of(request)
        except TimeoutError:
            raise RequestError(RequestErrorCode.UNAVAILABLE, error_formatting.BUSY_MESSAGE) from None

    async def _run(
        self, prepared: PreparedDocument, envelope: GraphQLRequest, context: Context, method: str
    ) -> tuple[ResponseBody, int]:
        """The answer and its HTTP status. 400: refused before anything ran; without `data` then."""
        if prepared.errors:
            return {"errors": list(prepared.errors)}, 400
        try:
            operation = prepared.operation(envelope.operation_name)
            cost = self._cost(operation, envelope, context)
        except RequestError as error:
            return _refusal(error_formatting.from_request_error(error)), 400
        if method in SAFE_METHODS and operation.kind is not OperationType.QUERY:
            message = "A GET request only reads: send a mutation by POST."
            return _refusal(error_formatting.graphql_error(RequestErrorCode.BAD_USER_INPUT, message)), 405
        try:
            with context.courtesy.reader() if operation.kind is OperationType.QUERY else nullcontext():
                result = await self._execute(prepared, operation, envelope, context)
        except BudgetExceededError as error:
            return _refusal(
                error_formatting.from_request_error(error)
            ), 504 if error.code is RequestErrorCode.TIMEOUT else 400
        if result.errors and result.data is None and all(error.path is None for error in result.errors):
            error_formatting.clear_tracebacks(result.errors)
            return _refusal(*map(error_formatting.from_variable_error, result.errors)), 400
        answer: ResponseBody = {"data": result.data}
        if result.errors:
            answer["errors"] = [error_formatting.from_field_error(error).formatted for error in result.errors]
            error_formatting.clear_tracebacks(result.errors)
        answer["extensions"] = {"cost": cost}
        return answer, 503 if _nothing_is_there(answer) else 200

    def _cost(self, operation: Operation, envelope: GraphQLRequest, context: Context) -> int:
        cost = operation.costs.total(envelope.variables or {})
        if cost > context.max_cost:
            message = (
                f"This request costs {min(cost, 10**9)}; at most {context.max_cost} is allowed."
                " Ask for fewer objects at once."
            )
            raise RequestError(RequestErrorCode.QUERY_TOO_COMPLEX, message)
        return cost

    async def _execute(
        self, prepared: PreparedDocument, operation: Operation, envelope: GraphQLRequest, context: Context
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
            raise BudgetExceededError(
                RequestErrorCode.TIMEOUT, timeout_message(self._settings.limit_seconds)
            ) from None
        context.budget.spend(0)
        return whole


def _nothing_is_there(answer: ResponseBody) -> bool:
    """Whether the database was away for all of it, so that the whole may be asked again."""
    if any(value is not None for value in (answer["data"] or {}).values()):
        return False
    codes = [error.get("extensions", {}).get("code") for error in answer.get("errors", ())]
    return bool(codes) and all(code == RequestErrorCode.UNAVAILABLE for code in codes)


def _busy() -> Response:
    return _response(
        _refusal(error_formatting.graphql_error(RequestErrorCode.UNAVAILABLE, error_formatting.BUSY_MESSAGE)),
        503,
        JSON,
    )


def _refusal(*errors: GraphQLError) -> ResponseBody:
    return {"errors": [error.formatted for error in errors]}


def _response(answer: ResponseBody, status: int, kind: str) -> Response:
    headers = {**HEADERS, **STATUS_HEADERS.get(status, {})}
    return Response(orjson.dumps(answer), status, headers=headers, media_type=f"{kind}; charset=utf-8")


def _log(
    envelope: GraphQLRequest,
    prepared: PreparedDocument | None,
    answer: ResponseBody,
    context: Context,
    started: float,
) -> None:
    """Never the document, the variables or a token; nor as a name what only claims to be one."""
    operations = prepared.operations if prepared is not None else {}
    name = envelope.operation_name if envelope.operation_name in operations else None
    if envelope.operation_name is None and len(operations) == 1:
        (name,) = operations
    codes = sorted({error.get("extensions", {}).get("code", "") for error in answer.get("errors", ())})
    logger.info(
        "operation",
        name=(name or "")[:MAX_NAME_LENGTH] or None,
        hash=hashlib.sha256(envelope.query.encode()).hexdigest()[:12],
        milliseconds=round((time.perf_counter() - started) * 1000, 2),
        statements=context.statement_count,
        cost=answer.get("extensions", {}).get("cost"),
        viewer=context.actor.key,
        errors=codes,
    )
