"""Compact forms of questions and problems, so that tables can have the input of a test beside its expectation."""

from typing import NamedTuple

from lms_graphql.assessment.formats.parsed_questions import ImportSeverity, Problem
from lms_graphql.assessment.formats.question_formats import QuestionFormat, read_questions
from lms_graphql.assessment.models import PartialCredit, QuestionType
from lms_graphql.assessment.question_content import QuestionContent

NOTE, SKIPPED = ImportSeverity.NOTE, ImportSeverity.SKIPPED
Expected = tuple[int, ImportSeverity, str]
"""Line, severity and a part of the message of a problem."""


class ReadFile(NamedTuple):
    questions: list[str]
    problems: list[Problem]


def read(file_format: QuestionFormat, text: str) -> ReadFile:
    contents, problems = read_questions(file_format, text)
    return ReadFile([shown(content) for content in contents], problems)


def assert_problems(problems: list[Problem], expected: list[Expected]) -> None:
    """Assert that exactly these problems are reported."""
    assert [problem[:2] for problem in problems] == [problem[:2] for problem in expected], problems
    for problem, (_, _, part) in zip(problems, expected, strict=True):
        assert part in problem.message


def shown(content: QuestionContent) -> str:
    """Return a question in one line, for example `choice: Colors [*red, salt]`. A star marks what is correct."""
    options = ", ".join(f"{'*' if option.is_correct else ''}{option.text}" for option in content.options)
    key = {
        QuestionType.MULTIPLE_CHOICE: f"choice: {content.prompt} [{options}]",
        QuestionType.TRUE_FALSE: f"{str(content.correct_answer).lower()}: {content.prompt}",
        QuestionType.SHORT_ANSWER: f"short: {content.prompt} [{', '.join(content.accepted_answers)}]",
        QuestionType.ESSAY: f"essay: {content.prompt}",
    }[content.type]
    credit = "" if content.partial_credit is PartialCredit.ALL_OR_NOTHING else f" {content.partial_credit.name}"
    points = "" if content.points == 1 else f" {content.points} points"
    return key + credit + points + (f" ({content.explanation})" if content.explanation else "")
