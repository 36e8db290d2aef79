"""Typography: text widths, lines, and the font size at which a text fits."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from reportlab.pdfgen.canvas import Canvas

from lms_graphql.pdf import fonts, graphemes, shaping

SIZE_STEP, MIN_SIZE = 0.5, 3.0
LEADING = 1.18
LEFT, CENTER, RIGHT = 0.0, 0.5, 1.0
"""Alignments: the part of a line that is to the left of its position."""


class FittedText(NamedTuple):
    """A text that fits: its font size and its lines."""

    size: float
    lines: Sequence[str]

    @property
    def height(self) -> float:
        """Distance between the first and the last baseline."""
        return self.size * LEADING * (len(self.lines) - 1)


@lru_cache(maxsize=4_096)
def word_width(word: str, font: str) -> float:
    """Return the width at font size 1 of a word, or of a part of it or a space."""
    return sum(run.width for run in shaping.shape_line(word, font, right_to_left=False))


def text_width(text: str, font: str, size: float) -> float:
    return size * sum(word_width(part, font) for part in shaping.split_at_spaces(text))


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


@lru_cache(maxsize=1_024)
def shorten(text: str, font: str, size: float, max_width: float) -> str:
    """Return the text, cut at its end and with an ellipsis if it is wider than `max_width`."""
    if text_width(text, font, size) <= max_width:
        return text
    parts = graphemes.split(text)
    low, high = 0, len(parts)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(_cut(parts, middle), font, size) <= max_width:
            low = middle
        else:
            high = middle - 1
    return _cut(parts, low)


def _cut(parts: Sequence[str], count: int) -> str:
    return "".join(parts[:count]).rstrip() + "…"


def draw_centered(
    canvas: Canvas, x: float, y: float, text: str, font: str, size: float, right_to_left: bool = False
) -> None:
    """Draw a centered line. `right_to_left` is the direction of the paragraph to which it belongs."""
    draw_aligned(canvas, x, y, text, font, size, CENTER, right_to_left)


def draw_aligned(
    canvas: Canvas,
    x: float,
    y: float,
    text: str,
    font: str,
    size: float,
    alignment: float,
    right_to_left: bool = False,
) -> None:
    """Draw a line at `x`, which is its left end, its center or its right end."""
    runs = shaping.shape_line(text, font, right_to_left)
    left, unit = x - size * sum(run.width for run in runs) * alignment, size / 1000
    line = canvas.beginText()
    for run in runs:
        line.setFont(run.font, size)
        for piece in run.pieces():
            line.setTextOrigin(left + piece.x * unit, y + piece.y * unit)
            line.textOut(piece.chars)
        left += size * run.width
    if not shaping.is_rearranged(text):
        canvas.drawText(line)
        return
    # Raised and exchanged glyphs would break up the words that are copied out of the PDF.
    canvas.addLiteral(f"/Span <</ActualText <FEFF{text.encode('utf-16-be').hex()}>>> BDC")
    canvas.drawText(line)
    canvas.addLiteral("EMC")


def spaced_width(text: str, font: str, size: float, space: float) -> float:
    return fonts.load_font(font).stringWidth(text, size) + space * (len(text) - 1)


def draw_spaced(canvas: Canvas, x: float, y: float, text: str, font: str, size: float, space: float) -> None:
    """Draw a centered text with extra space between its letters. The font must have all of them."""
    canvas.setFont(font, size)
    canvas.drawString(x - spaced_width(text, font, size, space) / 2, y, text, charSpace=space)


def draw_lines(canvas: Canvas, x: float, y: float, text: FittedText, font: str, alignment: float = CENTER) -> None:
    """Draw lines, the first baseline at `y`."""
    right_to_left = shaping.is_right_to_left(" ".join(text.lines))
    for number, line in enumerate(text.lines):
        baseline = y - number * text.size * LEADING
        draw_aligned(canvas, x, baseline, line, font, text.size, alignment, right_to_left)


def _break_lines(text: str, font: str, max_width: float) -> list[str]:
    """Break a text between words, and inside words that are longer than a line. The width is that at font size 1."""
    lines, used, space = [""], 0.0, word_width(" ", font)
    for word in text.split(" "):
        needed = word_width(word, font)
        if lines[-1] and used + space + needed <= max_width:
            lines[-1] += f" {word}"
            used += space + needed
            continue
        if lines[-1]:
            lines.append("")
        if needed <= max_width:
            lines[-1], used = word, needed
            continue
        used = 0.0
        for grapheme in graphemes.split(word):
            width = word_width(grapheme, font)
            if lines[-1] and used + width > max_width:
                lines.append("")
                used = 0.0
            lines[-1] += grapheme
            used += width
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
