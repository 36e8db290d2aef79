"""Course staff write questions: validation with exact paths, positions, and ids of options that stay."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.assessment.models import Question, QuestionType
from lms_graphql.assessment.question_content import QuestionContent, to_columns
from lms_graphql.core import global_ids
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import choice, essay, short_answer, true_false
from tests.assessment.quiz_factories import QuizFactories
from tests.factories import Factories, global_id

MANY = "x" * 10_001
INVALID_QUESTIONS: list[tuple[dict[str, Any], str, str]] = [
    (choice("yes", prompt=" "), "REQUIRED", "multipleChoice.prompt"),
    (choice("yes", prompt=MANY), "TOO_LONG", "multipleChoice.prompt"),
    (choice("yes", points=None), "REQUIRED", "multipleChoice.points"),
    (choice("yes", points="0"), "OUT_OF_RANGE", "multipleChoice.points"),
    (choice("yes", points="0.001"), "OUT_OF_RANGE", "multipleChoice.points"),
    (choice("yes", points="1000.01"), "OUT_OF_RANGE", "multipleChoice.points"),
    (choice("yes", explanation=MANY), "TOO_LONG", "multipleChoice.explanation"),
    (choice("yes", wrong=()), "INVALID", "multipleChoice.options"),
    (choice(*map(str, range(21))), "INVALID", "multipleChoice.options"),
    (choice(wrong=("no", "never")), "INVALID", "multipleChoice.options"),
    (choice("yes", wrong=(" yes ",)), "INVALID", "multipleChoice.options.1.text"),
    (choice("yes", wrong=(" ",)), "REQUIRED", "multipleChoice.options.1.text"),
    (choice("yes", wrong=("x" * 1_001,)), "TOO_LONG", "multipleChoice.options.1.text"),
    (true_false(prompt=""), "REQUIRED", "trueFalse.prompt"),
    (true_false(points="-1"), "OUT_OF_RANGE", "trueFalse.points"),
    (true_false(explanation=MANY), "TOO_LONG", "trueFalse.explanation"),
    (short_answer("a", prompt=""), "REQUIRED", "shortAnswer.prompt"),
    (short_answer("a", points="1.234"), "OUT_OF_RANGE", "shortAnswer.points"),
    (short_answer(), "REQUIRED", "shortAnswer.acceptedAnswers"),
    (short_answer(*map(str, range(51))), "LIMIT_REACHED", "shortAnswer.acceptedAnswers"),
    (short_answer("a", " "), "REQUIRED", "shortAnswer.acceptedAnswers.1"),
    (short_answer("x" * 201), "TOO_LONG", "shortAnswer.acceptedAnswers.0"),
    (essay(prompt=""), "REQUIRED", "essay.prompt"),
    (essay(points="0.00"), "OUT_OF_RANGE", "essay.points"),
    (essay(explanation=MANY), "TOO_LONG", "essay.explanation"),
]


@pytest.fixture
def quiz_id(course: QuizCourse, make: Factories) -> str:
    return global_id("Quiz", make.quiz(course.tree))


def errors_of(course: QuizCourse, mutation: str, **input: Any) -> list[tuple[str, str]]:
    """Return code and path of each error."""
    payload = course.instructor.payload(mutation, **input)
    assert payload["question"] is None
    return [(error["code"], ".".join(error["path"])) for error in payload["errors"]]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("question", "code", "path"), INVALID_QUESTIONS)
def test_invalid_question_is_rejected(
    course: QuizCourse, quiz_id: str, question: dict[str, Any], code: str, path: str
) -> None:
    expected = [(code, f"input.question.{path}")]
    assert errors_of(course, "addQuestion", quizId=quiz_id, question=question) == expected


def test_all_errors_of_a_question_are_reported_together(course: QuizCourse, quiz_id: str) -> None:
    question = choice("yes", wrong=("yes", ""), prompt="", points="0")
    errors = errors_of(course, "addQuestion", quizId=quiz_id, question=question, position=-1)
    assert errors == [
        ("REQUIRED", "input.question.multipleChoice.prompt"),
        ("OUT_OF_RANGE", "input.question.multipleChoice.points"),
        ("INVALID", "input.question.multipleChoice.options.1.text"),
        ("REQUIRED", "input.question.multipleChoice.options.2.text"),
        ("OUT_OF_RANGE", "input.position"),
    ]


@pytest.mark.parametrize("question", [{}, {**true_false(), **essay()}, {"essay": None}])
def test_question_has_exactly_one_type(course: QuizCourse, quiz_id: str, question: dict[str, Any]) -> None:
    assert course.instructor.error_codes("addQuestion", quizId=quiz_id, question=question) == ["BAD_USER_INPUT"]


def test_question_keeps_what_was_written(course: QuizCourse, quiz_id: str) -> None:
    question = choice(
        " one ", "two", prompt=" Which?\n", points="2.50", explanation="*So*", partialCredit="RIGHT_ONLY"
    )
    added = course.instructor.ok("addQuestion", quizId=quiz_id, question=question)
    assert (added["prompt"], added["points"], added["explanation"]) == (" Which?\n", "2.50", "*So*")
    assert (added["type"], added["partialCredit"]) == ("MULTIPLE_CHOICE", "RIGHT_ONLY")
    options = [(option["text"], option["isCorrect"]) for option in added["options"]]
    assert options == [("one", True), ("two", True), ("no", False)]
    added = course.instructor.ok("addQuestion", quizId=quiz_id, question=short_answer(" a ", "b"))
    assert added["acceptedAnswers"] == ["a", "b"]


def test_invalid_update_changes_nothing(course: QuizCourse, quiz_id: str) -> None:
    added = course.instructor.ok("addQuestion", quizId=quiz_id, question=choice("yes"))
    for question, code, path in INVALID_QUESTIONS[:3]:
        expected = [(code, f"input.question.{path}")]
        assert errors_of(course, "updateQuestion", questionId=added["id"], question=question) == expected
    assert course.instructor.ok("updateQuiz", quizId=quiz_id)["questions"] == [added]


def test_type_of_a_question_never_changes(course: QuizCourse, quiz_id: str) -> None:
    added = course.instructor.ok("addQuestion", quizId=quiz_id, question=choice("yes"))
    errors = errors_of(course, "updateQuestion", questionId=added["id"], question=true_false())
    assert errors == [("INVALID", "input.question.trueFalse")]


def test_option_keeps_its_id_while_its_text_stays(course: QuizCourse, quiz_id: str) -> None:
    added = course.instructor.ok("addQuestion", quizId=quiz_id, question=choice("yes", wrong=("no", "maybe")))
    ids = {option["text"]: option["id"] for option in added["options"]}
    changed = choice("no", wrong=("never", "yes"))
    updated = course.instructor.ok("updateQuestion", questionId=added["id"], question=changed)
    options = {option["text"]: option["id"] for option in updated["options"]}
    assert list(options) == ["no", "never", "yes"]
    assert (options["no"], options["yes"]) == (ids["no"], ids["yes"])
    assert options["never"] not in ids.values()


def positions(course: QuizCourse, quiz_id: str) -> list[tuple[str, int]]:
    """Return prompt and position of each question, in order."""
    questions = course.instructor.ok("updateQuiz", quizId=quiz_id)["questions"]
    return [(question["prompt"], question["position"]) for question in questions]


def test_positions_are_dense(course: QuizCourse, quiz_id: str) -> None:
    ids = {}
    for prompt, position in (("b", None), ("a", 0), ("d", 99), ("c", 2)):
        question = {"question": essay(prompt=prompt), "position": position}
        ids[prompt] = course.instructor.ok("addQuestion", quizId=quiz_id, **question)["id"]
    assert positions(course, quiz_id) == [("a", 0), ("b", 1), ("c", 2), ("d", 3)]
    course.instructor.ok("deleteQuestion", questionId=ids["b"])
    assert positions(course, quiz_id) == [("a", 0), ("c", 1), ("d", 2)]
    order = [ids[prompt] for prompt in "dac"]
    course.instructor.ok("reorderQuestions", quizId=quiz_id, questionIds=order)
    assert positions(course, quiz_id) == [("d", 0), ("a", 1), ("c", 2)]


def test_reorder_needs_exactly_the_questions_of_the_quiz(course: QuizCourse, make: Factories, quiz_id: str) -> None:
    first, second = (
        course.instructor.ok("addQuestion", quizId=quiz_id, question=essay(prompt=prompt))["id"] for prompt in "ab"
    )
    other_quiz_id = global_id("Quiz", make.quiz(course.tree))
    other = course.instructor.ok("addQuestion", quizId=other_quiz_id, question=essay())["id"]
    for ids in ([], [first], [first, first], [first, second, second], [first, other], [first, "nonsense"]):
        errors = course.instructor.user_errors("reorderQuestions", quizId=quiz_id, questionIds=ids)
        assert errors == [("INVALID", "questionIds")]
    assert positions(course, quiz_id) == [("a", 0), ("b", 1)]


def test_id_of_another_type_names_no_question(course: QuizCourse, quiz_id: str) -> None:
    added = course.instructor.ok("addQuestion", quizId=quiz_id, question=true_false())
    decoded = global_ids.decode(added["id"])
    assert decoded is not None
    for kind in ("EssayQuestion", "Question", "AttemptQuestion", "Quiz"):
        id = global_ids.encode(kind, decoded[1])
        for mutation, values in (("updateQuestion", {"question": true_false()}), ("deleteQuestion", {})):
            assert course.instructor.user_errors(mutation, questionId=id, **values) == [("NOT_FOUND", "questionId")]
        regraded = course.instructor.payload("regradeQuestion", questionId=id)
        assert [error["code"] for error in regraded["errors"]] == ["NOT_FOUND"]
        reordered = course.instructor.user_errors("reorderQuestions", quizId=quiz_id, questionIds=[id])
        assert reordered == [("INVALID", "questionIds")]
        document = "query Q($id: ID!) { node(id: $id) { ... on Question { prompt } } }"
        assert not course.client.execute(document, as_=course.instructor.actor, id=id)["node"]


def test_quiz_has_at_most_200_questions(course: QuizCourse, make: Factories) -> None:
    quiz = make.quiz(course.tree)
    content = to_columns(QuestionContent(QuestionType.ESSAY, "Why?", Decimal(1)))
    rows = [Question(quiz_id=quiz.id, order_index=index, **content) for index in range(199)]
    QuizFactories(course.service.database).add_all(rows)
    added = {"quizId": global_id("Quiz", quiz), "question": true_false()}
    assert course.instructor.ok("addQuestion", **added, position=0)["position"] == 0
    assert course.instructor.user_errors("addQuestion", **added) == [("LIMIT_REACHED", "quizId")]
    order = select(Question.order_index).where(Question.quiz_id == quiz.id).order_by(Question.order_index)
    stored = course.service.database.read_sync(lambda session: list(session.scalars(order)))
    assert stored == list(range(200))
