"""Checks that the services of discussions share."""

from lms_graphql.core.errors import DomainError, ErrorCode, RequestError, RequestErrorCode
from lms_graphql.core.validation import Validator


def forbidden(message: str) -> RequestError:
    return RequestError(RequestErrorCode.FORBIDDEN, message)


def require_qa_enabled(allow_qa: bool, path: str) -> None:
    """Raise FEATURE_DISABLED at `path` if the course does not allow questions and answers."""
    if not allow_qa:
        message = "Questions and answers are disabled in this course."
        raise DomainError(ErrorCode.FEATURE_DISABLED, message, (path,))


def validate_position(validator: Validator, value: int | None) -> int | None:
    """Return the position in the lecture, in seconds. None means that there is no position."""
    if value is not None and value < 0:
        message = "The position must not be negative. Enter seconds from the start of the lecture."
        validator.add_error(ErrorCode.OUT_OF_RANGE, message, "position_seconds", limit=0)
    return value
