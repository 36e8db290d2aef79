"""The lock at a field's door: looks at the actor (and the row at hand) alone, without a query and without waiting."""

from abc import abstractmethod
from typing import Any

from strawberry.permission import BasePermission, PermissionExtension

from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import RequestError, RequestErrorCode


class Permission(BasePermission):
    """A permission of this house: `allows` is a question about the actor and the object that the field is on."""

    @abstractmethod
    def allows(self, actor: Actor, source: Any) -> bool: ...

    def has_permission(self, source: Any, info: Any, **_: Any) -> bool:
        return self.allows(info.context.actor, source)

    def on_unauthorized(self) -> None:
        raise RequestError(RequestErrorCode.FORBIDDEN, "This is not for you to see or do.")


class IsSignedIn(Permission):
    def allows(self, actor: Actor, source: Any) -> bool:
        return actor.is_signed_in

    def on_unauthorized(self) -> None:
        raise RequestError(RequestErrorCode.UNAUTHENTICATED, "Sign in first.")


class IsInstructor(Permission):
    def allows(self, actor: Actor, source: Any) -> bool:
        return actor.role in {Role.INSTRUCTOR, Role.SUPER_ADMIN}


class IsSuperAdmin(Permission):
    def allows(self, actor: Actor, source: Any) -> bool:
        return actor.is_admin


def require(*permissions: type[Permission]) -> PermissionExtension:
    """As a field extension. Without directives, or these would land in the SDL."""
    return PermissionExtension([permission() for permission in permissions], use_directives=False)
