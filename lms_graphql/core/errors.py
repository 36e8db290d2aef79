"""What may go wrong, as exceptions inside; the GraphQL floor makes data or top-level errors of them."""

from collections.abc import Sequence
from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a mutation was refused: what the caller can mend."""

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
    """A service says no, for one reason. `path` leads to the field inside the input, e.g. ("price",)."""

    def __init__(self, code: ErrorCode, message: str, path: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = tuple(path)


class DomainErrors(Exception):
    """A service says no, for all these reasons at once."""

    def __init__(self, reasons: Sequence[DomainError]) -> None:
        super().__init__("; ".join(reason.message for reason in reasons))
        self.errors = tuple(reasons)


def not_found(*path: str) -> DomainError:
    """Of what is not there, and of what the viewer may not see: nobody is told which."""
    return DomainError(ErrorCode.NOT_FOUND, "There is no such thing, or it is not yours to see.", path)


class RequestErrorCode(StrEnum):
    """`extensions.code` of a top-level error."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    BAD_CURSOR = "BAD_CURSOR"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    RATE_LIMITED = "RATE_LIMITED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNAVAILABLE = "UNAVAILABLE"
    TIMEOUT = "TIMEOUT"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class RequestError(Exception):
    """A request, or a field of it, that cannot be answered; it leaves as a top-level error with this code."""

    def __init__(self, code: RequestErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class OperatorError(Exception):
    """Something that whoever operates the service must mend. The message says what, in one line."""

    exit_code = 1


class UnsafeConfigurationError(OperatorError):
    """The service will not start like this in production."""

    exit_code = 3
