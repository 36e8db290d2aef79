"""Shaping: from text in reading order to glyphs in the order in which they stand on the line."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import uharfbuzz  # type: ignore[import-untyped]
from bidi import get_base_level, get_display  # type: ignore[import-untyped]

from lms_graphql.pdf import fonts

RIGHT_TO_LEFT = frozenset({"R", "AL"})
DIRECTION_MARK = "\ufe00"
"""A mark that follows a bracket, so that its place in the reordered text shows the direction of the bracket."""
MIN_SHIFT = 1.0
"""Smaller shifts are left out. They come from rounded widths and are invisible."""


class Glyph(NamedTuple):
    """A glyph with the text that is copied for it. Distances are in thousandths of the font size."""

    number: int
    text: str
    advance: float
    x_offset: float
    y_offset: float


class Piece(NamedTuple):
    """Characters that are drawn one after the other, beginning at this distance from the start of the run."""

    x: float
    y: float
    chars: str


class ShapedRun(NamedTuple):
    """Glyphs of one font, from left to right."""

    font: str
    glyphs: tuple[Glyph, ...]

    @property
    def width(self) -> float:
        """Width at font size 1."""
        return sum(glyph.advance for glyph in self.glyphs) / 1000

    def pieces(self) -> list[Piece]:
        """Return the pieces that draw the glyphs in the current document."""
        font = fonts.load_font(self.font)
        pieces: list[Piece] = []
        pen = end = 0.0
        for glyph in self.glyphs:
            char = font.char_of(glyph.number, glyph.text)
            left = pen + glyph.x_offset
            if pieces and pieces[-1].y == glyph.y_offset and abs(left - end) < MIN_SHIFT:
                pieces[-1] = pieces[-1]._replace(chars=pieces[-1].chars + char)
            else:
                pieces.append(Piece(left, glyph.y_offset, char))
            end = left + font.face.charWidths[ord(char)]
            pen += glyph.advance
        return pieces


def is_right_to_left(text: str) -> bool:
    """Return whether a paragraph begins at its right side, which its first letter decides."""
    return _has_right_to_left(text) and get_base_level(text) == 1


def is_rearranged(line: str) -> bool:
    """Return whether the glyphs of a line may stand above or before others, in a script read from left to right.

    Programs that copy text rearrange the other direction themselves.
    """
    return any(fonts.script_font(char) for char in line) and not _has_right_to_left(line)


def shape_line(line: str, font: str, right_to_left: bool) -> list[ShapedRun]:
    """Return the runs of a line from left to right. `right_to_left` is the direction of its paragraph."""
    return [
        _shape_word(word, run_font, is_reversed)
        for part, is_reversed in _visual_parts(line, right_to_left)
        for run_font, word in _font_runs(part, font, is_reversed)
    ]


def split_at_spaces(text: str) -> list[str]:
    return ["".join(group) for _, group in groupby(text, str.isspace)]


def _has_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(char) in RIGHT_TO_LEFT for char in text)


def _visual_parts(line: str, right_to_left: bool) -> list[tuple[str, bool]]:
    """Return the parts of a line from left to right, and whether each is read from right to left.

    A part is in reading order and has no spaces inside, so that a word has the same glyphs on every line.
    """
    if not _has_right_to_left(line):
        return [(part, False) for part in split_at_spaces(line)]
    marked = "".join(char + DIRECTION_MARK if unicodedata.mirrored(char) else char for char in line)
    chars = _with_directions(get_display(marked, base_dir="R" if right_to_left else "L"))
    parts: list[tuple[str, bool]] = []
    for is_reversed, group in groupby(chars, lambda item: item[1]):
        text = "".join(char for char, _ in group)
        parts += [(text[::-1], True)] if is_reversed else [(part, False) for part in split_at_spaces(text)]
    return parts


def _with_directions(visual: str) -> list[tuple[str, bool]]:
    """Return the characters of a reordered text, each with whether it is read from right to left.

    Marks go with their letter, which stands to their right if it is read from right to left.
    """
    chars: list[tuple[str, bool]] = []
    remaining = iter(visual)
    for char in remaining:
        if char == DIRECTION_MARK:
            chars.append((next(remaining), True))
        elif unicodedata.mirrored(char):
            next(remaining)
            chars.append((char, False))
        else:
            chars.append((char, unicodedata.bidirectional(char) in RIGHT_TO_LEFT))
    for index in range(len(chars) - 2, -1, -1):
        char, is_reversed = chars[index]
        if not is_reversed and (fonts.is_mark(char) or char in fonts.JOINERS):
            chars[index] = char, chars[index + 1][1]
    return chars


def _font_runs(part: str, font: str, is_reversed: bool) -> Iterator[tuple[str, str]]:
    """Yield the pieces of a part that use one font, each with its font, from left to right."""
    chosen: list[str] = []
    for char in part:
        previous = chosen[-1] if chosen else font
        if char in fonts.JOINERS or (fonts.is_mark(char) and fonts.has_glyph(previous, char)):
            chosen.append(previous)
        else:
            chosen.append(fonts.font_of(char, font) or font)
    pieces = [
        (run_font, "".join(char for _, char in group))
        for run_font, group in groupby(zip(chosen, part, strict=True), lambda item: item[0])
    ]
    yield from reversed(pieces) if is_reversed else pieces


@lru_cache(maxsize=256)
def _shape_word(word: str, font_name: str, is_reversed: bool) -> ShapedRun:
    font = fonts.load_font(font_name)
    buffer = uharfbuzz.Buffer()
    buffer.add_str(word)
    buffer.direction = "rtl" if is_reversed else "ltr"
    buffer.guess_segment_properties()
    uharfbuzz.shape(font.harfbuzz, buffer)
    texts = _texts_of_glyphs(word, [info.cluster for info in buffer.glyph_infos], is_reversed)
    glyphs = zip(buffer.glyph_infos, buffer.glyph_positions, texts, strict=True)
    scale = font.scale
    return ShapedRun(
        font_name,
        tuple(
            Glyph(info.codepoint, text, place.x_advance * scale, place.x_offset * scale, place.y_offset * scale)
            for info, place, text in glyphs
        ),
    )


def _texts_of_glyphs(word: str, clusters: list[int], is_reversed: bool) -> list[str]:
    """Return the text of each glyph. Programs that copy text reverse what is read from right to left.

    A cluster is a group of characters that share a group of glyphs. Its first glyphs in reading order have one
    character each and the last one has the others, so that the text in reading order is complete.
    """
    order = range(len(clusters) - 1, -1, -1) if is_reversed else range(len(clusters))
    starts = sorted(set(clusters))
    ends = dict(zip(starts, [*starts[1:], len(word)], strict=True))
    texts = [""] * len(clusters)
    for start, group in groupby(order, lambda index: clusters[index]):
        indexes, chars = list(group), word[start : ends[start]]
        for index, char in zip(indexes, chars, strict=False):
            texts[index] = char
        texts[indexes[-1]] += chars[len(indexes) :]
    return texts
