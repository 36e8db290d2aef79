"""Errors as clients see them: each with a code, none with a value, a trace or SQL in it."""

import re
import uuid
from collections.abc import Sequence
from typing import Any

import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from lms_graphql.core import db_errors
from lms_graphql.core.errors import RequestError, RequestErrorCode

BUSY_MESSAGE = "The service is busy. Try again in a moment."
GONE_MESSAGE = "It went away while it was being read. Ask again."
MAX_MESSAGE_LENGTH = 400

logger = structlog.get_logger("lms_graphql.errors")

_ECHO = re.compile(
    r"[,;.] [Ff]ound: .*|(?<=value): (?!Int |Float |String |Boolean |ID |Enum |Expected |Give ).*", re.DOTALL
)
_ENUM_ECHO = re.compile(r"Value '.*?' does not exist", re.DOTALL)
_FAULT_ECHO = re.compile(r"[;,]? ?but encountered error:? .*", re.DOTALL)
_SUGGESTION = re.compile(r" Did you mean .*", re.DOTALL)
_NULL = re.compile(r"Cannot return null for non-nullable field ")
_TOKEN_ECHO = re.compile(r"(String|BlockString|Int|Float) .*?(?=\.$|, found|$)", re.DOTALL)


def graphql_error(code: RequestErrorCode, message: str, **extra: Any) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code.value, **extra})


def from_request_error(error: RequestError) -> GraphQLError:
    return graphql_error(error.code, error.message)


def from_syntax_error(error: GraphQLSyntaxError) -> GraphQLError:
    message = _cut(_TOKEN_ECHO.sub(r"\1", error.message))
    extensions = {"code": RequestErrorCode.GRAPHQL_PARSE_FAILED.value}
    return GraphQLError(message, source=error.source, positions=error.positions, extensions=extensions)


def from_validation_error(error: GraphQLError, *, suggestions: bool = True) -> GraphQLError:
    if not suggestions:  # graphql-core leaves out most of its own, but not all
        error = GraphQLError(_SUGGESTION.sub("", error.message), nodes=error.nodes)
    return _with_code(error, RequestErrorCode.GRAPHQL_VALIDATION_FAILED)


def from_variable_error(error: GraphQLError) -> GraphQLError:
    return _with_code(error, RequestErrorCode.BAD_USER_INPUT)


def from_field_error(error: GraphQLError) -> GraphQLError:
    """An error of a field that was running: what was raised on purpose keeps its code, the rest is masked."""
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    if isinstance(original, RequestError):
        return _replace(error, original.message, original.code)
    if original is None or isinstance(original, GraphQLError):
        code = (error.extensions or {}).get("code")
        return error if code else _with_code(error, RequestErrorCode.BAD_USER_INPUT)
    if db_errors.is_unavailable(original):
        logger.warning("database unavailable", error=type(original).__name__)
        return _replace(error, BUSY_MESSAGE, RequestErrorCode.UNAVAILABLE)
    if isinstance(original, TypeError) and _NULL.match(str(original)):
        # An answer takes several transactions: a course may be unpublished between its lectures and itself.
        logger.warning("gone while it was read", path=error.path)
        return _replace(error, GONE_MESSAGE, RequestErrorCode.UNAVAILABLE)
    if db_errors.is_statement_timeout(original):
        message = "The database takes too long over this. Ask for less at once."
        return _replace(error, message, RequestErrorCode.TIMEOUT)
    return mask_internal_error(original, error)


def mask_internal_error(original: BaseException, error: GraphQLError | None = None) -> GraphQLError:
    """A fault of ours: logged with its trace, answered with the number to find it by."""
    number = uuid.uuid4().hex
    logger.error("internal error", error_id=number, path=error.path if error else None, exc_info=original)
    return GraphQLError(
        "Something went wrong on our side.",
        nodes=error.nodes if error else None,
        path=error.path if error else None,
        extensions={"code": RequestErrorCode.INTERNAL_ERROR.value, "id": number},
    )


def clear_tracebacks(errors: Sequence[BaseException]) -> None:
    """Once they are told: a trace holds all that was going on, which in turn holds the error."""
    for error in errors:
        seen: BaseException | None = error
        while seen is not None:
            seen.__traceback__ = None
            seen = seen.original_error if isinstance(seen, GraphQLError) else seen.__context__


def _with_code(error: GraphQLError, code: RequestErrorCode) -> GraphQLError:
    message = _ECHO.sub(".", _ENUM_ECHO.sub("This value does not exist", _FAULT_ECHO.sub(".", error.message)))
    return _replace(error, _cut(message), code)


def _cut(message: str) -> str:
    """A name that was sent may be as long as the document."""
    return message if len(message) <= MAX_MESSAGE_LENGTH else f"{message[:MAX_MESSAGE_LENGTH]}…"


def _replace(error: GraphQLError, message: str, code: RequestErrorCode) -> GraphQLError:
    return GraphQLError(message, nodes=error.nodes, path=error.path, extensions={"code": code.value})
