"""Fields that lead up, hung from above: a domain adds a field to a type of a lower floor.

@edge(Lecture)
def quiz(lecture: strawberry.Parent[Lecture], info: Info) -> Quiz | None: ...
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

_HUNG: dict[type, list[StrawberryField]] = defaultdict(list)


def extend_type(
    kind: type, *, name: str | None = None, extensions: list[FieldExtension] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def hang(resolver: Callable[..., Any]) -> Callable[..., Any]:
        _HUNG[kind].append(strawberry.field(resolver=resolver, name=name, extensions=extensions or []))
        return resolver

    return hang


def extension_fields(kind: type) -> list[StrawberryField]:
    return _HUNG.get(kind, [])
