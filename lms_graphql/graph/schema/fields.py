"""Types and fields with their descriptions: a docstring is what `schema.graphql` says of a type or a resolver."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING
from enum import StrEnum
from typing import Any, TypeVar, cast, dataclass_transform

import strawberry
from strawberry.extensions import FieldExtension

T = TypeVar("T", bound=type[Any])
F = TypeVar("F", bound=Callable[..., Any])


def docstring_description(documented: Any) -> str | None:
    """The docstring as one paragraph for each blank line."""
    doc = inspect.getdoc(documented)
    if not doc:
        return None
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in doc.split("\n\n"))


def field(description: str, *, default: Any = MISSING, extensions: list[FieldExtension] | None = None) -> Any:
    """A field that is read off the row, or of an input, with its description."""
    return strawberry.field(description=description, default=default, extensions=extensions or [])


@dataclass_transform(kw_only_default=True, field_specifiers=(field, strawberry.field))
def object_type(kind: T) -> T:
    return strawberry.type(kind, description=docstring_description(kind))


@dataclass_transform(kw_only_default=True, field_specifiers=(field, strawberry.field))
def interface(kind: T) -> T:
    return strawberry.interface(kind, description=docstring_description(kind))


@dataclass_transform(kw_only_default=True, field_specifiers=(field, strawberry.field))
def input_type(*, name: str | None = None, one_of: bool = False) -> Callable[[T], T]:
    def make(kind: T) -> T:
        return strawberry.input(kind, name=name, one_of=one_of, description=docstring_description(kind))

    return make


def resolver_field(
    *, name: str | None = None, description: str | None = None, extensions: list[FieldExtension] | None = None
) -> Callable[[F], F]:
    """As @strawberry.field, whose type is lost where it is told anything."""

    def make(function: F) -> F:
        made: Any = strawberry.field(
            resolver=function, name=name, description=description, extensions=extensions or []
        )
        return cast("F", made)

    return make


def expose_enum(kind: type[StrEnum], description: str, **values: str) -> None:
    """Makes a GraphQL enum of one that the models use. `values` describe its members by name."""
    strawberry.enum(kind, description=description)
    for value in kind.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values.get(value.name)


def as_graphql(row: Any) -> Any:
    """Return the row, typed as the GraphQL object that it is served as."""
    return row
