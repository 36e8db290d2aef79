"""Keyset pages: a cursor is the place of a row in an order, so pages hold while rows come and go."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
from sqlalchemy import ColumnElement, SQLColumnExpression, and_, or_

from lms_graphql.core.errors import RequestError, RequestErrorCode

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PageArguments:
    """What a client asks of a list: `first` or `last` so many, after and before these cursors."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None:
            raise RequestError(RequestErrorCode.BAD_USER_INPUT, "Ask for `first` or for `last`, not for both.")
        for name, size in (("first", self.first), ("last", self.last)):
            if size is not None and not 1 <= size <= MAX_PAGE_SIZE:
                raise RequestError(RequestErrorCode.BAD_USER_INPUT, f"`{name}` goes from 1 to {MAX_PAGE_SIZE}.")

    @property
    def size(self) -> int:
        return self.first or self.last or DEFAULT_PAGE_SIZE

    @property
    def backward(self) -> bool:
        return self.last is not None


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of an order, and how its value is read from a row of the list."""

    column: SQLColumnExpression[Any]
    value: Callable[[Any], Any]
    type: type


@dataclass(frozen=True, slots=True)
class SortOrder:
    """A total order: the last term is unique. `name` goes into cursors, so that one of another list is refused."""

    name: str
    terms: tuple[SortKey, ...]
    descending: bool = False

    def columns(self, backward: bool) -> list[ColumnElement[Any]]:
        """For ORDER BY, read from its end where `backward`."""
        down = self.descending != backward
        return [term.column.desc() if down else term.column.asc() for term in self.terms]

    def cursor(self, row: Any) -> str:
        values = [_plain(term.value(row)) for term in self.terms]
        return urlsafe_b64encode(orjson.dumps([self.name, *values])).rstrip(b"=").decode()

    def cursor_predicates(self, asked: PageArguments) -> list[ColumnElement[bool]]:
        """What holds of every row between the cursors. BAD_CURSOR where one was not made by this list and order."""
        bounds = []
        if asked.after is not None:
            bounds.append(self._beyond(self._values(asked.after), ahead=True))
        if asked.before is not None:
            bounds.append(self._beyond(self._values(asked.before), ahead=False))
        return bounds

    def _values(self, cursor: str) -> list[Any]:
        try:
            name, *values = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            if name != self.name:
                raise ValueError
            return [_typed(value, term.type) for value, term in zip(values, self.terms, strict=True)]
        except (NotBase64, ValueError, TypeError, OverflowError):
            message = "This cursor does not belong to this list in this order. Start again without it."
            raise RequestError(RequestErrorCode.BAD_CURSOR, message) from None

    def _beyond(self, values: Sequence[Any], *, ahead: bool) -> ColumnElement[bool]:
        """(a, b, id) > (x, y, z), spelled out: MariaDB finds no index range in a comparison of rows."""
        up = ahead != self.descending
        clause: ColumnElement[bool] | None = None
        for term, value in reversed(list(zip(self.terms, values, strict=True))):
            further = term.column > value if up else term.column < value
            if clause is None:
                clause = further
            else:
                reached = term.column >= value if up else term.column <= value
                clause = and_(reached, or_(further, clause))
        assert clause is not None
        return clause


@dataclass(slots=True)
class Page(Generic[Row]):
    """A stretch of a list, with its cursors made only where a client asks for them."""

    rows: Sequence[Row]
    order: SortOrder
    has_next: bool
    has_previous: bool
    count: Callable[[], Any] = field(repr=False)
    """How many there are in the whole list: asked only where a client wants `totalCount`."""

    @property
    def nodes(self) -> Sequence[Row]:
        return self.rows

    @property
    def edges(self) -> list["PageEdge"]:
        return [PageEdge(self.order.cursor(row), row) for row in self.rows]

    @property
    def page_info(self) -> "PageBounds":
        start = self.order.cursor(self.rows[0]) if self.rows else None
        end = self.order.cursor(self.rows[-1]) if self.rows else None
        return PageBounds(self.has_next, self.has_previous, start, end)


class PageEdge(NamedTuple):
    cursor: str
    node: Any


class PageBounds(NamedTuple):
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


def build_page(fetched: Sequence[Row], asked: PageArguments, order: SortOrder, count: Callable[[], Any]) -> Page[Row]:
    """A page of rows that were read in the direction asked, one more than its size where there are more."""
    more = len(fetched) > asked.size
    rows = list(fetched[: asked.size])
    if asked.backward:
        rows.reverse()
        return Page(rows, order, has_next=asked.before is not None, has_previous=more, count=count)
    return Page(rows, order, has_next=more, has_previous=asked.after is not None, count=count)


def _plain(value: Any) -> str | int:
    return value.isoformat() if isinstance(value, datetime) else value


def _typed(value: Any, kind: type) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    if type(value) is not kind or (isinstance(value, int) and not -(2**63) <= value < 2**63):
        raise ValueError
    return value
