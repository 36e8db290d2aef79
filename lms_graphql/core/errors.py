"""Expected errors. The GraphQL layer turns DomainError into payload errors and RequestError into top-level errors."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum


class ErrorCode(StrEnum):
    """Code of an error that the caller of a mutation can correct."""

    INVALID = "INVALID"
    REQUIRED = "REQUIRED"
    TOO_SHORT = "TOO_SHORT"
    TOO_LONG = "TOO_LONG"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    WEAK_PASSWORD = "WEAK_PASSWORD"  # noqa: S105 - a code, not a password
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    STALE_VERSION = "STALE_VERSION"
    IN_USE = "IN_USE"
    LIMIT_REACHED = "LIMIT_REACHED"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    NOT_READY = "NOT_READY"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    INVALID_TOKEN = "INVALID_TOKEN"  # noqa: S105 - a code, not a token
    ACCOUNT_SUSPENDED = "ACCOUNT_SUSPENDED"
    RATE_LIMITED = "RATE_LIMITED"
    NOT_ENROLLED = "NOT_ENROLLED"
    NOT_PUBLISHED = "NOT_PUBLISHED"
    PAYMENT_REQUIRED = "PAYMENT_REQUIRED"
    OWN_COURSE = "OWN_COURSE"
    FEATURE_DISABLED = "FEATURE_DISABLED"
    ATTEMPT_CLOSED = "ATTEMPT_CLOSED"
    NO_ATTEMPTS_LEFT = "NO_ATTEMPTS_LEFT"
    PRICE_CHANGED = "PRICE_CHANGED"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    NOT_REFUNDABLE = "NOT_REFUNDABLE"
    PAYMENT_FAILED = "PAYMENT_FAILED"


class DomainError(Exception):
    """An expected failure of a service. `path` names the input field, e.g. ("price",).

    `limit` is the highest or lowest value that is allowed, for TOO_SHORT, TOO_LONG, OUT_OF_RANGE and LIMIT_REACHED.
    It is None if the bound is not a number. For RATE_LIMITED of a username it is the days between two changes.
    `subject` is the kind and key of the object that is in the way, for NOT_READY and IN_USE. It is None if the
    objects are many, such as enrollments.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        path: Sequence[str] = (),
        *,
        limit: int | Decimal | None = None,
        subject: tuple[str, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = tuple(path)
        self.limit = limit
        self.subject = subject


class DomainErrors(Exception):
    """Several expected failures of a service at once."""

    def __init__(self, errors: Sequence[DomainError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)


def not_found(*path: str) -> DomainError:
    """Return the error for an object that does not exist or that the actor may not see. Both look the same."""
    return DomainError(ErrorCode.NOT_FOUND, "This does not exist, or you may not see it.", path)


class RequestErrorCode(StrEnum):
    """Code of a top-level error, in `extensions.code`."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    BAD_CURSOR = "BAD_CURSOR"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    DOCUMENT_NOT_STORED = "DOCUMENT_NOT_STORED"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    RATE_LIMITED = "RATE_LIMITED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNAVAILABLE = "UNAVAILABLE"
    UNKNOWN_OUTCOME = "UNKNOWN_OUTCOME"
    TIMEOUT = "TIMEOUT"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class RequestError(Exception):
    """A request or a field that cannot be answered. The response has a top-level error with this code."""

    def __init__(self, code: RequestErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class OperatorError(Exception):
    """A problem that the operator of the service must solve. The message names it in one line."""

    exit_code = 1


class UnsafeConfigurationError(OperatorError):
    """A configuration that is too unsafe to start in production."""

    exit_code = 3
