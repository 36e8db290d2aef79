"""Relay's cursor connections, served by `core.pagination.Page`: what is not asked for is not made."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from lms_graphql.graph.schema.fields import field, object_type, resolver_field

T = TypeVar("T")

First = Annotated[int | None, strawberry.argument(description="So many from the start, 1 to 100. Left out: 20.")]
After = Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="So many from the end, 1 to 100; not with `first`.")]
Before = Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")]


@object_type
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool = field("Whether more follows after this page.")
    has_previous_page: bool = field("Whether something comes before this page.")
    start_cursor: str | None = field("The cursor of the first item; null on an empty page.")
    end_cursor: str | None = field("The cursor of the last item; null on an empty page.")


@strawberry.type(description="An item of a list, and its place there.")
class Edge(Generic[T]):
    cursor: str = field("The item's place, for `after` and `before`.")
    node: T = field("The item.")


@strawberry.type(description="A page of a list, after the Relay cursor connections specification.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = field("The items with their cursors.")
    nodes: list[T] = field("The items alone.")
    page_info: PageInfo = field("Where this page lies in its list.")

    count: strawberry.Private[Callable[[], Any]]

    @resolver_field()
    def total_count(self) -> int:
        """How many there are in the whole list."""
        return self.count()
