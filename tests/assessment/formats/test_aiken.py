"""Reader and writer of Aiken. A numbers are those of the collected cases."""

from decimal import Decimal

import pytest

from lms_graphql.assessment.formats.question_formats import QuestionFormat, write_questions
from lms_graphql.assessment.models import PartialCredit, QuestionType
from lms_graphql.assessment.question_content import Option, QuestionContent
from tests.assessment.formats.tables import NOTE, SKIPPED, Expected, assert_problems, read

CASES = [
    pytest.param("Which?\nA. one\nANSWER: A", [], [(2, SKIPPED, "of line 1 has fewer than 2 options")], id="A1"),
    pytest.param("Which?\nA. a\nB. b\nC. c\nANSWER: D", [], [(1, SKIPPED, "Line 5 has the letter D, but")], id="A2"),
    pytest.param(
        "First?\nA. a\nB. b\n\nSecond?\nA. a\nB. b\nANSWER: B",
        ["choice: Second? [a, *b]"],
        [(1, SKIPPED, "has no line ANSWER:")],
        id="A3",
    ),
    pytest.param("Which?\nA)x\nB)y\nANSWER:B", ["choice: Which? [x, *y]"], [], id="A4"),
    pytest.param('Is <b> & "?\nA. <i>\nB. &amp;\nANSWER: A', ['choice: Is <b> & "? [*<i>, &amp;]'], [], id="A5"),
    pytest.param(
        "One\ntext?\n\nA. a\n\nB. b\nANSWER: A\nNext?\nA) a\nB) b\nANSWER: B\n",
        ["choice: One\ntext? [*a, b]", "choice: Next? [a, *b]"],
        [],
        id="blank-lines",
    ),
    pytest.param("I. Newton was\nA. a\nB. b\nANSWER: A", ["choice: I. Newton was [*a, b]"], [], id="initial"),
    pytest.param("ANSWER: A\nx?\nA. a\nB. b\nANSWER: A", ["choice: x? [*a, b]"], [(1, SKIPPED, "question")], id="no"),
    pytest.param("A. a\nB. b\nANSWER: A", [], [(1, SKIPPED, "have no question before them")], id="only-options"),
    pytest.param("x?\nA. a\nB. b", [], [(1, SKIPPED, "has no line ANSWER:")], id="end-of-file"),
    pytest.param("x?\na) a\nb) b\nANSWER: A", [], [(1, SKIPPED, "line 2 has a small letter")], id="small-options"),
    pytest.param("x?\nA. a\nB. b\nANSWER: b", [], [(1, SKIPPED, "Line 4 has “b” instead")], id="small-answer"),
    pytest.param("x?\nA. a\nB. b\nanswer: B", [], [(1, SKIPPED, "Write ANSWER: in line 4")], id="small-word"),
    pytest.param("x?\nA. a\nB. b\nANSWER: A, B", [], [(1, SKIPPED, "“A, B” instead of one")], id="two-letters"),
    pytest.param("x?\nA. a\nA. b\nANSWER: A", [], [(1, SKIPPED, "A in line 3 is there twice")], id="same-letter"),
    pytest.param(
        "x?\n" + "".join(f"{letter}. {letter}\n" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ") + "ANSWER: Z",
        [],
        [(1, SKIPPED, "Give 2 to 20 options")],
        id="26-options",
    ),
    pytest.param(
        "x?\nA. a\nB. b\nANSWER: A\nFEEDBACK: Because.\n\ny?\nA. a\nB. b\nANSWER: B",
        ["choice: x? [*a, b] (Because.)", "choice: y? [a, *b]"],
        [(5, NOTE, "It became the explanation")],
        id="feedback",
    ),
    pytest.param(
        "x?\nA. a\nB. b\nANSWER: A\ny?\nA. a\nB. b\nANSWER: C\nFEEDBACK: Of y.",
        ["choice: x? [*a, b]"],
        [(5, SKIPPED, "the letter C"), (9, NOTE, "The line is left out")],
        id="feedback-of-skipped-question",
    ),
    pytest.param("FEEDBACK: x\n// y", [], [(1, NOTE, "is left out"), (2, NOTE, "begins with //")], id="other-lines"),
]


@pytest.mark.parametrize(("text", "questions", "problems"), CASES)
def test_aiken_is_imported_or_reported(text: str, questions: list[str], problems: list[Expected]) -> None:
    result = read(QuestionFormat.AIKEN, text)
    assert result.questions == questions
    assert_problems(result.problems, problems)


def choice(prompt: str, *correct: bool) -> QuestionContent:
    options = tuple(Option(str(index), f"option {index}", is_correct) for index, is_correct in enumerate(correct))
    credit = PartialCredit.ALL_OR_NOTHING
    return QuestionContent(QuestionType.MULTIPLE_CHOICE, prompt, Decimal(1), None, options, partial_credit=credit)


def test_aiken_export_names_what_it_leaves_out() -> None:
    questions = [
        QuestionContent(QuestionType.ESSAY, "Why?"),
        choice("Which\none?", False, True),
        choice("Which ones?", True, True),
        choice("ANSWER: A", True, False),
    ]
    text = write_questions(QuestionFormat.AIKEN, questions)
    assert text.splitlines()[:4] == ["Which one?", "A. option 0", "B. option 1", "ANSWER: B"]
    assert [line[:24] for line in text.splitlines() if line.startswith("//")] == [
        "// Question 1 is left ou",
        "// Question 3 is left ou",
        "// Question 4 is left ou",
    ]
    result = read(QuestionFormat.AIKEN, text)
    assert (result.questions, result.problems) == (["choice: Which one? [option 0, *option 1]"], [])
