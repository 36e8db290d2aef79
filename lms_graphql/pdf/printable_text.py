"""Text as the fonts can show it."""

import re
import unicodedata
from itertools import groupby

import regex

from lms_graphql.pdf import fonts

MAX_MARKS = 4
"""Marks in a row above or below a letter. No language needs more, and more would cover the lines around."""

_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
_EMOJI_VARIANT = re.compile("(.)\ufe0f")
"""A character that may also be a plain symbol, with the sign that makes it an emoji."""
_INVISIBLE = regex.compile(r"(?V1)[\p{Default_Ignorable_Code_Point}--[\u200c\u200d]]")
"""Fillers, variation selectors and other characters that show nothing, but no joiners."""


def printable(text: str) -> str | None:
    """Return the text as the fonts can show it, or None if they show nothing of it.

    Accents are joined to their letters. Emoji and invisible characters are left out. A letter that no font has is
    replaced by its plain form, if Unicode knows one, or stays and is drawn as a box.
    """
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    text = _EMOJI_VARIANT.sub(_plain_symbol, _KEYCAP.sub("", text))
    text = "".join(map(_shown, _without_stray_joiners(_INVISIBLE.sub("", text))))
    text = " ".join(_without_excess_marks(text).split())
    letters = [char for char in text if unicodedata.category(char)[0] in "LN"]
    if letters and not any(map(_has_glyph, letters)):
        return None
    return text or None


def _plain_symbol(match: re.Match[str]) -> str:
    return match[1] if fonts.has_glyph(fonts.TEXT, match[1]) else ""


def _shown(char: str) -> str:
    category = unicodedata.category(char)[0]
    if char in fonts.JOINERS or (category != "C" and _has_glyph(char)):
        return char
    if category not in "LN":
        return ""
    plain = unicodedata.normalize("NFKC", char)
    return plain if all(map(_has_glyph, plain)) else char


def _has_glyph(char: str) -> bool:
    return fonts.font_of(char, fonts.TEXT) is not None


def _without_stray_joiners(text: str) -> str:
    """Leave out joiners that do not stand inside a word of a script that uses them."""
    neighbors = zip(f" {text}", text, f"{text[1:]} ", strict=False)
    return "".join(
        char
        for before, char, after in neighbors
        if char not in fonts.JOINERS or (fonts.script_font(before) and fonts.script_font(after))
    )


def _without_excess_marks(text: str) -> str:
    groups = groupby(text, lambda char: unicodedata.category(char) == "Mn")
    return "".join("".join(list(group)[: MAX_MARKS if are_marks else None]) for are_marks, group in groups)
