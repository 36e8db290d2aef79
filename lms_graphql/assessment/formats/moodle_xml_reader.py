"""Reader of Moodle XML."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from lms_graphql.assessment.formats.answer_weights import (
    ALL,
    MAX_ANSWERS,
    TOO_MANY_ANSWERS,
    WeightedAnswer,
    accepted_answers,
    choice_key,
    explanation_with_feedback,
    parse_number,
    parse_weight,
)
from lms_graphql.assessment.formats.exact_texts import restore_exact_texts
from lms_graphql.assessment.formats.gift_blocks import CATEGORY_NOTE
from lms_graphql.assessment.formats.moodle_xml_syntax import CREDIT, EXACT, carried, question_name
from lms_graphql.assessment.formats.parsed_questions import (
    ParsedQuestions,
    QuestionDraft,
    QuestionFileError,
    UnsupportedQuestionError,
    listed,
    question_values,
    quoted,
)
from lms_graphql.assessment.formats.rich_text import TextConverter, TextFormat
from lms_graphql.assessment.formats.xml_tree import Element, parse_xml
from lms_graphql.assessment.models import PartialCredit, QuestionType

FORMATS = {
    "markdown": TextFormat.MARKDOWN,
    "plain_text": TextFormat.PLAIN,
    "moodle_auto_format": TextFormat.MOODLE,
}
UNDERSTOOD = {"name", "questiontext", "generalfeedback", "defaultgrade", "answer", "single", CREDIT, EXACT}
UNDERSTOOD |= {"idnumber", "tags", "hidden", "usecase", "attachments", "attachmentsrequired", "responseformat"}
TRUE_WORDS = {
    "true",
    "verdadero",
    "verdadeiro",
    "vrai",
    "wahr",
    "richtig",
    "vero",
    "waar",
    "prawda",
    "sant",
    "sann",
    "tosi",
    "igaz",
}
FALSE_WORDS = {"false", "falso", "faux", "falsch", "onwaar", "fałsz", "falskt", "falsk", "usant"}
HUNDREDTH = Decimal("0.01")


def read_moodle_xml(text: str) -> ParsedQuestions:
    """Return the questions of a file. Raise QuestionFileError if it is not well-formed or no file of Moodle."""
    root = parse_xml(text, ignored=frozenset({"file"}))
    if root.name != "quiz":
        raise QuestionFileError(f"This is no Moodle XML: the outer element is {quoted(root.name)} instead of quiz.")
    parsed = ParsedQuestions()
    settings: dict[str, int] = {}
    for element in root.children:
        if element.name != "question":
            parsed.note(element.line, f"The element {quoted(element.name)} is unknown and is left out.")
        elif element.attributes.get("type") == "category":
            path = _text(element.first("category"))
            parsed.note(element.line, CATEGORY_NOTE.format(quoted(path.strip())))
        else:
            _read_question(element, parsed, settings)
    if settings:
        names = listed(sorted(settings), 40)
        message = f"These elements are left out, because questions here do not have them: {names}."
        parsed.note(min(settings.values()), message)
    return parsed


def _read_question(element: Element, parsed: ParsedQuestions, settings: dict[str, int]) -> None:
    name = _text(element.first("name")).strip()
    try:
        draft = _Reader(element, name).read()
    except UnsupportedQuestionError as error:
        parsed.skip(element.line, str(error), name)
        return
    is_generated = name == question_name(draft.values["prompt"])
    parsed.add(draft._replace(name="") if is_generated else draft)
    for child in element.children:
        if child.name not in UNDERSTOOD and (_text(child).strip() or child.text.strip()):
            settings.setdefault(child.name, child.line)


class _Reader:
    """Reads one question."""

    def __init__(self, element: Element, name: str) -> None:
        self._element = element
        self._name = name
        self._converter = TextConverter()
        self._notes: list[str] = []

    def read(self) -> QuestionDraft:
        """Return the question. Raise UnsupportedQuestionError."""
        kind = self._element.attributes.get("type", "")
        readers: dict[str, tuple[QuestionType, Callable[[], dict[str, Any]]]] = {
            "multichoice": (QuestionType.MULTIPLE_CHOICE, self._choice),
            "truefalse": (QuestionType.TRUE_FALSE, self._true_false),
            "shortanswer": (QuestionType.SHORT_ANSWER, self._short_answer),
            "essay": (QuestionType.ESSAY, self._essay),
        }
        if len(self._element.all("answer")) > MAX_ANSWERS:
            raise UnsupportedQuestionError(TOO_MANY_ANSWERS)
        if kind not in readers:
            raise UnsupportedQuestionError(f"Questions of the type {quoted(kind)} are not supported.")
        question_type, read_key = readers[kind]
        values = question_values(
            self._rich(self._element.first("questiontext")),
            explanation=self._rich(self._element.first("generalfeedback")),
        )
        values["points"] = self._points()
        key = read_key()
        answers = key.pop("answers", [])
        values["explanation"], notes = explanation_with_feedback(values["explanation"], answers)
        exact = {child.attributes.get("for", ""): child.text for child in self._element.all(EXACT)}
        values = restore_exact_texts({**values, **key}, exact, carried)
        self._add_general_notes()
        all_notes = (*self._notes, *notes, *self._converter.notes("is not imported."))
        return QuestionDraft(self._element.line, question_type, values, self._name, all_notes)

    def _choice(self) -> dict[str, Any]:
        answers = [self._answer(element, self._rich(element)) for element in self._element.all("answer")]
        is_single = self._setting("single") not in {"false", "0"}
        key = choice_key([answer.weight for answer in answers], is_single)
        credit = self._setting(CREDIT).upper()
        credit_or_none = PartialCredit.__members__.get(credit)
        if key.note and credit_or_none is None:
            self._notes.append(key.note)
        pairs = zip(answers, key.is_correct, strict=True)
        return {
            "answers": answers,
            "options": [{"text": answer.text, "is_correct": is_correct} for answer, is_correct in pairs],
            "partial_credit": credit_or_none or key.partial_credit,
        }

    def _true_false(self) -> dict[str, Any]:
        answers = [self._answer(element, _text(element).strip()) for element in self._element.all("answer")]
        if len(answers) != 2 or sum(answer.weight == ALL for answer in answers) != 1:
            raise UnsupportedQuestionError("A true/false question needs two answers, exactly one of them with 100 %.")
        words = [answer.text.casefold() for answer in answers]
        if words[0] in FALSE_WORDS or words[1] in TRUE_WORDS:
            answers.reverse()
        elif not (words[0] in TRUE_WORDS or words[1] in FALSE_WORDS):
            texts = " and ".join(quoted(answer.text) for answer in answers)
            self._notes.append(f"The answers {texts} are read as true and false.")
        return {"answers": answers, "correct_answer": answers[0].weight == ALL}

    def _short_answer(self) -> dict[str, Any]:
        elements = self._element.all("answer")
        answers = [self._answer(element, _text(element).strip()) for element in elements]
        if self._setting("usecase") in {"1", "true"}:
            self._notes.append("Upper and lower case matter in the file. Here they do not.")
        accepted, notes = accepted_answers(answers)
        self._notes += notes
        return {"answers": answers, "accepted_answers": accepted}

    def _essay(self) -> dict[str, Any]:
        if self._setting("responseformat") == "noinline":
            raise UnsupportedQuestionError("The answer is a file, and answers here are texts.")
        if self._setting("attachments") not in {"", "0"}:
            self._notes.append("Learners cannot attach files here. The answer is a text only.")
        return {}

    def _answer(self, element: Element, text: str) -> WeightedAnswer:
        weight = parse_weight(element.attributes.get("fraction", "0"))
        return WeightedAnswer(text, weight, self._rich(element.first("feedback")))

    def _points(self) -> Decimal:
        text = self._setting("defaultgrade")
        points = parse_number(text) if text else Decimal(1)
        if points is None:
            raise UnsupportedQuestionError(f"The grade {quoted(text)} is no number.")
        rounded = points.quantize(HUNDREDTH)
        if rounded != points:
            self._notes.append(f"The points were rounded to {rounded}.")
        return rounded

    def _add_general_notes(self) -> None:
        if idnumber := self._setting("idnumber"):
            self._notes.append(f"The id {quoted(idnumber)} is left out, because questions here get ids of their own.")
        tags = self._element.first("tags")
        if tags is not None and tags.children:
            names = listed(quoted(_text(tag)) for tag in tags.children)
            self._notes.append(f"These tags are left out, because questions here have no tags: {names}.")
        if self._setting("hidden") in {"1", "true"}:
            self._notes.append("The question is hidden in the file. Here it is visible.")

    def _setting(self, name: str) -> str:
        element = self._element.first(name)
        return "" if element is None else (element.text.strip() or _text(element).strip())

    def _rich(self, element: Element | None) -> str:
        """Return a text with a format as Markdown, and remember its pictures."""
        if element is None:
            return ""
        for file in element.all("file"):
            self._converter.pictures[file.attributes.get("name", "")] = None
        text_format = FORMATS.get(element.attributes.get("format", "html"), TextFormat.HTML)
        return self._converter.convert(_text(element), text_format)


def _text(element: Element | None) -> str:
    """Return what is in the element `text` of this element; empty without one."""
    text = element.first("text") if element is not None else None
    return "" if text is None else text.text
