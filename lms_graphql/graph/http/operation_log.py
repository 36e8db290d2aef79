"""Log line and metrics of an operation."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import structlog

from lms_graphql.core import metrics, tracing
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.graph.context import Context
from lms_graphql.graph.documents import Operation, PreparedDocument
from lms_graphql.graph.http.request import GraphQLRequest

logger = structlog.get_logger("lms_graphql.operations")

ResponseBody = dict[str, Any]
MAX_CACHED_DURATIONS = 1_000
"""Histograms that are found without a search among all of them, by name, kind and outcome."""


class OperationLog:
    """Logs and counts operations, without documents, variables and tokens."""

    def __init__(self) -> None:
        self._names = metrics.OperationNames()
        self._durations = lru_cache(MAX_CACHED_DURATIONS)(metrics.OPERATION_SECONDS.labels)

    def record(
        self,
        graphql_request: GraphQLRequest,
        prepared: PreparedDocument | None,
        body: ResponseBody,
        context: Context,
        seconds: float,
    ) -> None:
        """Record an operation that took so many seconds."""
        operation = _operation(graphql_request, prepared)
        codes = sorted({error.get("extensions", {}).get("code", "") for error in body.get("errors", ())})
        cost = body.get("extensions", {}).get("cost")
        logger.info(
            "operation",
            name=operation.name[: metrics.MAX_NAME_LENGTH] if operation is not None and operation.name else None,
            hash=hashlib.sha256(graphql_request.query.encode()).hexdigest()[:12],
            milliseconds=round(seconds * 1000, 2),
            statements=context.statement_count,
            plan=context.plan_use.value,
            cost=cost,
            viewer=context.actor.key,
            errors=codes,
        )
        name = (
            "unknown" if operation is None else self._names.label(operation.name, is_stored=graphql_request.is_stored)
        )
        kind = "unknown" if operation is None else operation.kind.value
        self._durations(name, kind, _outcome(body, codes)).observe(seconds)
        metrics.OPERATION_STATEMENTS.observe(context.statement_count)
        metrics.PLANS.labels(context.plan_use.value).inc()
        if cost is not None:
            metrics.OPERATION_COST.observe(cost)
        tracing.record_operation(kind, None if operation is None else operation.name, codes)


def _operation(graphql_request: GraphQLRequest, prepared: PreparedDocument | None) -> Operation | None:
    """Return the operation of the request; None if the document has none of its name, which may be any text then."""
    try:
        return None if prepared is None else prepared.operation(graphql_request.operation_name)
    except RequestError:
        return None


def _outcome(body: ResponseBody, codes: Sequence[str]) -> str:
    """Return the outcome of an operation for metrics.

    `ok`, `errors` (of some fields), `rejected` (before it ran), `timeout`, `unavailable` or `internal_error`.
    """
    for code in (RequestErrorCode.INTERNAL_ERROR, RequestErrorCode.TIMEOUT, RequestErrorCode.UNAVAILABLE):
        if code in codes:
            return code.value.lower()
    return "rejected" if "data" not in body else "errors" if codes else "ok"
