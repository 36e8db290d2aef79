"""The learner whom an input names: by id or by username."""

from typing import NamedTuple

from lms_graphql.core.errors import DomainError, ErrorCode

USER_ID, USERNAME = ("user_id",), ("username",)


class LearnerReference(NamedTuple):
    """A user's id or username, of which exactly one is allowed."""

    user_id: str | None = None
    username: str | None = None

    @property
    def is_single(self) -> bool:
        return (self.user_id is None) is not (self.username is None)

    @property
    def path(self) -> tuple[str, ...]:
        """The field of the input that names the learner."""
        return USER_ID if self.username is None else USERNAME

    def require_single(self) -> None:
        """Raise INVALID if both are given, or REQUIRED if none is."""
        if self.is_single:
            return
        if self.username is not None:
            message = "Name the learner by `userId` or by `username`, not by both. Leave one out."
            raise DomainError(ErrorCode.INVALID, message, USERNAME)
        message = "Name the learner by `userId` or by `username`."
        raise DomainError(ErrorCode.REQUIRED, message, USER_ID)
