"""Search terms stored with the rows whose texts contain them: writing them, and their drift from the texts."""

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lms_graphql.core.statements import RowSelect, execute_dml

BATCH_SIZE = 500
"""The number of owners whose terms are compared at a time."""

Term = tuple[str, int]
"""A term with the value that is stored with it, such as its weight."""


@dataclass(frozen=True, slots=True)
class TermTable:
    """A table with one row for each term of an owner. `value` is its further column."""

    term: InstrumentedAttribute[str]
    owner: InstrumentedAttribute[int]
    value: InstrumentedAttribute[int]


class TermDrift(NamedTuple):
    """An owner whose stored terms differ from those of its texts."""

    owner_key: int
    stored: Set[Term]
    expected: Set[Term]


def stored_terms(session: Session, table: TermTable, owner_key: int) -> Set[Term]:
    return _terms_by_owner(session, table, table.owner == owner_key).get(owner_key, set())


def update_terms(session: Session, table: TermTable, owner_key: int, stored: Set[Term], expected: Set[Term]) -> None:
    """Write the difference between stored and expected terms.

    Only changed terms are written, so that an edit of a long text locks no terms of other owners.
    """
    model = table.owner.class_
    for value, terms in _by_value(stored - expected).items():
        execute_dml(
            session, delete(model).where(table.value == value, table.term.in_(terms), table.owner == owner_key)
        )
    added = [
        {table.term.key: term, table.value.key: value, table.owner.key: owner_key}
        for term, value in sorted(expected - stored)
    ]
    if added:
        session.execute(insert(model), added)


def find_drift(
    session: Session, table: TermTable, rows: RowSelect, expected: Callable[[Any], Set[Term]]
) -> Iterator[TermDrift]:
    """Yield the drift of each owner. `rows` selects the owners, their key first. `expected` takes such a row."""
    key, last_key = rows.selected_columns[0], 0
    while batch := session.execute(rows.where(key > last_key).order_by(key).limit(BATCH_SIZE)).all():
        last_key = batch[-1][0]
        stored_by_owner = _terms_by_owner(session, table, table.owner.between(batch[0][0], last_key))
        for row in batch:
            stored, expected_terms = stored_by_owner.get(row[0], set()), expected(row)
            if stored != expected_terms:
                yield TermDrift(row[0], stored, expected_terms)


def repair_drift(session: Session, table: TermTable, drifts: Iterable[TermDrift]) -> int:
    """Write the expected terms, and return the number of owners. `drifts` may be lazy: each is repaired once read."""
    count = 0
    for drift in drifts:
        update_terms(session, table, *drift)
        count += 1
    return count


def _terms_by_owner(session: Session, table: TermTable, where: ColumnElement[bool]) -> dict[int, set[Term]]:
    terms: dict[int, set[Term]] = {}
    for owner_key, term, value in session.execute(select(table.owner, table.term, table.value).where(where)):
        terms.setdefault(owner_key, set()).add((term, value))
    return terms


def _by_value(terms: Iterable[Term]) -> dict[int, list[str]]:
    groups: dict[int, list[str]] = {}
    for term, value in sorted(terms):
        groups.setdefault(value, []).append(term)
    return groups
