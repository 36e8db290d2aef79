"""What the words of a course count in a search."""

from collections.abc import Mapping

from lms_graphql.core.search_terms import index_terms

TITLE, SHORT_DESCRIPTION, DESCRIPTION = 4, 2, 1


def term_weights(title: str, short_description: str | None, description: str) -> Mapping[str, int]:
    """The terms by which a course is found, each with what it counts: the sum over the texts that have it."""
    found: dict[str, int] = {}
    for text, weight in (
        (title, TITLE),
        (short_description or "", SHORT_DESCRIPTION),
        (description, DESCRIPTION),
    ):
        for term in set(index_terms(text)):
            found[term] = found.get(term, 0) + weight
    return found
