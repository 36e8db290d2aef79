"""Relay cursor connections on `core.pagination.Page`. The total count is read only if it is selected."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from lms_graphql.graph.schema.fields import field, object_type, resolver_field

T = TypeVar("T")

First = Annotated[int | None, strawberry.argument(description="Number of items from the start (1–100, default 20).")]
After = Annotated[str | None, strawberry.argument(description="Cursor: return items after it.")]
Last = Annotated[
    int | None, strawberry.argument(description="Number of items from the end (1–100). Not together with `first`.")
]
Before = Annotated[str | None, strawberry.argument(description="Cursor: return items before it.")]


@object_type
class PageInfo:
    """Position of a page in its list."""

    has_next_page: bool = field("Whether there are items after this page.")
    has_previous_page: bool = field("Whether there are items before this page.")
    start_cursor: str | None = field("Cursor of the first item; null if the page is empty.")
    end_cursor: str | None = field("Cursor of the last item; null if the page is empty.")


@strawberry.type(description="An item of a list with its cursor.")
class Edge(Generic[T]):
    cursor: str = field("Position of the item, for `after` and `before`.")
    node: T = field("The item.")


@strawberry.type(description="A page of a list, following the Relay cursor connections specification.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = field("Items with their cursors.")
    nodes: list[T] = field("Items without cursors.")
    page_info: PageInfo = field("Position of this page in its list.")

    count: strawberry.Private[Callable[[], Any]]

    @resolver_field(description="Number of items in the whole list.")
    def total_count(self) -> int:
        return self.count()
