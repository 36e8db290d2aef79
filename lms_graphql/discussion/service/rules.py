"""What all who write are asked for, and how they are refused."""

from lms_graphql.core.errors import ErrorCode, Refusal, RequestError, RequestFault
from lms_graphql.core.forms import Form


def not_found(path: str) -> Refusal:
    return Refusal(ErrorCode.NOT_FOUND, "There is no such thing, or it is not yours to see.", (path,))


def forbidden(message: str) -> RequestError:
    return RequestError(RequestFault.FORBIDDEN, message)


def demand_part(takes_part: bool, path: str) -> None:
    """A preview gives reading; whoever writes has access to the course, or is its staff."""
    if not takes_part:
        raise Refusal(ErrorCode.NOT_ENROLLED, "Enroll in the course first: your access is not open.", (path,))


def demand_qa(allow_qa: bool, path: str) -> None:
    if not allow_qa:
        raise Refusal(ErrorCode.FEATURE_DISABLED, "Questions and answers are switched off in this course.", (path,))


def position(form: Form, value: int | None) -> int | None:
    """The second of the lecture that something is about; null where it is about no place in it."""
    if value is not None and value < 0:
        form.fault(ErrorCode.OUT_OF_RANGE, "Give a second of the lecture, 0 or later.", "position_seconds")
    return value
