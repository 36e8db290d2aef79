"""Refusals are exceptions inside and data outside: a mutation's payload carries them as `errors`."""

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.base import StrawberryOptional
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from lms_graphql.core.errors import ErrorCode, Refusal, Refusals
from lms_graphql.graph.answers import forget_traces
from lms_graphql.graph.describing import described, expose, object_type, text_of
from lms_graphql.graph.permissions import Door, IsSignedIn, door

expose(ErrorCode, "Why a mutation was refused: what the caller can mend.")


@object_type
class UserError:
    """
    What the caller can mend. Everything else (not signed in, not allowed, broken request) is a top-level error with
    `extensions.code`.
    """

    code: ErrorCode = described("What is wrong, for programs.")
    message: str = described("What is wrong and what to do, for people.")
    path: list[str] | None = described('The way to the input field it is about, e.g. ["input", "price"].')


def no_errors() -> Any:
    """The `errors` of a payload."""
    return strawberry.field(description="Why it was refused; empty where it was not.", default_factory=list)


@object_type
class DonePayload:
    """What came of it."""

    ok: bool = described("Whether it was done.", default=False)
    errors: list[UserError] = no_errors()


@object_type
class DeletePayload:
    """What came of it."""

    deleted_id: strawberry.ID | None = described("The id that is no more.", default=None)
    errors: list[UserError] = no_errors()


class Payload(FieldExtension):
    """Turns what a service refuses into the payload's `errors`; the payload's other fields stay at their defaults."""

    def __init__(self) -> None:
        self._payload: Any = None

    def apply(self, field: StrawberryField) -> None:
        kind: Any = field.type
        self._payload = kind.of_type if isinstance(kind, StrawberryOptional) else kind

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: Any, **kwargs: Any) -> Any:
        try:
            return await next_(source, info, **kwargs)
        except (Refusal, Refusals) as refused:
            forget_traces([refused])  # what raised it may hold it: see `Context.close`
            reasons = refused.reasons if isinstance(refused, Refusals) else [refused]
            return self._payload(errors=[_shown(reason) for reason in reasons])


def mutation(*doors: type[Door]) -> Callable[[Callable[..., Any]], Any]:
    """A mutation behind these doors. Without any it is open to anonymous viewers."""

    def make(resolver: Callable[..., Any]) -> Any:
        locks = [door(IsSignedIn, *doors)] if doors else []
        return strawberry.mutation(resolver=resolver, description=text_of(resolver), extensions=[Payload(), *locks])

    return make


def _shown(refusal: Refusal) -> UserError:
    path = ["input", *map(to_camel_case, refusal.path)] if refusal.path else None
    return UserError(code=refusal.code, message=refusal.message, path=path)
