"""Reader of GIFT. It follows Moodle, except that it goes on after an error and survives missing blank lines."""

import re
from decimal import Decimal
from typing import Any, NamedTuple

from lms_graphql.assessment.formats.answer_weights import (
    ALL,
    MAX_ANSWERS,
    NOTHING,
    TOO_MANY_ANSWERS,
    WeightedAnswer,
    accepted_answers,
    choice_key,
    explanation_with_feedback,
    parse_number,
    parse_weight,
)
from lms_graphql.assessment.formats.exact_texts import restore_exact_texts
from lms_graphql.assessment.formats.gift_blocks import Block, split_blocks
from lms_graphql.assessment.formats.gift_syntax import FORMAT, GAP, WEIGHT, carried, comment_values, unescape
from lms_graphql.assessment.formats.parsed_questions import (
    ParsedQuestions,
    QuestionDraft,
    UnsupportedQuestionError,
    listed,
    question_values,
    quoted,
)
from lms_graphql.assessment.formats.rich_text import TextConverter, TextFormat, escape_markdown
from lms_graphql.assessment.models import PartialCredit, QuestionType

TRUE, FALSE = {"T", "TRUE"}, {"F", "FALSE"}
CREDITS = {credit.value.replace("_", "-"): credit for credit in PartialCredit}
DESCRIPTION = "This text has no answer block in braces, so it is a description. Descriptions are not imported."
UNOPENED = r"An answer block is closed that was not opened. Write \} for a brace in a text."
UNCLOSED = "The answer block is not closed before the blank line or the end. Close it with }."
BRACE_INSIDE = r"The answer block has an opening brace in it. Write \{ for a brace in a text."
SEVERAL_BLOCKS = "The question has more than one answer block, and only one is supported."
NUMERICAL = "Numerical questions are not supported."
MATCHING = "Matching questions are not supported."


def read_gift(text: str) -> ParsedQuestions:
    """Return the questions of a GIFT file. Lines end with a line feed."""
    parsed = ParsedQuestions()
    for block in split_blocks(text, parsed):
        name, body = _split_name(block.text.strip())
        try:
            parsed.add(_Reader(block, name).read(body))
        except UnsupportedQuestionError as error:
            parsed.skip(block.line, str(error), name)
    return parsed


def _split_name(text: str) -> tuple[str, str]:
    end = text.find("::", 2) if text.startswith("::") else -1
    return ("", text) if end < 0 else (unescape(text[2:end]).strip(), text[end + 2 :].strip())


def _split_body(body: str) -> tuple[str, str]:
    """Return the text of a question and what is in its answer block. Raise UnsupportedQuestionError."""
    start, end = body.find("{"), body.find("}")
    if start < 0 and end < 0:
        raise UnsupportedQuestionError(DESCRIPTION)
    if start < 0 or -1 < end < start:
        raise UnsupportedQuestionError(UNOPENED)
    if end < 0:
        raise UnsupportedQuestionError(UNCLOSED)
    answers, after = body[start + 1 : end], body[end + 1 :]
    if "{" in answers:
        raise UnsupportedQuestionError(BRACE_INSIDE)
    if "{" in after or "}" in after:
        raise UnsupportedQuestionError(SEVERAL_BLOCKS)
    return body[:start] + (GAP + after if after.strip() else ""), answers


class _Answer(NamedTuple):
    """An answer of a block: its sign is `=`, `~` or empty. The weight is None if it is not written."""

    sign: str
    text: str
    weight: Decimal | None
    feedback: str


def _split_answers(text: str) -> list[_Answer]:
    if text.count("~") + text.count("=") > MAX_ANSWERS:
        raise UnsupportedQuestionError(TOO_MANY_ANSWERS)
    answers = []
    for part in filter(None, map(str.strip, re.split("(?=[~=])", text))):
        sign = part[0] if part[0] in "~=" else ""
        match = WEIGHT.match(part, len(sign))
        shown, _, feedback = part[match.end() if match else len(sign) :].partition("#")
        answers.append(_Answer(sign, shown, parse_weight(match[1]) if match else None, feedback))
    return answers


def _weight(answer: _Answer, default: Decimal) -> Decimal:
    if answer.weight is not None:
        return answer.weight
    return ALL if answer.sign == "=" else default


class _Reader:
    """Reads one question."""

    def __init__(self, block: Block, name: str) -> None:
        self._block = block
        self._name = name
        self._comments = comment_values(block.comments)
        self._converter = TextConverter()
        self._format = TextFormat.MOODLE
        self._notes = [block.note] if block.note else []

    def read(self, body: str) -> QuestionDraft:
        """Return the question. Raise UnsupportedQuestionError."""
        prompt, answers = _split_body(body)
        if match := FORMAT.match(prompt):
            self._format = TextFormat(match[1])
        text = self._rich(prompt)
        if self._format is not TextFormat.MARKDOWN:
            text = text.replace(escape_markdown(GAP), GAP)
        answers, has_feedback, feedback = answers.rpartition("####") if "####" in answers else (answers, "", "")
        values = question_values(text, explanation=self._rich(feedback) if has_feedback else None)
        if (points := self._comment("points")) and (number := parse_number(points)) is not None:
            values["points"] = number
        kind, key = self._key(answers.strip(), values["explanation"])
        values = restore_exact_texts({**values, **key}, self._exact_texts(), carried)
        notes = (*self._notes, *self._converter.notes("is not in the file."), *self._label_notes())
        return QuestionDraft(self._block.line, kind, values, self._name, notes)

    def _key(self, answers: str, explanation: str | None) -> tuple[QuestionType, dict[str, Any]]:
        """Return the type of the question, and the fields that say what is right."""
        if not answers:
            return QuestionType.ESSAY, {}
        if answers.startswith("#"):
            raise UnsupportedQuestionError(NUMERICAL)
        if "~" in answers:
            return QuestionType.MULTIPLE_CHOICE, self._choice(answers, explanation)
        is_short_answer = self._comment("type") == "short-answer"
        if "=" in answers and "->" in answers and not is_short_answer:
            raise UnsupportedQuestionError(MATCHING)
        value, *feedback = answers.split("#", 2)
        if value.strip() in TRUE | FALSE:
            pairs = zip("✗✓", feedback, strict=False)
            labels = [WeightedAnswer(label, NOTHING, self._rich(text)) for label, text in pairs]
            values = self._with_feedback(explanation, labels)
            return QuestionType.TRUE_FALSE, {**values, "correct_answer": value.strip() in TRUE}
        return QuestionType.SHORT_ANSWER, self._short_answer(answers, explanation)

    def _choice(self, text: str, explanation: str | None) -> dict[str, Any]:
        answers = _split_answers(text)
        options = [
            WeightedAnswer(self._rich(answer.text), _weight(answer, default=NOTHING), self._rich(answer.feedback))
            for answer in answers
        ]
        key = choice_key([option.weight for option in options], any(answer.sign == "=" for answer in answers))
        credit = CREDITS.get(self._comment("partial-credit") or "")
        if key.note and credit is None:
            self._notes.append(key.note)
        values = self._with_feedback(explanation, options)
        pairs = zip(options, key.is_correct, strict=True)
        values["options"] = [{"text": option.text, "is_correct": is_correct} for option, is_correct in pairs]
        return {**values, "partial_credit": credit or key.partial_credit}

    def _short_answer(self, text: str, explanation: str | None) -> dict[str, Any]:
        answers = [
            WeightedAnswer(unescape(answer.text).strip(), _weight(answer, default=ALL), self._rich(answer.feedback))
            for answer in _split_answers(text)
        ]
        accepted, notes = accepted_answers(answers)
        self._notes += notes
        return {**self._with_feedback(explanation, answers), "accepted_answers": accepted}

    def _with_feedback(self, explanation: str | None, answers: list[WeightedAnswer]) -> dict[str, Any]:
        text, notes = explanation_with_feedback(explanation, answers)
        self._notes += notes
        return {"explanation": text}

    def _rich(self, protected: str) -> str:
        """Return a text as Markdown. Its format stands in front of it, or is that of the question."""
        text, text_format = protected.strip(" \t\n"), self._format
        if match := FORMAT.match(text):
            text, text_format = text[match.end() :].strip(" \t\n"), TextFormat(match[1])
        if text_format is TextFormat.MARKDOWN:
            self._converter.convert(text, text_format)
            return unescape(text)
        return self._converter.convert(unescape(text), text_format)

    def _comment(self, name: str) -> str | None:
        values = self._comments.get(name)
        return values[-1].strip() if values else None

    def _exact_texts(self) -> dict[str, str]:
        prefix = "exact-"
        return {
            name.removeprefix(prefix): values[-1]
            for name, values in self._comments.items()
            if name.startswith(prefix)
        }

    def _label_notes(self) -> list[str]:
        notes = []
        if "id" in self._comments:
            ids = self._listed_comments("id")
            notes.append(f"The id {ids} is left out, because questions here get ids of their own.")
        if "tag" in self._comments:
            tags = self._listed_comments("tag")
            notes.append(f"These tags are left out, because questions here have no tags: {tags}.")
        return notes

    def _listed_comments(self, name: str) -> str:
        return listed(quoted(value.replace("\\]", "]")) for value in self._comments[name])
