"""Property: what is exported is imported without loss and without a note."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lms_graphql.assessment.formats.question_formats import QuestionFormat, read_questions, write_questions
from lms_graphql.assessment.models import PartialCredit, QuestionType
from lms_graphql.assessment.question_content import Option, QuestionContent
from lms_graphql.assessment.quiz_validation import question_content
from lms_graphql.core.errors import DomainErrors
from lms_graphql.core.validation import Validator

LOSSLESS = [QuestionFormat.GIFT, QuestionFormat.MOODLE_XML, QuestionFormat.JSON]
PARTS = [
    *"=~#:{}\\%*[]<>&\"'/$ \t\n\r-_.",
    "\\n",
    "->",
    "::",
    "//",
    "####",
    "\r\n",
    "%50%",
    "[html]",
    "[markdown]",
    "[points:3]",
    "TRUE",
    "F",
    "{T}",
    "$CATEGORY: x",
    "_____",
    "\\_\\_\\_\\_\\_",
    "&amp;",
    "&#13;",
    "<b>",
    "<!--",
    "]]>",
    "@@",
    "\ufeff",
    "\uffff",
    "\xa0",
    "\u3000",
    "ä",
    "𝔘",
    "x",
]
texts = st.one_of(
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=12).map("".join),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20),
)


@st.composite
def contents(draw: st.DrawFn) -> QuestionContent:
    """Return a question that validation accepts."""
    kind = draw(st.sampled_from(QuestionType))
    values: dict[str, Any] = {
        "prompt": draw(texts),
        "points": draw(st.decimals("0.01", 1000, places=2)),
        "explanation": draw(st.none() | texts),
        "options": draw(
            st.lists(st.fixed_dictionaries({"text": texts, "is_correct": st.booleans()}), min_size=2, max_size=6)
        ),
        "partial_credit": draw(st.sampled_from(PartialCredit)),
        "correct_answer": draw(st.booleans()),
        "accepted_answers": draw(st.lists(texts, min_size=1, max_size=5)),
    }
    validator = Validator()
    content = question_content(validator, kind, values)
    try:
        validator.raise_errors()
    except DomainErrors:
        return QuestionContent(QuestionType.ESSAY, "This replaces a question that is not valid.")
    return content


def without_ids(questions: list[QuestionContent]) -> list[QuestionContent]:
    return [
        content._replace(options=tuple(option._replace(id="") for option in content.options)) for content in questions
    ]


def choice(*texts: str) -> QuestionContent:
    options = tuple(Option(str(index), text, index == 0) for index, text in enumerate(texts))
    return QuestionContent(QuestionType.MULTIPLE_CHOICE, "x", options=options)


@pytest.mark.slow
@pytest.mark.parametrize("file_format", LOSSLESS)
@given(questions=st.lists(contents(), max_size=4))
@example([choice("%50% off", "[html]b", "a\r\nb", "a\nb", "=x")])
@example([QuestionContent(QuestionType.ESSAY, " \t\nx\r", Decimal("0.5"), "\n####\n")])
@example([QuestionContent(QuestionType.ESSAY, "[html]x", explanation=" [html]")])
@example([QuestionContent(QuestionType.SHORT_ANSWER, "x", accepted_answers=("a->b", "*", r"\*", "%5%", "&amp;"))])
@example([QuestionContent(QuestionType.TRUE_FALSE, "a\uffff &amp; <b>" + "y" * 100, correct_answer=False)])
def test_import_of_an_export_is_identical(file_format: QuestionFormat, questions: list[QuestionContent]) -> None:
    text = write_questions(file_format, questions)
    imported, problems = read_questions(file_format, text)
    assert problems == []
    assert without_ids(imported) == without_ids(questions)
