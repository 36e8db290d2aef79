"""Letters on paper: which font has a character, how wide a text is, and the size at which it fits."""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FOLDER = Path(__file__).parent / "fonts"
DISPLAY, TEXT, ITALIC = "NotoSerifDisplay-Regular", "NotoSerif-Regular", "NotoSerif-Italic"
EAST_ASIAN = "DroidSansFallback"
"""Looked into for what the others do not have: Chinese, Japanese and Korean."""
STEP, SMALLEST = 0.5, 3.0
LEADING = 1.18


class FittedText(NamedTuple):
    """A text as it was made to fit: the size, and its lines."""

    size: float
    lines: Sequence[str]

    @property
    def height(self) -> float:
        """From the first baseline to the last."""
        return self.size * LEADING * (len(self.lines) - 1)


@cache
def font(name: str) -> TTFont:
    """Read once a process: from one thread alone."""
    read = TTFont(name, FOLDER / f"{name}.ttf")
    registerFont(read)
    return read


def has(name: str, char: str) -> bool:
    return ord(char) in font(name).face.charToGlyph


def printable(text: str) -> str | None:
    """
    The text as the fonts can show it: accents joined to their letters, and without signs that none has, such as
    pictures. None where a letter is missing: a script that is not covered, or one that has to be shaped.
    """
    shown = []
    for char in unicodedata.normalize("NFC", " ".join(text.split())):
        if has(TEXT, char) or has(EAST_ASIAN, char):
            shown.append(char)
        elif unicodedata.category(char)[0] in "LMN":
            return None
    return " ".join("".join(shown).split()) or None


@lru_cache(maxsize=4_096)
def char_width(char: str, name: str) -> float:
    """How wide it is at the size of 1. Letters are not kerned, so a text is as wide as they are together."""
    return font(name if has(name, char) else EAST_ASIAN).stringWidth(char, 1)


def width(text: str, name: str, size: float) -> float:
    return size * sum(char_width(char, name) for char in text)


def fit_text(text: str, name: str, room: float, largest: float, least_alone: float, height: float) -> FittedText:
    """
    As large as fits into this width: on one line down to the size `least_alone`, then on as many lines of about one
    length as go into this height, from the first baseline to the last.
    """
    size = largest
    while True:
        lines = _broken(text, name, room / size)
        fits = len(lines) == 1 or (size <= least_alone and FittedText(size, lines).height <= height)
        if fits or size <= SMALLEST:
            return FittedText(size, _balanced(text, name, room / size, len(lines)))
        size -= STEP


def draw_centred(canvas: Canvas, x: float, y: float, text: str, name: str, size: float) -> None:
    left = x - width(text, name, size) / 2
    for one, run in _runs(text, name):
        canvas.setFont(one, size)
        canvas.drawString(left, y, run)
        left += width(run, name, size)


def draw_spaced(canvas: Canvas, x: float, y: float, text: str, name: str, size: float, space: float) -> None:
    """Centred, with air between the letters."""
    font(name)
    canvas.setFont(name, size)
    canvas.drawString(x - (width(text, name, size) + space * (len(text) - 1)) / 2, y, text, charSpace=space)


def draw_lines(canvas: Canvas, x: float, y: float, text: FittedText, name: str) -> None:
    """Centred, the first baseline at `y`."""
    for number, line in enumerate(text.lines):
        draw_centred(canvas, x, y - number * text.size * LEADING, line, name, text.size)


def _runs(text: str, name: str) -> Iterator[tuple[str, str]]:
    """Stretches of one font."""
    for one, run in groupby(text, lambda char: name if has(name, char) else EAST_ASIAN):
        yield one, "".join(run)


def _broken(text: str, name: str, room: float) -> list[str]:
    """Lines of at most this width at the size of 1: between words, and inside one that is longer than a line."""
    lines, used = [""], 0.0
    for word in text.split(" "):
        needed = width(word, name, 1)
        if lines[-1] and used + char_width(" ", name) + needed <= room:
            lines[-1] += f" {word}"
            used += char_width(" ", name) + needed
            continue
        if lines[-1]:
            lines.append("")
        used = 0.0
        for char in word:
            if lines[-1] and used + char_width(char, name) > room:
                lines.append("")
                used = 0.0
            lines[-1] += char
            used += char_width(char, name)
    return lines


def _balanced(text: str, name: str, room: float, lines: int) -> list[str]:
    """The same number of lines, in about the narrowest room that gives it."""
    low, high = 0.0, room
    while lines > 1 and high - low > 0.1:
        middle = (low + high) / 2
        if len(_broken(text, name, middle)) <= lines:
            high = middle
        else:
            low = middle
    return _broken(text, name, high)
