"""The parts of addresses, made of names and unique: a second "Python" becomes python-2."""

import re
from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lms_graphql.core.text import slugify

COURSE_SLUGS_LOCK = "course_slugs"
"""The turn to hold before a course's slug is chosen: two that choose at once would take the same."""


def unique_slug(session: Session, column: InstrumentedAttribute[str], text: str, otherwise: str) -> str:
    """One that no row has. `otherwise` is for a text without a letter from a to z."""
    base = slugify(text) or otherwise
    for some in _candidates(base):
        taken = set(session.scalars(select(column).where(column.in_(some))))
        if free := next((slug for slug in some if slug not in taken), None):
            return free
    raise AssertionError("There is no last number.")


def matches_title(slug: str, text: str, otherwise: str) -> bool:
    """Whether the slug may stay as it is for this text."""
    return re.fullmatch(re.escape(slugify(text) or otherwise) + r"(-[0-9]+)?", slug) is not None


def _candidates(base: str) -> Iterator[Sequence[str]]:
    """Ever more at once, so that the thousandth of a name costs four statements."""
    start, end = 2, 10
    yield [base, *(f"{base}-{number}" for number in range(start, end))]
    while True:
        start, end = end, end * 10
        yield [f"{base}-{number}" for number in range(start, end)]
