"""Errors as clients see them: each with a code, none with a value, a trace or SQL in it."""

import re
import uuid
from collections.abc import Sequence
from typing import Any

import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from lms_graphql.core import faults
from lms_graphql.core.errors import RequestError, RequestFault

BUSY = "The service is busy. Try again in a moment."
GONE = "It went away while it was being read. Ask again."
LONGEST_MESSAGE = 400

logger = structlog.get_logger("lms_graphql.errors")

_ECHO = re.compile(
    r"[,;.] [Ff]ound: .*|(?<=value): (?!Int |Float |String |Boolean |ID |Enum |Expected |Give ).*", re.DOTALL
)
_ENUM_ECHO = re.compile(r"Value '.*?' does not exist", re.DOTALL)
_FAULT_ECHO = re.compile(r"[;,]? ?but encountered error:? .*", re.DOTALL)
_SUGGESTION = re.compile(r" Did you mean .*", re.DOTALL)
_NULL = re.compile(r"Cannot return null for non-nullable field ")
_TOKEN_ECHO = re.compile(r"(String|BlockString|Int|Float) .*?(?=\.$|, found|$)", re.DOTALL)


def refused(code: RequestFault, message: str, **extra: Any) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code.value, **extra})


def of_request(error: RequestError) -> GraphQLError:
    return refused(error.code, error.message)


def of_syntax(error: GraphQLSyntaxError) -> GraphQLError:
    message = _cut(_TOKEN_ECHO.sub(r"\1", error.message))
    extensions = {"code": RequestFault.GRAPHQL_PARSE_FAILED.value}
    return GraphQLError(message, source=error.source, positions=error.positions, extensions=extensions)


def of_validation(error: GraphQLError, *, suggestions: bool = True) -> GraphQLError:
    if not suggestions:  # graphql-core leaves out most of its own, but not all
        error = GraphQLError(_SUGGESTION.sub("", error.message), nodes=error.nodes)
    return _with_code(error, RequestFault.GRAPHQL_VALIDATION_FAILED)


def of_variables(error: GraphQLError) -> GraphQLError:
    return _with_code(error, RequestFault.BAD_USER_INPUT)


def of_field(error: GraphQLError) -> GraphQLError:
    """An error of a field that was running: what was raised on purpose keeps its code, the rest is masked."""
    original = error.original_error
    while isinstance(original, GraphQLError) and original.original_error is not None:
        original = original.original_error
    if isinstance(original, RequestError):
        return _replace(error, original.message, original.code)
    if original is None or isinstance(original, GraphQLError):
        code = (error.extensions or {}).get("code")
        return error if code else _with_code(error, RequestFault.BAD_USER_INPUT)
    if faults.is_unavailable(original):
        logger.warning("database unavailable", error=type(original).__name__)
        return _replace(error, BUSY, RequestFault.UNAVAILABLE)
    if isinstance(original, TypeError) and _NULL.match(str(original)):
        # An answer takes several transactions: a course may be unpublished between its lectures and itself.
        logger.warning("gone while it was read", path=error.path)
        return _replace(error, GONE, RequestFault.UNAVAILABLE)
    if faults.is_too_slow(original):
        message = "The database takes too long over this. Ask for less at once."
        return _replace(error, message, RequestFault.TIMEOUT)
    return masked(original, error)


def masked(original: BaseException, error: GraphQLError | None = None) -> GraphQLError:
    """A fault of ours: logged with its trace, answered with the number to find it by."""
    number = uuid.uuid4().hex
    logger.error("internal error", error_id=number, path=error.path if error else None, exc_info=original)
    return GraphQLError(
        "Something went wrong on our side.",
        nodes=error.nodes if error else None,
        path=error.path if error else None,
        extensions={"code": RequestFault.INTERNAL_ERROR.value, "id": number},
    )


def forget_traces(errors: Sequence[BaseException]) -> None:
    """Once they are told: a trace holds all that was going on, which in turn holds the error."""
    for error in errors:
        seen: BaseException | None = error
        while seen is not None:
            seen.__traceback__ = None
            seen = seen.original_error if isinstance(seen, GraphQLError) else seen.__context__


def _with_code(error: GraphQLError, code: RequestFault) -> GraphQLError:
    message = _ECHO.sub(".", _ENUM_ECHO.sub("This value does not exist", _FAULT_ECHO.sub(".", error.message)))
    return _replace(error, _cut(message), code)


def _cut(message: str) -> str:
    """A name that was sent may be as long as the document."""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"


def _replace(error: GraphQLError, message: str, code: RequestFault) -> GraphQLError:
    return GraphQLError(message, nodes=error.nodes, path=error.path, extensions={"code": code.value})
