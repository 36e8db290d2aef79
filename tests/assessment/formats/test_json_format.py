"""Reader of our own JSON."""

import pytest

from lms_graphql.assessment.formats.parsed_questions import QuestionFileError
from lms_graphql.assessment.formats.question_formats import QuestionFormat
from tests.assessment.formats.tables import NOTE, SKIPPED, Expected, assert_problems, read

ESSAY = '{"essay": {"prompt": "x"}}'
CASES = [
    pytest.param(f"[{ESSAY}]", ["essay: x"], [], id="list"),
    pytest.param(
        f'{{"version": 1,\n"questions": [\n{ESSAY}\n], "z": 1}}', ["essay: x"], [(4, NOTE, "z")], id="field"
    ),
    pytest.param(
        '[{"multipleChoice": {"prompt": "x", "points": 2.5, "partialCredit": "RIGHT_ONLY", "explanation": null,'
        '"options": [{"text": "a", "isCorrect": true}, {"text": "b", "isCorrect": false}]}}]',
        ["choice: x [*a, b] RIGHT_ONLY 2.5 points"],
        [],
        id="choice",
    ),
    pytest.param('[{"trueFalse": {"prompt": "x", "correctAnswer": false}}]', ["false: x"], [], id="true-false"),
    pytest.param('[{"shortAnswer": {"prompt": "x", "acceptedAnswers": ["a"]}}]', ["short: x [a]"], [], id="short"),
    pytest.param('[{"essay": {"prompt": "x", "size": 1}, "z": 2}]', ["essay: x"], [(1, NOTE, "“size”")], id="more"),
    pytest.param(f"[1,\n{ESSAY},\n{{}}]", ["essay: x"], [(1, SKIPPED, "exactly one"), (3, SKIPPED, "")], id="shape"),
    pytest.param('[{"essay": {"prompt": 5}}]', [], [(1, SKIPPED, "prompt is no text")], id="number"),
    pytest.param('[{"essay": {"prompt": "\\ud800"}}]', [], [(1, SKIPPED, "U+D800")], id="surrogate"),
    pytest.param('[{"essay": {"prompt": "x", "points": NaN}}]', [], [(1, SKIPPED, "points is no number")], id="nan"),
    pytest.param('[{"trueFalse": {"prompt": "x"}}]', [], [(1, SKIPPED, "correctAnswer is missing")], id="no-answer"),
    pytest.param(
        '[{"multipleChoice": {"prompt": "x", "options": [1]}}]', [], [(1, SKIPPED, "An option is an")], id="option"
    ),
    pytest.param(
        '[{"multipleChoice": {"prompt": "x", "partialCredit": []}}]', [], [(1, SKIPPED, "is none of")], id="credit"
    ),
]
REFUSED = [
    pytest.param("{", "line 1, column 2", id="unclosed"),
    pytest.param(f"[{ESSAY},\n]", "line 2, column 1: Illegal trailing comma", id="comma"),
    pytest.param(f"[{ESSAY}] x", "Extra data", id="extra"),
    pytest.param('{"questions": 1}', "no list of questions", id="no-list"),
    pytest.param("5", "no list of questions", id="number"),
    pytest.param("[" * 100_000, "nest too deeply", id="deep"),
    pytest.param('{"a": ' + "[" * 100_000, "nest too deeply", id="deep-field"),
]


@pytest.mark.parametrize(("content", "questions", "problems"), CASES)
def test_json_is_imported_or_reported(content: str, questions: list[str], problems: list[Expected]) -> None:
    result = read(QuestionFormat.JSON, content)
    assert result.questions == questions
    assert_problems(result.problems, problems)


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_unreadable_json_is_refused(content: str, message: str) -> None:
    with pytest.raises(QuestionFileError, match=message):
        read(QuestionFormat.JSON, content)
