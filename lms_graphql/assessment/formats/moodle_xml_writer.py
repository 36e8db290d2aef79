"""Writer of Moodle XML. Elements of our own carry what Moodle does not have, so that nothing is lost."""

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from lms_graphql.assessment.formats.answer_weights import choice_weights, escape_wild_cards, format_weight
from lms_graphql.assessment.formats.exact_texts import exact_texts
from lms_graphql.assessment.formats.moodle_xml_syntax import CREDIT, EXACT, carried, question_name
from lms_graphql.assessment.models import QuestionType
from lms_graphql.assessment.question_content import QuestionContent

TYPES = {
    QuestionType.MULTIPLE_CHOICE: "multichoice",
    QuestionType.TRUE_FALSE: "truefalse",
    QuestionType.SHORT_ANSWER: "shortanswer",
    QuestionType.ESSAY: "essay",
}


def write_moodle_xml(questions: Sequence[QuestionContent]) -> str:
    lines = [line for content in questions for line in _question(content)]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<quiz>", *lines, "</quiz>", ""])


def _question(content: QuestionContent) -> Iterator[str]:
    yield f'  <question type="{TYPES[content.type]}">'
    yield f"    <name>{_text(question_name(content.prompt))}</name>"
    yield f'    <questiontext format="markdown">{_text(content.prompt)}</questiontext>'
    if content.explanation is not None:
        yield f'    <generalfeedback format="markdown">{_text(content.explanation)}</generalfeedback>'
    yield f"    <defaultgrade>{content.points:.2f}</defaultgrade>"
    yield from _key(content)
    for name, text in exact_texts(content, carried).items():
        yield f"    <{EXACT} for={quoteattr(name)}>{escape(text)}</{EXACT}>"
    yield "  </question>"


def _key(content: QuestionContent) -> Iterator[str]:
    match content.type:
        case QuestionType.MULTIPLE_CHOICE:
            yield f"    <single>{'false' if content.allows_several else 'true'}</single>"
            yield f"    <{CREDIT}>{content.partial_credit.value}</{CREDIT}>"
            for option, weight in zip(content.options, choice_weights(content), strict=True):
                yield _answer(format_weight(weight), "markdown", option.text)
        case QuestionType.TRUE_FALSE:
            yield _answer("100" if content.correct_answer else "0", "moodle_auto_format", "true")
            yield _answer("0" if content.correct_answer else "100", "moodle_auto_format", "false")
        case QuestionType.SHORT_ANSWER:
            yield "    <usecase>0</usecase>"
            for text in content.accepted_answers:
                yield _answer("100", "moodle_auto_format", escape_wild_cards(text))


def _answer(fraction: str, text_format: str, text: str) -> str:
    return f'    <answer fraction="{fraction}" format="{text_format}">{_text(text)}</answer>'


def _text(text: str) -> str:
    """Return the element `text`. A carriage return is escaped, because XML readers turn it into a line feed."""
    return f"<text>{escape(carried(text), {chr(13): '&#13;'})}</text>"
