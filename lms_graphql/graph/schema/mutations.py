"""Refusals are exceptions inside and data outside: a mutation's payload carries them as `errors`."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.base import StrawberryOptional
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode
from lms_graphql.graph.context import Context
from lms_graphql.graph.error_formatting import clear_tracebacks
from lms_graphql.graph.execution.loaders import BatchRead
from lms_graphql.graph.schema.fields import docstring_description, expose_enum, field, object_type
from lms_graphql.graph.schema.permissions import IsSignedIn, Permission, require

PayloadT = TypeVar("PayloadT")

expose_enum(ErrorCode, "Why a mutation was refused: what the caller can mend.")


@object_type
class UserError:
    """
    What the caller can mend. Everything else (not signed in, not allowed, broken request) is a top-level error with
    `extensions.code`.
    """

    code: ErrorCode = field("What is wrong, for programs.")
    message: str = field("What is wrong and what to do, for people.")
    path: list[str] | None = field('The way to the input field it is about, e.g. ["input", "price"].')


def errors_field() -> Any:
    """The `errors` of a payload."""
    return strawberry.field(description="Why it was refused; empty where it was not.", default_factory=list)


@object_type
class DonePayload:
    """What came of it."""

    ok: bool = field("Whether it was done.", default=False)
    errors: list[UserError] = errors_field()


@object_type
class DeletePayload:
    """What came of it."""

    deleted_id: strawberry.ID | None = field("The id that is no more.", default=None)
    errors: list[UserError] = errors_field()


class DomainErrorsExtension(FieldExtension):
    """Turns what a service refuses into the payload's `errors`; the payload's other fields stay at their defaults."""

    def __init__(self) -> None:
        self._payload: Any = None

    def apply(self, field: StrawberryField) -> None:
        kind: Any = field.type
        self._payload = kind.of_type if isinstance(kind, StrawberryOptional) else kind

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: Any, **kwargs: Any) -> Any:
        try:
            return await next_(source, info, **kwargs)
        except (DomainError, DomainErrors) as refused:
            clear_tracebacks([refused])  # what raised it may hold it: see `Context.close`
            reasons = refused.errors if isinstance(refused, DomainErrors) else [refused]
            return self._payload(errors=[_shown(reason) for reason in reasons])


def mutation(*doors: type[Permission]) -> Callable[[Callable[..., Any]], Any]:
    """A mutation behind these doors. Without any it is open to anonymous viewers."""

    def make(resolver: Callable[..., Any]) -> Any:
        locks = [require(IsSignedIn, *doors)] if doors else []
        return strawberry.mutation(
            resolver=resolver,
            description=docstring_description(resolver),
            extensions=[DomainErrorsExtension(), *locks],
        )

    return make


def _shown(refusal: DomainError) -> UserError:
    path = ["input", *map(to_camel_case, refusal.path)] if refusal.path else None
    return UserError(code=refusal.code, message=refusal.message, path=path)


async def payload(
    context: Context, payload_type: Callable[..., PayloadT], **fields: tuple[BatchRead, Any]
) -> PayloadT:
    """Return a payload whose fields are loaded after the write, each by its batch read and key.

    A field is null if the object is gone by then or if the viewer may not see it.
    """
    values = {name: await context.load_async(read, key) for name, (read, key) in fields.items()}
    return payload_type(**values)


def provided_fields(input: Any) -> dict[str, Any]:
    """The fields of an input that were given, null included, by their names."""
    said = ((field.name, getattr(input, field.name)) for field in fields(input))
    return {name: value.value for name, value in said if isinstance(value, strawberry.Some)}
