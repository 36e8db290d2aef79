"""Hooks: extension points that lower layers declare and upper layers fill."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class UnregisteredHookError(RuntimeError):
    """A hook was used before `lms_graphql.wiring.register_hooks` filled it."""


class Hook(Generic[FunctionT]):
    """An extension point. Iterating over it yields the registered functions, in the order of registration.

    An unregistered hook raises UnregisteredHookError, so that a script that forgets `register_hooks()` cannot compute
    wrong values in silence. Registering no function at all is a valid choice.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._functions: tuple[FunctionT, ...] | None = None

    def register(self, *functions: FunctionT) -> None:
        """Replace the registered functions."""
        self._functions = functions

    def __iter__(self) -> Iterator[FunctionT]:
        if self._functions is None:
            message = f"No function is registered for the hook {self.name}: call lms_graphql.wiring.register_hooks()."
            raise UnregisteredHookError(message)
        return iter(self._functions)
