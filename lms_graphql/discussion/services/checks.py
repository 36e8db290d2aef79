"""What all who write are asked for, and how they are refused."""

from lms_graphql.core.errors import DomainError, ErrorCode, RequestError, RequestErrorCode
from lms_graphql.core.validation import Validator


def forbidden(message: str) -> RequestError:
    return RequestError(RequestErrorCode.FORBIDDEN, message)


def require_qa_enabled(allow_qa: bool, path: str) -> None:
    if not allow_qa:
        raise DomainError(
            ErrorCode.FEATURE_DISABLED, "Questions and answers are switched off in this course.", (path,)
        )


def validate_position(form: Validator, value: int | None) -> int | None:
    """The second of the lecture that something is about; null where it is about no place in it."""
    if value is not None and value < 0:
        form.add_error(ErrorCode.OUT_OF_RANGE, "Give a second of the lecture, 0 or later.", "position_seconds")
    return value
