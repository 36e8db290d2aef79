"""Search terms: splitting texts and queries into words. It needs no database, so the result is the same on every one.

Words are compared without case and accents. Words of one or two letters count too, and C++, C#, F# and .NET are terms
of their own.
"""

import re
from collections.abc import Iterable

from lms_graphql.core.text import fold

MAX_TERM_LENGTH = 64
MAX_CHARACTER = "\U0010ffff"
"""The last Unicode character. Terms that begin with "py" lie between "py" and "py" followed by this character."""
MAX_QUERY_TERMS = 12
"""Terms of a query that are used. The others are ignored, so a longer query finds more, never less."""

_WORD = re.compile(r"\w+(?:\+\+|#)?|(?<!\w)\.\w+")
_DOTTED = re.compile(r"\.(\w+)")


def query_terms(text: str) -> list[str]:
    """Return the terms of a query, in order and without duplicates. The last one is meant as a prefix."""
    words = [word[:MAX_TERM_LENGTH] for word in _WORD.findall(fold(text))]
    return list(dict.fromkeys(reversed(words[:MAX_QUERY_TERMS])))[::-1]


def index_terms(text: str) -> Iterable[str]:
    """Yield the terms by which a text is found. A term may come several times."""
    folded = fold(text)
    for word in _WORD.findall(folded):
        yield word[:MAX_TERM_LENGTH]
        stripped = word.rstrip("+#").lstrip(".")
        if stripped != word:
            yield stripped[:MAX_TERM_LENGTH]
    for word in _DOTTED.findall(folded):  # the query ".net" finds ASP.NET
        yield f".{word}"[:MAX_TERM_LENGTH]
