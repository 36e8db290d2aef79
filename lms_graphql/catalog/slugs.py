"""Unique slugs made from names: the second course named "Python" gets python-2."""

import re
from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lms_graphql.core.text import slugify

COURSE_SLUGS_LOCK = "course_slugs"
"""The named lock to take before a course's slug is chosen, because two transactions could choose the same one."""


def unique_slug(session: Session, column: InstrumentedAttribute[str], text: str, default: str) -> str:
    """Return a slug for the text that no row has. A text without letters and digits gets `default`."""
    base = slugify(text) or default
    for candidates in _candidates(base):
        taken = set(session.scalars(select(column).where(column.in_(candidates))))
        if free := next((slug for slug in candidates if slug not in taken), None):
            return free
    raise AssertionError("Candidates never end.")


def matches_title(slug: str, title: str, default: str) -> bool:
    """Return whether the slug is one that `unique_slug` could return for the title, with any number."""
    return re.fullmatch(re.escape(slugify(title) or default) + r"(-[0-9]+)?", slug) is not None


def _candidates(base: str) -> Iterator[Sequence[str]]:
    """Yield growing batches of candidates, so that the thousandth slug of a name costs four statements."""
    start, end = 2, 10
    yield [base, *(f"{base}-{number}" for number in range(start, end))]
    while True:
        start, end = end, end * 10
        yield [f"{base}-{number}" for number in range(start, end)]
