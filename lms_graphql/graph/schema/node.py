"""Node interface. Rows of batch reads serve as objects, and each row class has a `kind` and a `key`."""

from typing import Any

import strawberry

from lms_graphql.graph.schema.fields import field, interface


@interface
class Node:
    """An object with a global id, which `Query.node` accepts."""

    id: strawberry.ID = field("Opaque id, unique across all types.")
    key: strawberry.Private[int]
    kind: strawberry.Private[str]

    @classmethod
    def resolve_type(cls, row: Any, *_: Any) -> str:
        kind: str = row.kind
        return kind
