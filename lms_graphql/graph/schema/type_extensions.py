"""Type extensions: a domain adds a field to a type of a lower layer, which does not know of it.

@extend_type(Lecture)
def viewer_progress(lecture: strawberry.Parent[Lecture], info: Info) -> LectureProgress | None: ...
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension

from lms_graphql.graph.schema.strawberry_internals import StrawberryField

_EXTENSION_FIELDS: dict[type, list[StrawberryField]] = defaultdict(list)


def extend_type(
    extended_type: type,
    *,
    name: str | None = None,
    extensions: list[FieldExtension] | None = None,
    metadata: Mapping[Any, Any] | None = None,
    deprecation_reason: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds the resolver to the type. It must run before the schema is built."""

    def register(resolver: Callable[..., Any]) -> Callable[..., Any]:
        field = strawberry.field(
            resolver=resolver,
            name=name,
            extensions=extensions or [],
            metadata=metadata,
            deprecation_reason=deprecation_reason,
        )
        _EXTENSION_FIELDS[extended_type].append(field)
        return resolver

    return register


def extension_fields(extended_type: type) -> list[StrawberryField]:
    return _EXTENSION_FIELDS.get(extended_type, [])
