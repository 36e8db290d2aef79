"""Types and fields with descriptions. The docstring of a type or a resolver is its description in the schema."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar, cast, dataclass_transform

import strawberry
from strawberry.extensions import FieldExtension

from lms_graphql.core.urls import join_url
from lms_graphql.graph.schema.strawberry_internals import enum_values

T = TypeVar("T", bound=type[Any])
F = TypeVar("F", bound=Callable[..., Any])


class ListSize(NamedTuple):
    """Size of a list without pages, from which the cost of a request is computed.

    `expected` is the number of items for each parent. `total` limits a tree: lists of lists along its levels have at
    most so many items altogether, because no item has two parents.
    """

    expected: int
    total: int | None = None


LIST_SIZE = "list_size"
"""Key of the `ListSize` in the metadata of a field."""


def docstring_description(documented: Any) -> str | None:
    """Return the docstring with each paragraph on one line. None if there is no docstring."""
    doc = inspect.getdoc(documented)
    if not doc:
        return None
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in doc.split("\n\n"))


def field(
    description: str,
    *,
    default: Any = MISSING,
    extensions: list[FieldExtension] | None = None,
    deprecation_reason: str | None = None,
) -> Any:
    """Return a described field of an input, or of an object if it is read from an attribute of the row."""
    return strawberry.field(
        description=description,
        default=default,
        extensions=extensions or [],
        deprecation_reason=deprecation_reason,
    )


@dataclass_transform(kw_only_default=True, field_specifiers=(field, strawberry.field))
def object_type(python_class: T) -> T:
    return strawberry.type(python_class, description=docstring_description(python_class))


@dataclass_transform(kw_only_default=True, field_specifiers=(field, strawberry.field))
def interface(python_class: T) -> T:
    return strawberry.interface(python_class, description=docstring_description(python_class))


@dataclass_transform(kw_only_default=True, field_specifiers=(field, strawberry.field))
def input_type(*, name: str | None = None, one_of: bool = False) -> Callable[[T], T]:
    def decorate(python_class: T) -> T:
        description = docstring_description(python_class)
        return strawberry.input(python_class, name=name, one_of=one_of, description=description)

    return decorate


def resolver_field(
    *,
    name: str | None = None,
    description: str | None = None,
    extensions: list[FieldExtension] | None = None,
    list_size: ListSize | None = None,
    deprecation_reason: str | None = None,
) -> Callable[[F], F]:
    """Return a decorator for resolvers. Unlike `@strawberry.field` with options, it preserves the function's type."""

    def decorate(function: F) -> F:
        resolver: Any = strawberry.field(
            resolver=function,
            name=name,
            description=description,
            extensions=extensions or [],
            metadata={LIST_SIZE: list_size},
            deprecation_reason=deprecation_reason,
        )
        return cast("F", resolver)

    return decorate


def url_field(attribute: str, description: str) -> Any:
    """Return a described field with the URL in an attribute of the row.

    A stored path is the URL of a file that this service serves, wherever it listens.
    """

    def url(self: Any, info: strawberry.Info[Any, Any]) -> str | None:
        stored: str | None = getattr(self, attribute)
        if stored is None or not stored.startswith("/"):
            return stored
        return join_url(info.context.settings.service_url, stored)

    return resolver_field(description=description)(url)


def expose_enum(enum: type[StrEnum], description: str, **value_descriptions: str) -> None:
    """Make a GraphQL enum of an enum that the models use. `value_descriptions` are by the names of the members."""
    strawberry.enum(enum, description=description)
    for value in enum_values(enum):
        value.description = value_descriptions.get(value.name)


def as_graphql(row: Any) -> Any:
    """Return the row, typed as the GraphQL object that it is served as."""
    return row
