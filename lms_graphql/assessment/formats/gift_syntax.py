"""Syntax of GIFT that reader and writer share: escapes, weights, and comments with what Moodle's GIFT cannot say.

- `[points:2.5]`: points of the question.
- `[partial-credit:right-minus-wrong]`: partial credit, with the name of the enum in lower case.
- `[type:short-answer]`: the answers are texts, even if they look like pairs of a matching question.
- `[exact-prompt:"…"]`: a text as JSON, see `exact_texts.py`.
"""

import re

ESCAPE = re.compile(r"\\([\\:#={}~n])")
SPECIAL = re.compile(r"[\\:#={}~]")
WEIGHT = re.compile(r"\s*%([+-]?[\d.,]{1,20})%")
FORMAT = re.compile(r"\[(html|markdown|plain|moodle)\]")
COMMENT_VALUE = re.compile(r"(?<!\\)\[([a-z][a-z0-9-]{0,30}):((?:[^\[\]\\]|\\.)*+)\]")
GAP = "_____"
"""Text that stands for the answer block of a question with a missing word."""

# An escaped character is a surrogate while the syntax is read. Texts have none, so that they cannot be confused.
_SHIFT = 0xDC00
_UNESCAPED = {_SHIFT + ord(char): char for char in "\\:#={}~"} | {_SHIFT + ord("n"): "\n"}


def protect_escapes(text: str) -> str:
    """Replace escaped characters by others that the syntax does not know."""
    return ESCAPE.sub(lambda match: chr(_SHIFT + ord(match[1])), text)


def unescape(protected: str) -> str:
    """Return the text that stands in the file for a reader."""
    return protected.translate(_UNESCAPED)


def escape(text: str) -> str:
    return SPECIAL.sub(r"\\\g<0>", carried(text, ends="")).replace("\n", r"\n")


def carried(text: str, ends: str = " \t") -> str:
    """Return the text as a reader of GIFT would see it: with Unix line ends, without blanks at its ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip(ends)


def comment_values(comments: list[str]) -> dict[str, list[str]]:
    """Return the values in comments such as `[id:x] [tag:y]`, by their name."""
    values: dict[str, list[str]] = {}
    for comment in comments:
        for match in COMMENT_VALUE.finditer(comment):
            values.setdefault(match[1], []).append(match[2])
    return values


def comment_value(name: str, value: str) -> str:
    """Return the value as it stands in a comment. Brackets can only be in JSON, which has another form of them."""
    written = value.replace("[", r"\u005b").replace("]", r"\u005d")
    return f"[{name}:{written}]"
