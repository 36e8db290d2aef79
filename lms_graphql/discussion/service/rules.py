"""What all who write are asked for, and how they are refused."""

from lms_graphql.core.errors import ErrorCode, Refusal, RequestError, RequestFault
from lms_graphql.core.forms import Form


def forbidden(message: str) -> RequestError:
    return RequestError(RequestFault.FORBIDDEN, message)


def demand_qa(allow_qa: bool, path: str) -> None:
    if not allow_qa:
        raise Refusal(ErrorCode.FEATURE_DISABLED, "Questions and answers are switched off in this course.", (path,))


def position(form: Form, value: int | None) -> int | None:
    """The second of the lecture that something is about; null where it is about no place in it."""
    if value is not None and value < 0:
        form.fault(ErrorCode.OUT_OF_RANGE, "Give a second of the lecture, 0 or later.", "position_seconds")
    return value
