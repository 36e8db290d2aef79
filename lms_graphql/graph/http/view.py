"""GraphQL over HTTP: the endpoint that turns a request into a response.

Strawberry's own view answers malformed requests with 500. It has no limits, no time limit and no GraphQL media type.
Its uploads, batches, streams and WebSockets are not needed here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import nullcontext

import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from lms_graphql.core import metrics, tracing
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.graph import error_formatting
from lms_graphql.graph.context import Context
from lms_graphql.graph.documents import DocumentCache, Operation, PreparedDocument
from lms_graphql.graph.execution.operation_runner import OperationRunner
from lms_graphql.graph.execution.response_budget import BudgetExceededError
from lms_graphql.graph.http.operation_log import OperationLog, ResponseBody
from lms_graphql.graph.http.public_responses import PublicResponses
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
from lms_graphql.graph.http.requested_documents import RequestedDocuments
from lms_graphql.settings import Settings

HEADERS = {"cache-control": "no-store", "vary": "accept, authorization"}
STATUS_HEADERS = {
    401: {"www-authenticate": 'Bearer error="invalid_token"'},
    405: {"allow": "POST"},
    408: {"connection": "close"},
    503: {"retry-after": "1"},
}
BUDGET_STATUSES = {RequestErrorCode.TIMEOUT: 504, RequestErrorCode.UNAVAILABLE: 503}
"""Statuses of operations that exceed their budget (400 for other codes) and of failed lookups (500)."""
CLIENT_CLOSED_REQUEST = 499
"""Status for logs and proxies, as nginx uses it. The client has disconnected and receives nothing."""
PERSISTED_QUERY_CODES = {
    RequestErrorCode.PERSISTED_QUERY_NOT_FOUND,
    RequestErrorCode.PERSISTED_QUERY_NOT_SUPPORTED,
}
MAX_INCOMPLETE_REQUESTS = 1_000
"""Requests of which only a part has arrived."""


class GraphQLView:
    """The endpoint.

    `create_context` authenticates the request and raises RequestError if it cannot. Its second argument returns
    whether the request runs anonymously if its token is not valid. `is_busy` returns whether work waits too long for
    the database. `requested` finds the documents that requests name. `public_responses` are those that a CDN may
    cache.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        documents: DocumentCache,
        settings: Settings,
        create_context: Callable[[Request, Callable[[], bool]], Awaitable[Context]],
        is_busy: Callable[[], bool],
        requested: RequestedDocuments,
        public_responses: PublicResponses,
    ) -> None:
        self._documents = documents
        self._settings = settings
        self._runner = OperationRunner(schema, settings)
        self._limiter = LargeBodyLimiter()
        self._limits = RequestLimits(settings.limit_body_bytes, settings.limit_json_depth, settings.limit_json_values)
        self._create_context = create_context
        self._is_busy = is_busy
        self._requested = requested
        self._public_responses = public_responses
        self._incomplete_requests = 0
        self._in_flight = 0
        self._log = OperationLog()

    async def handle(self, request: Request) -> Response:
        """Return the response. If too many requests are in flight or wait, reject this one at once with 503."""
        media_type, arrived_at = JSON, time.monotonic()
        if self._incomplete_requests >= MAX_INCOMPLETE_REQUESTS or self._is_full():
            return _busy()
        # Separate from `_in_flight`, because a body that never comes costs only a connection.
        self._incomplete_requests += 1
        try:
            media_type = negotiate_media_type(request.headers.get("accept"))
            graphql_request = await self._read(request)
        except HTTPRequestError as error:
            return _rejection(error, media_type)
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        finally:
            self._incomplete_requests -= 1
        if self._is_full():
            return _busy()
        self._in_flight += 1
        try:
            with metrics.IN_FLIGHT.track_inprogress():
                return await self._respond(request, graphql_request, media_type, arrived_at)
        finally:
            self._in_flight -= 1

    def _is_full(self) -> bool:
        return self._in_flight >= self._settings.limit_in_flight or self._is_busy()

    async def _respond(
        self, request: Request, graphql_request: GraphQLRequest, media_type: str, arrived_at: float
    ) -> Response:
        try:
            async with asyncio.timeout(self._remaining_seconds(arrived_at)):
                graphql_request = await self._requested.resolve(graphql_request)
                public_key = self._public_responses.key(request, graphql_request, media_type)
                if public_key is not None and (known := self._public_responses.find(public_key)) is not None:
                    return known.respond(request)
                context = await self._create_context(request, lambda: self._ignores_bad_token(graphql_request))
                await self._requested.require_allowed(graphql_request, is_super_admin=context.actor.is_super_admin)
            context.budget.count_time_from(arrived_at)
        except TimeoutError:
            return _rejection(RequestError(RequestErrorCode.UNAVAILABLE, error_formatting.BUSY_MESSAGE), media_type)
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except Exception as error:
            return _rejection(error, media_type)
        prepared, body, status = await self._execute(request, graphql_request, context)
        if public_key is not None and status == 200 and prepared is not None:
            operation = prepared.operation(graphql_request.operation_name)
            if (stored := self._public_responses.store(public_key, operation, body)) is not None:
                return stored.respond(request)
        return _response(body, status if media_type == GRAPHQL_JSON or status not in {200, 400} else 200, media_type)

    async def _execute(
        self, request: Request, graphql_request: GraphQLRequest, context: Context
    ) -> tuple[PreparedDocument | None, ResponseBody, int]:
        """Return the document, the response body and its HTTP status. Log the operation."""
        started = time.perf_counter()
        prepared: PreparedDocument | None = None
        try:
            prepared = self._documents.prepare(graphql_request.query)
            body, status = await self._run(prepared, graphql_request, context, request.method)
        except Exception as error:
            body, status = _errors(error_formatting.mask_internal_error(error)), 500
        finally:
            context.close()
        self._log.record(graphql_request, prepared, body, context, time.perf_counter() - started)
        return prepared, body, status

    async def _read(self, request: Request) -> GraphQLRequest:
        try:
            async with asyncio.timeout(self._settings.limit_seconds):
                return await read_request(request, self._limits, self._limiter)
        except TimeoutError:
            message = "The request body did not arrive in time. Send it again."
            raise HTTPRequestError(408, message, RequestErrorCode.TIMEOUT) from None

    def _remaining_seconds(self, arrived_at: float) -> float:
        """Return the time that is left. The time limit of the whole request began when it arrived."""
        return max(0.0, arrived_at + self._settings.limit_seconds - time.monotonic())

    def _ignores_bad_token(self, graphql_request: GraphQLRequest) -> bool:
        try:
            prepared = self._documents.prepare(graphql_request.query)
            return prepared.operation(graphql_request.operation_name).ignores_bad_token
        except RequestError:  # there is no such operation
            return False

    async def _run(
        self, prepared: PreparedDocument, graphql_request: GraphQLRequest, context: Context, method: str
    ) -> tuple[ResponseBody, int]:
        """Return the response body and its HTTP status.

        Status 400 means that the request was rejected before anything ran. The body has no `data` then.
        """
        if prepared.errors:
            return {"errors": list(prepared.errors)}, 400
        try:
            operation = prepared.operation(graphql_request.operation_name)
            cost = _cost(operation, graphql_request, context)
        except RequestError as error:
            return _errors(error_formatting.from_request_error(error)), 400
        if method in SAFE_METHODS and operation.kind is not OperationType.QUERY:
            message = "GET requests cannot run mutations. Send mutations by POST."
            return _errors(error_formatting.graphql_error(RequestErrorCode.BAD_USER_INPUT, message)), 405
        try:
            with (
                tracing.operation_span(operation.kind.value, operation.name),
                context.read_priority.reader() if operation.kind is OperationType.QUERY else nullcontext(),
            ):
                result = await self._runner.run(operation, graphql_request.variables, context, cost)
        except BudgetExceededError as error:
            status = BUDGET_STATUSES.get(error.code, 400)
            return _errors(error_formatting.from_budget_error(error, context.may_have_committed)), status
        return _result_body(result, cost, context)


def _cost(operation: Operation, graphql_request: GraphQLRequest, context: Context) -> int:
    """Return the cost of the operation. Raise QUERY_TOO_COMPLEX if it exceeds what the viewer may request."""
    cost = operation.costs.total(graphql_request.variables or {})
    if cost > context.max_cost:
        message = (
            f"This request costs {min(cost, 10**9)}, and at most {context.max_cost} is allowed."
            " Request fewer objects at once."
        )
        raise RequestError(RequestErrorCode.QUERY_TOO_COMPLEX, message)
    return cost


def _result_body(result: ExecutionResult, cost: int, context: Context) -> tuple[ResponseBody, int]:
    if result.errors and result.data is None and all(error.path is None for error in result.errors):
        error_formatting.clear_tracebacks(result.errors)
        return _errors(*map(error_formatting.from_variable_error, result.errors)), 400
    body: ResponseBody = {"data": result.data}
    if result.errors:
        errors = [error_formatting.from_field_error(error, context.written_fields) for error in result.errors]
        body["errors"] = [error.formatted for error in errors]
        error_formatting.clear_tracebacks(result.errors)
    body["extensions"] = {"cost": cost}
    return body, 503 if _is_unavailable(body) else 200


def _is_unavailable(body: ResponseBody) -> bool:
    """Return whether all fields failed because the database was unavailable, so that a retry makes sense."""
    if any(value is not None for value in (body["data"] or {}).values()):
        return False
    codes = [error.get("extensions", {}).get("code") for error in body.get("errors", ())]
    return bool(codes) and all(code == RequestErrorCode.UNAVAILABLE for code in codes)


def _busy() -> Response:
    error = error_formatting.graphql_error(RequestErrorCode.UNAVAILABLE, error_formatting.BUSY_MESSAGE)
    return _reject(error, 503, JSON)


def _rejection(error: Exception, media_type: str) -> Response:
    """Return the response to a request that is not executed. An unexpected error is logged."""
    if isinstance(error, HTTPRequestError):
        # Apollo Server sends 200 here, and some clients look for the code only in successful responses.
        is_expected = error.code in PERSISTED_QUERY_CODES and media_type == JSON
        status = 200 if is_expected else error.status
        return _reject(error_formatting.graphql_error(error.code, error.message), status, media_type)
    if isinstance(error, RequestError):
        status = 401 if error.code is RequestErrorCode.UNAUTHENTICATED else 503
        return _reject(error_formatting.from_request_error(error), status, media_type)
    # A database error during authentication, or while a stored document was looked up.
    formatted = error_formatting.from_field_error(GraphQLError("", original_error=error))
    code = RequestErrorCode((formatted.extensions or {})["code"])
    return _reject(formatted, BUDGET_STATUSES.get(code, 500), media_type)


def _reject(error: GraphQLError, status: int, media_type: str) -> Response:
    metrics.REJECTED.labels(str(status), (error.extensions or {}).get("code", "")).inc()
    return _response(_errors(error), status, media_type)


def _errors(*errors: GraphQLError) -> ResponseBody:
    return {"errors": [error.formatted for error in errors]}


def _response(body: ResponseBody, status: int, media_type: str) -> Response:
    headers = {**HEADERS, **STATUS_HEADERS.get(status, {})}
    return Response(orjson.dumps(body), status, headers=headers, media_type=f"{media_type}; charset=utf-8")
