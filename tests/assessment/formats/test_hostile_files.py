"""Hostile files: readers run in linear time."""

import contextlib
import time

import pytest

from lms_graphql.assessment.formats.parsed_questions import QuestionFileError
from lms_graphql.assessment.formats.question_formats import QuestionFormat, read_questions

SIZE = 500_000
MAX_SECONDS = 4
"""CPU time, so that other tests may run at the same time. Quadratic work would take minutes."""


def repeated(part: str, start: str = "", end: str = "") -> str:
    return start + part * ((SIZE - len(start) - len(end)) // len(part)) + end


FILES = {
    "braces": repeated("{"),
    "closing-braces": repeated("}"),
    "pairs": repeated("{}"),
    "backslashes": repeated("\\"),
    "escapes": repeated("\\{"),
    "unclosed-options": repeated("~", "x{"),
    "feedback": repeated("#", "x{"),
    "names": repeated("::"),
    "comments": repeated("// [id:x]\n"),
    "unclosed-comments": repeated("[id:", "// "),
    "escaped-comments": repeated("\\[id:", "// [id:", "\nx{T}"),
    "small-questions": repeated("x{}\n\n"),
    "questions-without-blank-line": repeated("x{}\n"),
    "lines": repeated("\n"),
    "tags": repeated("<p>", "[html]", "{T}"),
    "unclosed-tags": repeated("<p ", "[html]", "{T}"),
    "unclosed-html-comments": repeated("<!--", "[html]", "{T}"),
    "entities": repeated("&#1111111;", "[html]", "{T}"),
    "stars": repeated("*", "[plain]", "{T}"),
    "numbered": repeated("1. \n", "[plain]", "{T}"),
    "options": repeated("A. x\n", "x\n"),
    "two-letters": "x\n" + "A. x\n" * 50_000 + "B. x\n" * 50_000,
    "answers": repeated("ANSWER: A\n"),
    "unclosed-elements": repeated("<a>", "<quiz>"),
    "elements": repeated("<a/>", "<quiz>", "</quiz>"),
    "questions": repeated("<question/>", "<quiz>", "</quiz>"),
    "escaped-html": repeated(
        "&lt;p&gt;",
        '<quiz><question type="essay"><questiontext><text>',
        "</text></questiontext></question></quiz>",
    ),
    "lists": repeated("["),
    "objects": repeated('{"a":'),
    "digits": repeated("9", '{"a":', "}"),
    "values": repeated("[],", "[", "1]"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_hostile_file_is_read_in_linear_time(name: str) -> None:
    for file_format in QuestionFormat:
        started = time.thread_time()
        with contextlib.suppress(QuestionFileError):
            read_questions(file_format, FILES[name])
        assert time.thread_time() - started < MAX_SECONDS, file_format
