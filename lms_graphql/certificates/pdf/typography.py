"""Typography of the certificate: fonts, text widths, and the font size at which a text fits."""

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
FALLBACK = "DroidSansFallback"
"""Font for characters that the others do not have: Chinese, Japanese and Korean."""
SIZE_STEP, MIN_SIZE = 0.5, 3.0
LEADING = 1.18


class FittedText(NamedTuple):
    """A text that fits: its font size and its lines."""

    size: float
    lines: Sequence[str]

    @property
    def height(self) -> float:
        """Distance between the first and the last baseline."""
        return self.size * LEADING * (len(self.lines) - 1)


@cache
def load_font(name: str) -> TTFont:
    """Load and register a font, once a process. Not thread-safe: call it from one thread only."""
    font = TTFont(name, FOLDER / f"{name}.ttf")
    registerFont(font)
    return font


def has_glyph(font: str, char: str) -> bool:
    return ord(char) in load_font(font).face.charToGlyph


def printable(text: str) -> str | None:
    """Return the text as the fonts can show it, or None if they cannot.

    Accents are joined to their letters. Signs that no font has, such as emoji, are left out. A letter that no font
    has cannot be left out: its script is not covered, or needs shaping.
    """
    characters = []
    for char in unicodedata.normalize("NFC", " ".join(text.split())):
        if has_glyph(TEXT, char) or has_glyph(FALLBACK, char):
            characters.append(char)
        elif unicodedata.category(char)[0] in "LMN":
            return None
    return " ".join("".join(characters).split()) or None


@lru_cache(maxsize=4_096)
def char_width(char: str, font: str) -> float:
    """Return the width at font size 1. There is no kerning, so a text is as wide as the sum of its characters."""
    return load_font(font if has_glyph(font, char) else FALLBACK).stringWidth(char, 1)


def text_width(text: str, font: str, size: float) -> float:
    return size * sum(char_width(char, font) for char in text)


def fit_text(
    text: str, font: str, max_width: float, max_size: float, min_single_line_size: float, max_height: float
) -> FittedText:
    """Return the text at the largest font size that fits into the width.

    Down to `min_single_line_size` it stays on one line. Below, it is broken into lines of about equal length whose
    first and last baselines are at most `max_height` apart. It is never smaller than `MIN_SIZE`.
    """
    size = max_size
    while True:
        lines = _break_lines(text, font, max_width / size)
        can_break = size <= min_single_line_size
        fits = len(lines) == 1 or (can_break and FittedText(size, lines).height <= max_height)
        if fits or size <= MIN_SIZE:
            return FittedText(size, _balance_lines(text, font, max_width / size, len(lines)))
        size -= SIZE_STEP


def draw_centered(canvas: Canvas, x: float, y: float, text: str, font: str, size: float) -> None:
    left = x - text_width(text, font, size) / 2
    for run_font, run in _font_runs(text, font):
        canvas.setFont(run_font, size)
        canvas.drawString(left, y, run)
        left += text_width(run, font, size)


def draw_spaced(canvas: Canvas, x: float, y: float, text: str, font: str, size: float, space: float) -> None:
    """Draw a centered text with extra space between its letters."""
    load_font(font)
    canvas.setFont(font, size)
    canvas.drawString(x - (text_width(text, font, size) + space * (len(text) - 1)) / 2, y, text, charSpace=space)


def draw_lines(canvas: Canvas, x: float, y: float, text: FittedText, font: str) -> None:
    """Draw centered lines, the first baseline at `y`."""
    for number, line in enumerate(text.lines):
        draw_centered(canvas, x, y - number * text.size * LEADING, line, font, text.size)


def _font_runs(text: str, font: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of the text that use one font, each with its font."""
    for run_font, run in groupby(text, lambda char: font if has_glyph(font, char) else FALLBACK):
        yield run_font, "".join(run)


def _break_lines(text: str, font: str, max_width: float) -> list[str]:
    """Break a text between words, and inside words that are longer than a line. The width is that at font size 1."""
    lines, used = [""], 0.0
    for word in text.split(" "):
        needed = text_width(word, font, 1)
        if lines[-1] and used + char_width(" ", font) + needed <= max_width:
            lines[-1] += f" {word}"
            used += char_width(" ", font) + needed
            continue
        if lines[-1]:
            lines.append("")
        used = 0.0
        for char in word:
            if lines[-1] and used + char_width(char, font) > max_width:
                lines.append("")
                used = 0.0
            lines[-1] += char
            used += char_width(char, font)
    return lines


def _balance_lines(text: str, font: str, max_width: float, line_count: int) -> list[str]:
    """Break a text into the same number of lines at about the smallest width that allows it."""
    low, high = 0.0, max_width
    while line_count > 1 and high - low > 0.1:
        middle = (low + high) / 2
        if len(_break_lines(text, font, middle)) <= line_count:
            high = middle
        else:
            low = middle
    return _break_lines(text, font, high)
