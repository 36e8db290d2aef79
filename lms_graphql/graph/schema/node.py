"""The Node interface. Rows of a batch read serve as objects: each row class says its `kind` and its `key`."""

from typing import Any

import strawberry

from lms_graphql.graph.schema.fields import field, interface


@interface
class Node:
    """An object with an id of its own, to be asked for by `Query.node`."""

    id: strawberry.ID = field("Opaque, and unique across all types.")
    key: strawberry.Private[int]
    kind: strawberry.Private[str]

    @classmethod
    def resolve_type(cls, row: Any, *_: Any) -> str:
        kind: str = row.kind
        return kind
