"""Aiken: single-choice questions as a text, options with letters, and a line `ANSWER: B`.

Aiken has no comments. Lines that begin with `//` are ours, for questions that a file leaves out.
"""

import re
from collections.abc import Sequence
from string import ascii_uppercase
from typing import NamedTuple

from lms_graphql.assessment.formats.parsed_questions import ParsedQuestions, QuestionDraft, question_values, quoted
from lms_graphql.assessment.models import PartialCredit, QuestionType
from lms_graphql.assessment.question_content import QuestionContent
from lms_graphql.assessment.quiz_validation import MIN_OPTIONS

_OPTION = re.compile(r"([A-Z])[.)]\s*+(.*)")
_LOWER_CASE_OPTION = re.compile(r"([a-z])[.)]\s")
_ANSWER = re.compile(r"ANSWER\s*+:\s*+(.*)", re.IGNORECASE)
_LETTER = re.compile(r"([A-Z])[.)]?")
_FEEDBACK = re.compile(r"(?:FEEDBACK|EXPLANATION)\s*+:\s*+(.*)", re.IGNORECASE)
_LEFT_OUT = re.compile(r"// Question \d+ is left out\b")
LEFT_OUT = "// Question {} is left out: {}"
NOT_SINGLE_CHOICE = "Aiken has only questions with one correct option."
NOT_WRITABLE = "its texts look like Aiken's own lines."


class _Option(NamedTuple):
    line: int
    letter: str
    text: str


def read_aiken(text: str) -> ParsedQuestions:
    """Return the questions of an Aiken file. Lines end with a line feed."""
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), 1):
        reader.read_line(number, line.strip())
    reader.end_question()
    return reader.parsed


class _Reader:
    """Reads the lines of a file in their order."""

    def __init__(self) -> None:
        self.parsed = ParsedQuestions()
        self._follows_draft = False
        self._start_question()

    def _start_question(self) -> None:
        self._line = 0
        self._text: list[str] = []
        self._options: list[_Option] = []
        self._letters: set[str] = set()
        self._error: str | None = None

    def read_line(self, number: int, line: str) -> None:
        if line.startswith("//"):
            if not _LEFT_OUT.match(line):
                self.parsed.note(number, "This line begins with //, so it is a comment and is left out.")
        elif match := _ANSWER.match(line):
            self._end_with_answer(number, line, match[1])
        elif match := _FEEDBACK.match(line):
            self._add_feedback(number, match[1])
        elif (match := _OPTION.match(line)) and (self._options or match[1] == "A"):
            self._begin(number)
            self._add_option(_Option(number, match[1], match[2]))
        elif self._is_lower_case_option(line):
            self._fail(f"The option in line {number} has a small letter. Write A., B., C.")
        elif line:
            if self._options:
                self.end_question()
            self._begin(number)
            self._text.append(line)
        elif self._text and not self._options:
            self._text.append("")

    def end_question(self) -> None:
        """Report the question that has no ANSWER line, if there is one."""
        if self._line:
            self._skip(self._line, self._error or "The question has no line ANSWER: with a letter.")
        self._start_question()

    def _begin(self, number: int) -> None:
        self._line = self._line or number

    def _fail(self, message: str) -> None:
        """Remember the first error of the question. The lines up to its ANSWER still belong to it."""
        self._error = self._error or message

    def _skip(self, line: int, message: str) -> None:
        self.parsed.skip(line, message)
        self._follows_draft = False

    def _is_lower_case_option(self, line: str) -> bool:
        match = _LOWER_CASE_OPTION.match(line)
        return bool(match and self._text and (match[1] == "a" or self._error or self._options))

    def _add_option(self, option: _Option) -> None:
        if option.letter in self._letters:
            self._fail(f"The letter {option.letter} in line {option.line} is there twice.")
        self._letters.add(option.letter)
        self._options.append(option)

    def _end_with_answer(self, number: int, line: str, answer: str) -> None:
        letter = _LETTER.fullmatch(answer.strip())
        error_line = self._line
        if not self._line or not any(self._text):
            error_line = self._line or number
            self._fail("The options or the line ANSWER: have no question before them.")
        if len(self._options) < MIN_OPTIONS and self._error is None:
            error_line = self._options[-1].line if self._options else error_line
            self._fail(f"The question of line {self._line} has fewer than {MIN_OPTIONS} options.")
        if not line.startswith("ANSWER"):
            self._fail(f"Write ANSWER: in line {number} in capital letters.")
        if letter is None:
            self._fail(f"Line {number} has {quoted(answer)} instead of one capital letter.")
        elif letter[1] not in self._letters:
            self._fail(f"Line {number} has the letter {letter[1]}, but there is no such option.")
        if self._error is not None or letter is None:
            self._skip(error_line, self._error or "")
        else:
            self.parsed.add(self._draft(letter[1]))
            self._follows_draft = True
        self._start_question()

    def _draft(self, correct: str) -> QuestionDraft:
        options = [{"text": option.text, "is_correct": option.letter == correct} for option in self._options]
        values = {**question_values("\n".join(self._text).strip()), "options": options}
        return QuestionDraft(
            self._line,
            QuestionType.MULTIPLE_CHOICE,
            {**values, "partial_credit": PartialCredit.ALL_OR_NOTHING},
        )

    def _add_feedback(self, number: int, text: str) -> None:
        """Make the text the explanation of the question before it."""
        if self._line or not self._follows_draft:
            self.parsed.note(number, "FEEDBACK: is no part of Aiken. The line is left out.")
            return
        previous = self.parsed.drafts.pop()
        explanation = "\n".join(filter(None, [previous.values["explanation"], text]))
        self.parsed.drafts.append(previous._replace(values={**previous.values, "explanation": explanation or None}))
        self.parsed.note(number, "FEEDBACK: is no part of Aiken. It became the explanation of the question before.")


def write_aiken(questions: Sequence[QuestionContent]) -> str:
    """Return the single-choice questions. Comments at the end, where they disturb no program, name the others."""
    blocks, comments = [], []
    for number, content in enumerate(questions, 1):
        if content.type is not QuestionType.MULTIPLE_CHOICE or content.allows_several:
            comments.append(LEFT_OUT.format(number, NOT_SINGLE_CHOICE))
        elif (block := _block(content)) is None:
            comments.append(LEFT_OUT.format(number, NOT_WRITABLE))
        else:
            blocks.append(block)
    return "\n".join([*blocks, *(f"{comment}\n" for comment in comments)])


def _block(content: QuestionContent) -> str | None:
    """Return the question with each text on one line; None if a reader would understand something else."""
    prompt = " ".join(content.prompt.split())
    options = [(" ".join(option.text.split()), option.is_correct) for option in content.options]
    lines = [prompt, *(f"{letter}. {text}" for letter, (text, _) in zip(ascii_uppercase, options, strict=False))]
    correct = next(letter for letter, (_, is_correct) in zip(ascii_uppercase, options, strict=False) if is_correct)
    block = "\n".join([*lines, f"ANSWER: {correct}", ""])
    parsed = read_aiken(block)
    is_understood = [
        (draft.values["prompt"], [(option["text"], option["is_correct"]) for option in draft.values["options"]])
        for draft in parsed.drafts
    ] == [(prompt, options)]
    return block if is_understood and not parsed.problems else None
