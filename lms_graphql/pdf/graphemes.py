"""Graphemes: the parts of a word that are never separated at the end of a line."""

import unicodedata

from lms_graphql.pdf import fonts

VIRAMA = 9
"""Combining class of the sign that joins a letter with the next one, in scripts of India and its neighbors."""
BEFORE_CONSONANT = frozenset("เแโใไເແໂໃໄ")
"""Vowels of Thai and Lao that are written before their consonant."""
AFTER_CONSONANT = frozenset("ะำะຳ")
"""Vowels of Thai and Lao that are letters of their own for Unicode, and never begin a line."""


def split(word: str) -> list[str]:
    """Return the graphemes of a word, in order: each letter with all that belongs to it."""
    parts: list[str] = []
    for char in word:
        if parts and _belongs_to(parts[-1][-1], char):
            parts[-1] += char
        else:
            parts.append(char)
    return parts


def _belongs_to(previous: str, char: str) -> bool:
    if fonts.is_mark(char) or char in fonts.JOINERS or char in AFTER_CONSONANT:
        return True
    return previous in fonts.JOINERS or previous in BEFORE_CONSONANT or unicodedata.combining(previous) == VIRAMA
