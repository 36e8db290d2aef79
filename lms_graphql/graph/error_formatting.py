"""Errors as clients see them: each has a code, and none contains a sent value, a stack trace or SQL."""

from collections.abc import Container, Sequence
from typing import Any

import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from lms_graphql.core import db_errors
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.graph import graphql_messages

BUSY_MESSAGE = "The service is busy. Try again in a moment."
UNKNOWN_OUTCOME_MESSAGE = "The change may have been saved. Check before you repeat it."
ROW_DISAPPEARED_MESSAGE = "This object changed while it was being read. Send the request again."
SLOW_QUERY_MESSAGE = "A database query took too long. Request less data at once."
INTERNAL_ERROR_MESSAGE = "Something went wrong on our side. Report the `id` of this error if it persists."
MAX_MESSAGE_LENGTH = 400
RETRYABLE_CODES = frozenset({RequestErrorCode.UNAVAILABLE.value, RequestErrorCode.TIMEOUT.value})
"""Codes after which clients send the request again."""

logger = structlog.get_logger("lms_graphql.errors")


def graphql_error(code: RequestErrorCode, message: str, **extra: Any) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code.value, **extra})


def from_request_error(error: RequestError) -> GraphQLError:
    return graphql_error(error.code, error.message)


def from_budget_error(error: RequestError, may_have_committed: bool) -> GraphQLError:
    """Return the error of a request that is rejected while its response is built, perhaps after a change."""
    if not may_have_committed:
        return from_request_error(error)
    return graphql_error(RequestErrorCode.UNKNOWN_OUTCOME, f"{UNKNOWN_OUTCOME_MESSAGE} {error.message}")


def from_syntax_error(error: GraphQLSyntaxError) -> GraphQLError:
    message = _shorten(graphql_messages.without_token_values(error.message))
    extensions = {"code": RequestErrorCode.GRAPHQL_PARSE_FAILED.value}
    return GraphQLError(message, source=error.source, positions=error.positions, extensions=extensions)


def from_validation_error(error: GraphQLError, *, suggestions: bool = True) -> GraphQLError:
    if not suggestions:  # because graphql-core's `hide_suggestions` hides most of them, but not all
        error = GraphQLError(graphql_messages.without_suggestion(error.message), nodes=error.nodes)
    return _with_code(error, RequestErrorCode.GRAPHQL_VALIDATION_FAILED)


def from_variable_error(error: GraphQLError) -> GraphQLError:
    return _with_code(error, RequestErrorCode.BAD_USER_INPUT)


def from_field_error(error: GraphQLError, written_fields: Container[object] = ()) -> GraphQLError:
    """Return the error of a field: a `RequestError` keeps its code, an unexpected exception is masked.

    `written_fields` are the mutations, by response key, whose change is saved. Their results may fail to load
    afterwards. Then the error must not ask to send the mutation again.
    """
    formatted = _from_field_error(error)
    is_retryable = (formatted.extensions or {}).get("code") in RETRYABLE_CODES
    if is_retryable and error.path and error.path[0] in written_fields:
        return _replace(error, UNKNOWN_OUTCOME_MESSAGE, RequestErrorCode.UNKNOWN_OUTCOME)
    return formatted


def _from_field_error(error: GraphQLError) -> GraphQLError:
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    if isinstance(original, RequestError):
        return _replace(error, original.message, original.code)
    if original is None or isinstance(original, GraphQLError):
        code = (error.extensions or {}).get("code")
        return error if code else _with_code(error, RequestErrorCode.BAD_USER_INPUT)
    return _from_passing_failure(original, error) or mask_internal_error(original, error)


def _from_passing_failure(original: Exception, error: GraphQLError) -> GraphQLError | None:
    """Return the error of a failure that is no defect and may pass; None if it is a defect."""
    if isinstance(original, db_errors.CommitUnknownError):
        logger.warning("commit_unknown", path=error.path)
        return _replace(error, UNKNOWN_OUTCOME_MESSAGE, RequestErrorCode.UNKNOWN_OUTCOME)
    if db_errors.is_unavailable(original):
        logger.warning("database_unavailable", error=db_errors.describe(original))
        return _replace(error, BUSY_MESSAGE, RequestErrorCode.UNAVAILABLE)
    if graphql_messages.is_null_error(original):
        # A response takes several transactions: a course may be unpublished between its lectures and itself.
        logger.warning("row_disappeared", path=error.path)
        return _replace(error, ROW_DISAPPEARED_MESSAGE, RequestErrorCode.UNAVAILABLE)
    if db_errors.is_statement_timeout(original):
        return _replace(error, SLOW_QUERY_MESSAGE, RequestErrorCode.TIMEOUT)
    return None


def mask_internal_error(original: BaseException, error: GraphQLError | None = None) -> GraphQLError:
    """Log an unexpected exception with its trace. Return an error that shows only the id of the request."""
    logger.error("internal_error", path=error.path if error else None, exc_info=original)
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return GraphQLError(
        INTERNAL_ERROR_MESSAGE,
        nodes=error.nodes if error else None,
        path=error.path if error else None,
        extensions={"code": RequestErrorCode.INTERNAL_ERROR.value, "id": request_id},
    )


def clear_tracebacks(errors: Sequence[BaseException]) -> None:
    """Drop the tracebacks of errors that are in the response or the log.

    A traceback refers to all frames, and a frame refers to the error: a reference cycle. See `Context.close`.
    """
    for error in errors:
        current: BaseException | None = error
        while current is not None:
            current.__traceback__ = None
            current = current.original_error if isinstance(current, GraphQLError) else current.__context__


def _with_code(error: GraphQLError, code: RequestErrorCode) -> GraphQLError:
    return _replace(error, _shorten(graphql_messages.without_values(error.message)), code)


def _shorten(message: str) -> str:
    """Return at most `MAX_MESSAGE_LENGTH` characters, because a name in it may be as long as the document."""
    return message if len(message) <= MAX_MESSAGE_LENGTH else f"{message[:MAX_MESSAGE_LENGTH]}…"


def _replace(error: GraphQLError, message: str, code: RequestErrorCode) -> GraphQLError:
    return GraphQLError(message, nodes=error.nodes, path=error.path, extensions={"code": code.value})
