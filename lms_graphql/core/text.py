"""Text normalization: folding, sort keys, slugs, trimmed and blank texts, with the same result on every database.

There is one folding for search terms, sort keys, slugs and the uniqueness of names. The package `regex` knows the
scripts and properties of Unicode, which the standard library does not. `anyascii` transliterates.
"""

from unicodedata import normalize

import regex
from anyascii import anyascii

_INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
_ARABIC_TATWEEL = "\u0640"  # lengthens a word and does not change it
_EXCESS_MARKS = regex.compile(r"(\p{M}{30})\p{M}+")
"""Marks beyond the 30 in a row that Unicode's stream-safe format allows. To normalize them takes quadratic time."""
_ACCENTS = regex.compile(r"([\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}\p{Common}])\p{M}+")
"""Marks that most people leave out when they type. In other scripts, such as Devanagari, marks are vowels."""
_LATIN = regex.compile(r"(?V1)[[\p{Latin}\u02b0-\u02ff]--\p{ASCII}]+")
"""Latin letters that have no decomposition, such as ł and ø, and apostrophes that count as letters, as in Hawaiʻi."""
_HAN = regex.compile(r"\p{Han}")
_FOREIGN = regex.compile(r"(?V1)[[\p{L}\p{M}\p{N}]--\p{Latin}--\p{ASCII}]")
_NOT_IN_SLUGS = regex.compile(r"[^a-z0-9]+")
_BLANK = regex.compile(
    r"[\p{White_Space}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}"
    r"\u2800\U0001d159]*"  # an empty Braille cell and an empty note head
)
_SPACES = "".join(filter(str.isspace, map(chr, range(0x3001)))) + (
    "\u00ad\u115f\u1160\u180e\u200b\u2060\u2800\u3164\ufeff\uffa0"
)
"""Spaces, and characters that look like a space or like nothing. Joiners and marks are not among them, because they
belong to their letter or emoji."""


def fold(text: str) -> str:
    """Return the text without case and accents: "École", "ECOLE" and "ecole" give the same, "Łódź" and "lodz" too."""
    if text.isascii():
        return text.lower()
    bounded = _EXCESS_MARKS.sub(r"\1", text.casefold())
    decomposed = _INVISIBLE.sub("", normalize("NFKD", bounded)).replace(_ARABIC_TATWEEL, "")
    without_accents = _ACCENTS.sub(r"\1", decomposed)
    transliterated = _LATIN.sub(lambda letters: anyascii(letters[0]), without_accents)
    return normalize("NFC", transliterated.casefold())


def sort_key(text: str, length: int = 200) -> str:
    """Return the key by which titles and names are sorted: folded, single-spaced, cut to the column's length."""
    return " ".join(fold(text).split())[:length]


def slugify(text: str, length: int = 80) -> str:
    """Return the slug of a title: "C# & .NET, from zero" -> "c-sharp-net-from-zero", "学习 Go" -> "xue-xi-go".

    It is empty if the title has no letters and digits.
    """
    composed = normalize("NFKC", text.casefold())
    latin = _FOREIGN.sub(_transliterate, _HAN.sub(r" \g<0> ", composed))
    spelled_out = fold(latin).replace("c#", "c-sharp").replace("f#", "f-sharp").replace("c++", "cpp")
    return _NOT_IN_SLUGS.sub("-", spelled_out).strip("-")[:length].rstrip("-")


def _transliterate(character: regex.Match[str]) -> str:
    """Return the letters and digits for a character. The apostrophe of a soft sign would split a word."""
    return "".join(letter for letter in anyascii(character[0]) if letter.isalnum())


def trim(text: str) -> str:
    """Return the text without spaces at its ends, and without characters that look like spaces or like nothing."""
    return text.strip(_SPACES)


def is_blank(text: str) -> bool:
    """Return whether nothing in the text is visible: spaces, format characters, fillers, marks without a letter."""
    return _BLANK.fullmatch(text) is not None
