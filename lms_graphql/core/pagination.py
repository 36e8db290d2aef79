"""Keyset pagination. A cursor is the position of a row in an order, so pages stay stable while rows come and go."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
from sqlalchemy import ColumnElement, SQLColumnExpression, and_, false, or_, true

from lms_graphql.core.errors import RequestError, RequestErrorCode

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PageArguments:
    """Arguments of a list: the number of items from the start or from the end, and the cursors to stay between."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None:
            raise RequestError(RequestErrorCode.BAD_USER_INPUT, "`first` and `last` exclude each other. Use one.")
        for name, size in (("first", self.first), ("last", self.last)):
            if size is not None and not 1 <= size <= MAX_PAGE_SIZE:
                raise RequestError(RequestErrorCode.BAD_USER_INPUT, f"`{name}` must be from 1 to {MAX_PAGE_SIZE}.")

    @property
    def size(self) -> int:
        return self.first or self.last or DEFAULT_PAGE_SIZE

    @property
    def backward(self) -> bool:
        return self.last is not None


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of an order, with a function that reads its value from a row of the list.

    Values of a `nullable` column may be null. Null is the smallest value, as in ORDER BY of all our databases.
    """

    column: SQLColumnExpression[Any]
    value: Callable[[Any], Any]
    type: type
    nullable: bool = False

    def equals(self, value: Any) -> ColumnElement[bool]:
        return self.column.is_(None) if value is None else self.column == value

    def greater(self, value: Any) -> ColumnElement[bool]:
        return self.column.is_not(None) if value is None else self.column > value

    def at_least(self, value: Any) -> ColumnElement[bool]:
        return true() if value is None else self.column >= value

    def less(self, value: Any) -> ColumnElement[bool]:
        if value is None:
            return false()
        return or_(self.column < value, self.column.is_(None)) if self.nullable else self.column < value

    def at_most(self, value: Any) -> ColumnElement[bool]:
        if value is None:
            return self.column.is_(None)
        return or_(self.column <= value, self.column.is_(None)) if self.nullable else self.column <= value


@dataclass(frozen=True, slots=True)
class SortOrder:
    """A total order: its last term is unique. Cursors contain `name`, so that those of other lists are rejected."""

    name: str
    terms: tuple[SortKey, ...]
    descending: bool = False

    def columns(self, backward: bool) -> list[ColumnElement[Any]]:
        """Return the columns for ORDER BY, reversed if `backward`."""
        is_descending = self.descending != backward
        return [term.column.desc() if is_descending else term.column.asc() for term in self.terms]

    def cursor(self, row: Any) -> str:
        values = [_to_json(term.value(row)) for term in self.terms]
        return urlsafe_b64encode(orjson.dumps([self.name, *values])).rstrip(b"=").decode()

    def cursor_predicates(self, arguments: PageArguments) -> list[ColumnElement[bool]]:
        """Return conditions for rows between the cursors. Raise BAD_CURSOR for a cursor of another list or order."""
        predicates = []
        if arguments.after is not None:
            predicates.append(self._beyond(self._values(arguments.after), forward=True))
        if arguments.before is not None:
            predicates.append(self._beyond(self._values(arguments.before), forward=False))
        return predicates

    def _values(self, cursor: str) -> list[Any]:
        try:
            name, *encoded = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            if name != self.name:
                raise ValueError
            return [_from_json(value, term) for value, term in zip(encoded, self.terms, strict=True)]
        except (NotBase64, ValueError, TypeError, OverflowError):
            message = "This cursor does not belong to this list and order. Start again without a cursor."
            raise RequestError(RequestErrorCode.BAD_CURSOR, message) from None

    def _beyond(self, values: Sequence[Any], *, forward: bool) -> ColumnElement[bool]:
        """Return (a, b, id) > (x, y, z), written out because MariaDB uses no index range to compare tuples.

        `a > x OR (a = x AND (b > y OR …))` gives MariaDB a range on all columns. Without the equality it walks all
        rows that tie in `a`: 18 ms instead of 1.3 ms at 80 % of 10,000 courses. SQLite finds the range by `a >= x`.
        """
        is_greater = forward != self.descending
        clause: ColumnElement[bool] | None = None
        for term, value in reversed(list(zip(self.terms, values, strict=True))):
            beyond = term.greater(value) if is_greater else term.less(value)
            clause = beyond if clause is None else or_(beyond, and_(term.equals(value), clause))
        assert clause is not None
        first, value = self.terms[0], values[0]
        return and_(first.at_least(value) if is_greater else first.at_most(value), clause)


@dataclass(slots=True)
class Page(Generic[Row]):
    """A page of a list. Its cursors are built only if the client selects them."""

    rows: Sequence[Row]
    order: SortOrder
    has_next: bool
    has_previous: bool
    count: Callable[[], Any] = field(repr=False)
    """Returns the number of rows in the whole list. It is called only if the client selects `totalCount`."""

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


def build_page(
    fetched: Sequence[Row], arguments: PageArguments, order: SortOrder, count: Callable[[], Any]
) -> Page[Row]:
    """Return the page with these rows, which were fetched in the direction of the arguments.

    One row beyond the page's size shows that there are more.
    """
    has_more = len(fetched) > arguments.size
    rows = list(fetched[: arguments.size])
    if arguments.backward:
        rows.reverse()
        return Page(rows, order, has_next=arguments.before is not None, has_previous=has_more, count=count)
    return Page(rows, order, has_next=has_more, has_previous=arguments.after is not None, count=count)


def _to_json(value: Any) -> str | int | None:
    return value.isoformat() if isinstance(value, datetime) else value


def _from_json(value: Any, term: SortKey) -> Any:
    if value is None and term.nullable:
        return None
    if term.type is datetime:
        time = datetime.fromisoformat(value)
        if time.tzinfo is None:
            raise ValueError
        return time.astimezone(UTC)
    if type(value) is not term.type or (isinstance(value, int) and not -(2**63) <= value < 2**63):
        raise ValueError
    return value
