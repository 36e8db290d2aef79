"""Our own JSON: `{"questions": [QuestionInput, …]}`, with the fields and enums of the GraphQL schema."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from lms_graphql.assessment.formats.answer_weights import parse_number
from lms_graphql.assessment.formats.parsed_questions import (
    ParsedQuestions,
    QuestionDraft,
    QuestionFileError,
    UnsupportedQuestionError,
    listed,
    question_values,
    quoted,
)
from lms_graphql.assessment.models import PartialCredit, QuestionType
from lms_graphql.assessment.question_content import QuestionContent

MEMBERS = {
    "multipleChoice": QuestionType.MULTIPLE_CHOICE,
    "trueFalse": QuestionType.TRUE_FALSE,
    "shortAnswer": QuestionType.SHORT_ANSWER,
    "essay": QuestionType.ESSAY,
}
FIELDS = {
    QuestionType.MULTIPLE_CHOICE: {"options": "options", "partialCredit": "partial_credit"},
    QuestionType.TRUE_FALSE: {"correctAnswer": "correct_answer"},
    QuestionType.SHORT_ANSWER: {"acceptedAnswers": "accepted_answers"},
    QuestionType.ESSAY: {},
}
SHARED_FIELDS = {"prompt": "prompt", "points": "points", "explanation": "explanation"}
_SPACE = re.compile(r"[ \t\n\r]*+")
_SHAPE = 'Write {"questions": […]} with a QuestionInput for each question.'


class _Number(str):
    """A number as it is written. Python refuses to convert very long ones."""


def read_json(text: str) -> ParsedQuestions:
    """Return the questions of a file. Raise QuestionFileError if it is no JSON, or has no list of questions."""
    parsed = ParsedQuestions()
    try:
        for line, value in _Scanner(text, parsed).questions():
            try:
                parsed.add(_draft(line, value))
            except UnsupportedQuestionError as error:
                parsed.skip(line, str(error))
    except json.JSONDecodeError as error:
        message = f"The file is no valid JSON at line {error.lineno}, column {error.colno}: {error.msg}."
        raise QuestionFileError(message) from None
    except RecursionError:
        raise QuestionFileError("The values of the file nest too deeply.") from None
    return parsed


class _Scanner:
    """Reads the outer list itself, because the line of each question is needed."""

    def __init__(self, text: str, parsed: ParsedQuestions) -> None:
        self._text = text
        self._parsed = parsed
        self._position = 0
        self._line, self._counted_to = 1, 0
        self._decoder = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_Number)

    def questions(self) -> Iterator[tuple[int, Any]]:
        """Yield line and value of each question."""
        has_list = False
        if self._peek() == "[":
            yield from self._items()
            has_list = True
        elif self._peek() == "{":
            for name in self._names():
                if name == "questions" and self._peek() == "[":
                    yield from self._items()
                    has_list = True
                else:
                    line = self._current_line()
                    self._value()
                    if name not in {"questions", "version"}:
                        self._parsed.note(line, f"The field {quoted(name)} is unknown and is left out.")
        if not has_list:
            raise QuestionFileError(f"The file has no list of questions. {_SHAPE}")
        if self._peek():
            raise json.JSONDecodeError("Extra data", self._text, self._position)

    def _names(self) -> Iterator[str]:
        self._expect("{")
        while self._peek() != "}":
            name = self._value()
            if not isinstance(name, str):
                raise json.JSONDecodeError("Expecting a property name", self._text, self._position)
            self._expect(":")
            yield name
            if not self._has_more("}"):
                break
        self._expect("}")

    def _items(self) -> Iterator[tuple[int, Any]]:
        self._expect("[")
        while self._peek() != "]":
            line = self._current_line()
            yield line, self._value()
            if not self._has_more("]"):
                break
        self._expect("]")

    def _has_more(self, end: str) -> bool:
        if self._peek() == end:
            return False
        self._expect(",")
        if self._peek() == end:
            raise json.JSONDecodeError("Illegal trailing comma", self._text, self._position)
        return True

    def _value(self) -> Any:
        self._peek()
        value, self._position = self._decoder.raw_decode(self._text, self._position)
        return value

    def _peek(self) -> str:
        """Skip white space and return the next character; empty at the end."""
        match = _SPACE.match(self._text, self._position)
        self._position = match.end() if match else self._position
        return self._text[self._position : self._position + 1]

    def _expect(self, char: str) -> None:
        if self._peek() != char:
            raise json.JSONDecodeError(f"Expecting {char}", self._text, self._position)
        self._position += 1

    def _current_line(self) -> int:
        self._peek()
        self._line += self._text.count("\n", self._counted_to, self._position)
        self._counted_to = self._position
        return self._line


def _draft(line: int, value: Any) -> QuestionDraft:
    members = [name for name in value if name in MEMBERS] if isinstance(value, dict) else []
    if len(members) != 1 or not isinstance(value[members[0]], dict):
        raise UnsupportedQuestionError(f"A question is an object with exactly one of {listed(MEMBERS)} in it.")
    kind, member = MEMBERS[members[0]], value[members[0]]
    fields = SHARED_FIELDS | FIELDS[kind]
    values = question_values("")
    values |= {field: _field(name, member[name]) for name, field in fields.items() if member.get(name) is not None}
    if kind is QuestionType.TRUE_FALSE and values["correct_answer"] is None:
        raise UnsupportedQuestionError("correctAnswer is missing. Use true or false.")
    unknown = [quoted(name) for name in [*value, *member] if name not in {*members, *fields}]
    notes = (f"These fields are unknown and are left out: {listed(unknown)}.",) if unknown else ()
    return QuestionDraft(line, kind, values, notes=notes)


def _field(name: str, value: Any) -> Any:
    """Return the value of an input field in the form that validation expects. Raise UnsupportedQuestionError."""
    match name:
        case "points":
            return _points(value)
        case "options":
            return [_option(option) for option in _list(name, value)]
        case "acceptedAnswers":
            return [_text(name, text) for text in _list(name, value)]
        case "correctAnswer":
            return _boolean(name, value)
        case "partialCredit":
            if not isinstance(value, str) or value not in PartialCredit.__members__:
                raise UnsupportedQuestionError(f"partialCredit is none of {listed(PartialCredit.__members__)}.")
            return PartialCredit[value]
        case _:
            return _text(name, value)


def _option(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict) or value.keys() != {"text", "isCorrect"}:
        raise UnsupportedQuestionError("An option is an object with text and isCorrect.")
    return {"text": _text("text", value["text"]), "is_correct": _boolean("isCorrect", value["isCorrect"])}


def _points(value: Any) -> Decimal:
    points = parse_number(value) if isinstance(value, str) else None
    if points is None:
        raise UnsupportedQuestionError("points is no number with digits only, such as 2.5.")
    return points


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or isinstance(value, _Number):
        raise UnsupportedQuestionError(f"{name} is no text.")
    return value


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnsupportedQuestionError(f"{name} is neither true nor false.")
    return value


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise UnsupportedQuestionError(f"{name} is no list.")
    return value


def write_json(questions: Sequence[QuestionContent]) -> str:
    document = {"version": 1, "questions": [_question(content) for content in questions]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _question(content: QuestionContent) -> dict[str, Any]:
    member = next(name for name, kind in MEMBERS.items() if kind is content.type)
    values: dict[str, Any] = {
        "prompt": content.prompt,
        "points": f"{content.points:.2f}",
        "explanation": content.explanation,
    }
    match content.type:
        case QuestionType.MULTIPLE_CHOICE:
            values["options"] = [{"text": option.text, "isCorrect": option.is_correct} for option in content.options]
            values["partialCredit"] = content.partial_credit.name
        case QuestionType.TRUE_FALSE:
            values["correctAnswer"] = content.correct_answer
        case QuestionType.SHORT_ANSWER:
            values["acceptedAnswers"] = list(content.accepted_answers)
    return {member: values}
