"""Permissions of fields. They look only at the actor and the parent object, so they need no query and no waiting."""

from abc import abstractmethod
from typing import Any

from strawberry.permission import BasePermission, PermissionExtension

from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import RequestError, RequestErrorCode


class Permission(BasePermission):
    """Base class of permissions. `allows` decides from the actor and the object that the field belongs to."""

    @abstractmethod
    def allows(self, actor: Actor, source: Any) -> bool: ...

    def has_permission(self, source: Any, info: Any, **_: Any) -> bool:
        return self.allows(info.context.actor, source)

    def on_unauthorized(self) -> None:
        raise RequestError(RequestErrorCode.FORBIDDEN, "You do not have permission for this.")


class IsSignedIn(Permission):
    def allows(self, actor: Actor, source: Any) -> bool:
        return actor.is_signed_in

    def on_unauthorized(self) -> None:
        raise RequestError(RequestErrorCode.UNAUTHENTICATED, "You are not logged in. Log in first.")


def require(*permissions: type[Permission]) -> PermissionExtension:
    """Return a field extension that requires all permissions. It adds no directives to the SDL."""
    return PermissionExtension([permission() for permission in permissions], use_directives=False)
