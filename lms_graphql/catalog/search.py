"""How texts become words, and words find courses. Pure: the same on every database.

Words are compared without case and accents. One or two letters are words too, and C++, C#, F# and .NET are more
than their letters.
"""

import re
from collections.abc import Iterable, Mapping

from lms_graphql.core.text import fold

LONGEST_TERM = 64
MOST_WORDS = 12
"""Of a query; the rest of a longer one is left out, which finds more, never less."""

TITLE, SHORT_DESCRIPTION, DESCRIPTION = 4, 2, 1

_WORD = re.compile(r"\w+(?:\+\+|#)?|(?<!\w)\.\w+")
_DOTTED = re.compile(r"\.(\w+)")


def words_of_query(text: str) -> list[str]:
    """In their order, each once; the last one is meant as a prefix."""
    words = [word[:LONGEST_TERM] for word in _WORD.findall(fold(text))]
    return list(dict.fromkeys(reversed(words[:MOST_WORDS])))[::-1]


def weights(title: str, short_description: str | None, description: str) -> Mapping[str, int]:
    """The terms by which a course is found, each with what it counts: the sum over the texts that have it."""
    found: dict[str, int] = {}
    for text, weight in (
        (title, TITLE),
        (short_description or "", SHORT_DESCRIPTION),
        (description, DESCRIPTION),
    ):
        for term in set(_terms_of(text)):
            found[term] = found.get(term, 0) + weight
    return found


def _terms_of(text: str) -> Iterable[str]:
    folded = fold(text)
    for word in _WORD.findall(folded):
        yield word[:LONGEST_TERM]
        bare = word.rstrip("+#").lstrip(".")
        if bare != word:
            yield bare[:LONGEST_TERM]
    for word in _DOTTED.findall(folded):  # ASP.NET is found by ".net"
        yield f".{word}"[:LONGEST_TERM]
