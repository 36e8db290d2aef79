"""Division of a GIFT file into blocks of lines: questions, with their comments, and categories."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from lms_graphql.assessment.formats.gift_syntax import protect_escapes
from lms_graphql.assessment.formats.parsed_questions import ParsedQuestions, quoted

_CATEGORY = re.compile(r"\s*\$CATEGORY:\s*(.*)")
_NAMED = re.compile(r"\s*::[^\n]*?::")
CATEGORY_NOTE = "The category {} is left out, because questions here have no categories."
NO_BLANK_LINE = "There is no blank line before this question. It is read as a question of its own."


class Block(NamedTuple):
    """Lines of one question with protected escapes. `line` is the first one that is no comment."""

    line: int
    text: str
    comments: list[str]
    note: str | None = None


class _Line(NamedTuple):
    number: int
    text: str
    is_comment: bool


def split_blocks(text: str, parsed: ParsedQuestions) -> Iterator[Block]:
    """Yield the questions of a file, and add a note for each category.

    Blank lines separate questions. So do names and categories, and the end of an answer block at the end of a line
    if more answer blocks follow, because many files lack blank lines.
    """
    lines: list[_Line] = []
    for number, raw in enumerate(text.split("\n"), 1):
        if not raw.strip():
            yield from _pieces(lines)
            lines = []
        elif category := _CATEGORY.match(raw):
            yield from _pieces(lines)
            lines = []
            parsed.note(number, CATEGORY_NOTE.format(quoted(category[1].strip())))
        else:
            is_comment = raw.lstrip().startswith("//")
            line = _Line(number, raw if is_comment else protect_escapes(raw), is_comment)
            if not is_comment and _NAMED.match(line.text):
                comments = _trailing_comments(lines)
                yield from _pieces(lines)
                lines = comments
            lines.append(line)
    yield from _pieces(lines)


def _trailing_comments(lines: list[_Line]) -> list[_Line]:
    """Remove the comments at the end, which belong to the question that follows, and return them."""
    start = len(lines)
    while start and lines[start - 1].is_comment:
        start -= 1
    comments = lines[start:]
    del lines[start:]
    return comments


def _pieces(lines: list[_Line]) -> Iterator[Block]:
    """Yield one block, or several if an answer block ends at the end of a line and another one follows."""
    opened = sum(line.text.count("{") for line in lines if not line.is_comment)
    piece: list[_Line] = []
    note = None
    for line in lines:
        piece.append(line)
        if line.is_comment:
            continue
        opened -= line.text.count("{")
        if opened > 0 and line.text.rstrip().endswith("}"):
            yield from _block(piece, note)
            piece, note = [], NO_BLANK_LINE
    yield from _block(piece, note)


def _block(lines: list[_Line], note: str | None) -> Iterator[Block]:
    content = [line for line in lines if not line.is_comment]
    if content:
        comments = [line.text for line in lines if line.is_comment]
        yield Block(content[0].number, "\n".join(line.text for line in content), comments, note)
