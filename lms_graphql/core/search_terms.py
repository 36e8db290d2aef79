"""Search terms: splitting texts and queries into words. It needs no database, so the result is the same on every one.

Words are compared without case and accents. Words of one or two letters count too, and C++, C#, F# and .NET are terms
of their own. Scripts without spaces between words are split into pairs of characters, so that any part of a text is
found: 机器学习 has the terms 机器, 器学, 学习 and 习.
"""

from collections.abc import Iterator
from itertools import islice, pairwise
from typing import NamedTuple

import regex

from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.core.text import fold, is_blank

MAX_SEARCH_LENGTH = 200
"""Characters of a query."""
MAX_TERM_LENGTH = 64
MAX_CHARACTER = "\U0010ffff"
"""The last Unicode character. Terms that begin with "py" lie between "py" and "py" followed by this character."""
PREFIX_MARK = "*"
"""The end of a term that stands for a prefix. No word contains it."""
MAX_QUERY_TERMS = 12
"""Terms of a query that are used. The others are ignored, so a longer query finds more, never less."""
MAX_TEXT_TERMS = 5_000
"""Terms of a text that are stored: all words of the longest description, but not always all pairs of characters."""

_SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\u30fc\p{Bopomofo}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts whose words have no spaces between them, and Hangul, whose words have endings. U+30FC lengthens a vowel."""
_LETTER = rf"[\w--[{_SPACELESS}]]"
_TERM = regex.compile(rf"(?V1)(?P<run>[\w&&[{_SPACELESS}]]+)|{_LETTER}+(?:\+\+|#)?|(?<!\w)\.{_LETTER}+")
_DOTTED = regex.compile(rf"(?V1)\.{_LETTER}+")


class _QueryTerm(NamedTuple):
    text: str
    is_prefix: bool


class QueryTerms(NamedTuple):
    """Terms of a query, which must all match: `words` exactly, and `prefixes` as the beginning of a term."""

    words: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


def parse_search(search: str | None) -> QueryTerms | None:
    """Return the terms of a `search` argument. Raise BAD_USER_INPUT if it is too long.

    Return None for a blank one, because an empty search box shows everything.
    """
    if search is None or is_blank(search):
        return None
    if len(search) > MAX_SEARCH_LENGTH:
        message = f"`search` is too long. Use at most {MAX_SEARCH_LENGTH} characters."
        raise RequestError(RequestErrorCode.BAD_USER_INPUT, message)
    return query_terms(search)


def query_terms(text: str) -> QueryTerms:
    """Return the terms of a query, in order and without duplicates.

    The last term is a prefix. So is a single character of a script without spaces, because terms are pairs of them.
    """
    terms = list(islice(_query_terms(fold(text)), MAX_QUERY_TERMS))
    if terms:
        terms[-1] = _QueryTerm(terms[-1].text, is_prefix=True)
    prefixes = dict.fromkeys(term.text for term in terms if term.is_prefix)
    words = dict.fromkeys(term.text for term in terms if term.text not in prefixes)
    return QueryTerms(tuple(words), tuple(prefixes))


def _query_terms(folded: str) -> Iterator[_QueryTerm]:
    for match in _TERM.finditer(folded):
        if run := match["run"]:
            yield from (_QueryTerm(pair, False) for pair in _pairs(run))
            if len(run) == 1:
                yield _QueryTerm(run, True)
        else:
            yield _QueryTerm(match[0][:MAX_TERM_LENGTH], False)


def prefix_term(prefix: str) -> str:
    """Return the term by which texts are found that have a word with this prefix.

    A prefix of the greatest length begins no longer word, so its term is the word itself.
    """
    return f"{prefix}{PREFIX_MARK}"[:MAX_TERM_LENGTH]


def prefix_terms(term: str) -> Iterator[str]:
    """Yield the terms of all prefixes of this term, of itself too."""
    return (prefix_term(term[:length]) for length in range(1, len(term) + 1))


def index_terms(text: str) -> list[str]:
    """Return the terms by which a text is found, without duplicates."""
    return list(islice(dict.fromkeys(_index_terms(fold(text))), MAX_TEXT_TERMS))


def _index_terms(folded: str) -> Iterator[str]:
    for match in _TERM.finditer(folded):
        if run := match["run"]:
            yield from _pairs(run)
            yield run[-1]  # so that a query of one character finds the last one, which begins no pair
        else:
            yield match[0][:MAX_TERM_LENGTH]
            yield match[0].rstrip("+#").lstrip(".")[:MAX_TERM_LENGTH]
    for match in _DOTTED.finditer(folded):  # the query ".net" finds ASP.NET
        yield match[0][:MAX_TERM_LENGTH]


def _pairs(run: str) -> Iterator[str]:
    return (first + second for first, second in pairwise(run))
