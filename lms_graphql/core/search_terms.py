"""How texts become words that can be looked up. Pure: the same on every database.

Words are compared without case and accents. One or two letters are words too, and C++, C#, F# and .NET are more
than their letters.
"""

import re
from collections.abc import Iterable

from lms_graphql.core.text import fold

MAX_TERM_LENGTH = 64
MAX_CHARACTER = "\U0010ffff"
"""After every other: the terms that begin with "py" lie from "py" to "py" and this."""
MAX_QUERY_TERMS = 12
"""Of a query; the rest of a longer one is left out, which finds more, never less."""

_WORD = re.compile(r"\w+(?:\+\+|#)?|(?<!\w)\.\w+")
_DOTTED = re.compile(r"\.(\w+)")


def query_terms(text: str) -> list[str]:
    """In their order, each once; the last one is meant as a prefix."""
    words = [word[:MAX_TERM_LENGTH] for word in _WORD.findall(fold(text))]
    return list(dict.fromkeys(reversed(words[:MAX_QUERY_TERMS])))[::-1]


def index_terms(text: str) -> Iterable[str]:
    """What the text is found by."""
    folded = fold(text)
    for word in _WORD.findall(folded):
        yield word[:MAX_TERM_LENGTH]
        bare = word.rstrip("+#").lstrip(".")
        if bare != word:
            yield bare[:MAX_TERM_LENGTH]
    for word in _DOTTED.findall(folded):  # ASP.NET is found by ".net"
        yield f".{word}"[:MAX_TERM_LENGTH]
