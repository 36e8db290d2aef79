"""Rules of attempts: deadlines, order, edits while a quiz is taken, and the cases of other systems."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
import time_machine

from lms_graphql.assessment.services.submission import submit_overdue
from lms_graphql.core import global_ids
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import choice, essay, short_answer, true_false
from tests.factories import Factories, global_id

SQLITE_ONLY = pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
"""For rules that hold on every database."""


@contextmanager
def moved_to(instant: str, **offset: float) -> Iterator[None]:
    """Stop the clock at an instant of the API, plus an offset."""
    with time_machine.travel(datetime.fromisoformat(instant) + timedelta(**offset), tick=False):
        yield


def save_true(course: QuizCourse, attempt: dict[str, object], index: int) -> list[tuple[str, str]]:
    """Save an answer and return the errors."""
    question_id = attempt["questions"][index]["id"]  # type: ignore[index]
    answer = {"attemptId": attempt["id"], "questionId": question_id, "answer": {"boolean": True}}
    payload = course.learner.payload("saveAnswer", **answer)
    return [(error["code"], error["path"][1]) for error in payload["errors"]]


@pytest.mark.parametrize(
    ("offset", "errors"),
    [
        ({"milliseconds": -1}, []),
        ({"seconds": 5}, []),
        ({"seconds": 5, "milliseconds": 1}, [("ATTEMPT_CLOSED", "attemptId")]),
    ],
)
def test_answer_counts_until_the_grace_ends(
    course: QuizCourse, offset: dict[str, float], errors: list[tuple[str, str]]
) -> None:
    quiz = course.instructor.create_quiz(course.id, *[true_false()] * 3, timeLimitSeconds=60)
    attempt = course.learner.start(quiz["id"])
    with moved_to(attempt["startedAt"], seconds=59):
        assert save_true(course, attempt, 0) == save_true(course, attempt, 1) == []
    with moved_to(attempt["deadlineAt"], **offset):
        assert save_true(course, attempt, 2) == errors
    with moved_to(attempt["deadlineAt"], minutes=1):
        read = course.learner.attempt(attempt["id"])
    assert (read["status"], read["submittedAt"]) == ("GRADED", attempt["deadlineAt"])
    assert read["earnedPoints"] == ("2.00" if errors else "3.00")


def test_reading_an_overdue_attempt_shows_the_result_that_maintenance_stores(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false(), true_false(), essay(), timeLimitSeconds=3)
    attempt = course.learner.start(quiz["id"])
    course.learner.save(attempt, 0, boolean=True)
    course.learner.save(attempt, 2, text="Because.")
    resources = course.service.resources
    with moved_to(attempt["deadlineAt"], seconds=6):
        read = course.learner.attempt(attempt["id"])
        staff_read = course.instructor.attempt(attempt["id"])
        assert submit_overdue(resources.database, resources.settings) == 1
        assert submit_overdue(resources.database, resources.settings) == 0
        assert course.learner.attempt(attempt["id"]) == read
        assert course.instructor.attempt(attempt["id"]) == staff_read
    assert (read["status"], read["earnedPoints"]) == ("GRADING", "1.00")
    assert read["questions"][0]["result"]["isCorrect"] is True


def test_overdue_attempt_is_submitted_before_the_next_starts(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false(), timeLimitSeconds=3, maxAttempts=2)
    attempt = course.learner.start(quiz["id"])
    with moved_to(attempt["deadlineAt"], seconds=6):
        first = course.learner.submit(attempt)
        assert first["status"] == "GRADED"
        assert course.learner.submit(attempt) == first
        assert course.learner.start(quiz["id"])["number"] == 2


def test_question_of_another_attempt_is_not_found(course: QuizCourse) -> None:
    quiz, second_quiz = (course.instructor.create_quiz(course.id, true_false()) for _ in range(2))
    other = course.other_learner()
    attempt, second, others = (
        course.learner.start(quiz["id"]),
        course.learner.start(second_quiz["id"]),
        other.start(quiz["id"]),
    )
    for wrong in (second, others):
        answer = {"questionId": wrong["questions"][0]["id"], "answer": {"boolean": True}}
        errors = course.learner.user_errors("saveAnswer", attemptId=attempt["id"], **answer)
        assert errors == [("NOT_FOUND", "questionId")]
    errors = course.learner.user_errors("saveAnswer", attemptId=others["id"], **answer)
    assert errors == [("NOT_FOUND", "attemptId")]
    answers = [
        person.attempt(started["id"])["questions"][0]["answer"]
        for person, started in ((course.learner, attempt), (course.learner, second), (other, others))
    ]
    assert answers == [None] * 3


def test_staff_neither_answer_nor_submit_for_a_learner(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    attempt = course.learner.start(quiz["id"])
    assert course.instructor.error_codes("submitQuizAttempt", attemptId=attempt["id"]) == ["FORBIDDEN"]
    answer = {"questionId": attempt["questions"][0]["id"], "answer": {"boolean": True}}
    assert course.instructor.error_codes("saveAnswer", attemptId=attempt["id"], **answer) == ["FORBIDDEN"]


@SQLITE_ONLY
def test_shuffled_options_are_scored_by_their_text(course: QuizCourse) -> None:
    """Ids follow the learner's order, so that they say nothing about the author's."""
    wrong = tuple(f"wrong {number}" for number in range(7))
    quiz = course.instructor.create_quiz(
        course.id, choice("right", wrong=wrong), true_false(), shuffleQuestions=True, maxAttempts=None
    )
    orders = set()
    for _ in range(20):
        attempt = course.learner.start(quiz["id"])
        questions = attempt["questions"]
        (index,) = (index for index, question in enumerate(questions) if question["options"])
        course.learner.select(attempt, index, "right")
        course.learner.save(attempt, 1 - index, boolean=True)
        assert course.learner.submit(attempt)["earnedPoints"] == "2.00"
        options = questions[index]["options"]
        orders.add((index, *(option["text"] for option in options)))
        for keys in (keys_of(questions), keys_of(options)):
            assert keys == list(range(keys[0], keys[0] + len(keys)))
    assert {order[0] for order in orders} == {0, 1}
    assert len({order[1:] for order in orders}) > 10


def keys_of(objects: list[dict[str, str]]) -> list[int]:
    """Return the keys in global ids."""
    return [decoded[1] for item in objects if (decoded := global_ids.decode(item["id"]))]


@SQLITE_ONLY
def test_unanswered_questions_count(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    file = {"format": "GIFT", "text": "Is it so? {T}\n\n" * 19}
    assert course.instructor.payload("importQuestions", quizId=quiz["id"], **file)["importedCount"] == 19
    attempt = course.learner.start(quiz["id"])
    course.learner.save(attempt, 7, boolean=True)
    submitted = course.learner.submit(attempt)
    assert (submitted["earnedPoints"], submitted["totalPoints"], submitted["scorePercent"]) == ("1.00", "20.00", 5)


@SQLITE_ONLY
def test_order_of_saving_changes_no_result(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(
        course.id, choice("yes", "maybe", partialCredit="RIGHT_ONLY"), short_answer("a"), essay(), maxAttempts=None
    )
    results = []
    for order in permutations(range(3)):
        attempt = course.learner.start(quiz["id"])
        course.learner.save(attempt, 1, text="a")  # is replaced
        first_option = attempt["questions"][0]["options"][0]["id"]
        answers: list[dict[str, Any]] = [{"optionIds": [first_option]}, {"text": "b"}, {"text": "Because."}]
        for index in order:
            course.learner.save(attempt, index, **answers[index])
        submitted = course.learner.submit(attempt)
        results.append((submitted["status"], submitted["earnedPoints"], submitted["scorePercent"]))
    assert results == [("GRADING", "0.50", 16.67)] * 6


def test_edits_of_a_quiz_change_no_attempt(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false(), choice("yes"), maxAttempts=None)
    graded = course.learner.start(quiz["id"])
    course.learner.save(graded, 0, boolean=True)
    graded = course.learner.submit(graded)
    opened = course.learner.start(quiz["id"])
    first, second = quiz["questions"]
    course.instructor.ok("updateQuestion", questionId=first["id"], question=true_false(False, points="5"))
    course.instructor.ok("deleteQuestion", questionId=second["id"])
    settings = {"timeLimitSeconds": 1, "passingScore": 100, "shuffleQuestions": True}
    course.instructor.ok("updateQuiz", quizId=quiz["id"], **settings)
    assert course.learner.attempt(graded["id"]) == graded
    assert course.learner.attempt(opened["id"]) == opened
    course.learner.save(opened, 0, boolean=True)
    assert course.learner.submit(opened)["earnedPoints"] == "1.00"
    latest = course.learner.start(quiz["id"])
    assert [question["points"] for question in latest["questions"]] == ["5.00"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"boolean": True}, ("INVALID", ["input", "answer", "boolean"])),
        ({"text": "yes"}, ("INVALID", ["input", "answer", "text"])),
        ({"optionIds": ["bm8"]}, ("NOT_FOUND", ["input", "answer", "optionIds", "0"])),
        ({"optionIds": ["bm8"] * 21}, ("LIMIT_REACHED", ["input", "answer", "optionIds"])),
    ],
)
def test_unfitting_answer_is_rejected_and_nothing_is_stored(
    course: QuizCourse, answer: dict[str, object], expected: tuple[str, list[str]]
) -> None:
    quiz = course.instructor.create_quiz(course.id, choice("yes"))
    attempt = course.learner.start(quiz["id"])
    saved = course.learner.select(attempt, 0, "yes")["questions"][0]["answer"]
    input = {"attemptId": attempt["id"], "questionId": attempt["questions"][0]["id"], "answer": answer}
    error = course.learner.payload("saveAnswer", **input)["errors"][0]
    assert (error["code"], error["path"]) == expected
    assert course.learner.attempt(attempt["id"])["questions"][0]["answer"] == saved


def test_answer_is_withdrawn_by_null_only(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    attempt = course.learner.start(quiz["id"])
    course.learner.save(attempt, 0, boolean=True)
    ids = {"attemptId": attempt["id"], "questionId": attempt["questions"][0]["id"]}
    assert course.learner.user_errors("saveAnswer", **ids) == [("REQUIRED", "answer")]
    assert course.learner.ok("saveAnswer", **ids, answer=None)["questions"][0]["answer"] is None


def test_accommodation_lengthens_the_open_attempt(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false(), timeLimitSeconds=101, maxAttempts=1)
    attempt = course.learner.start(quiz["id"])
    user_id = global_id("User", course.learner_user)
    accommodation = course.instructor.ok(
        "setQuizAccommodation", quizId=quiz["id"], userId=user_id, extraTimePercent=50, extraAttempts=1
    )
    assert (accommodation["extraTimePercent"], accommodation["extraAttempts"]) == (50, 1)
    longer = course.learner.attempt(attempt["id"])
    seconds = datetime.fromisoformat(longer["deadlineAt"]) - datetime.fromisoformat(attempt["startedAt"])
    assert seconds == timedelta(seconds=152)
    course.learner.submit(attempt)
    second = course.learner.start(quiz["id"])
    assert second["number"] == 2
    course.instructor.payload("setQuizAccommodation", quizId=quiz["id"], userId=user_id)
    assert course.learner.attempt(second["id"])["deadlineAt"] == second["deadlineAt"]
    course.learner.submit(second)
    assert course.learner.user_errors("startQuizAttempt", quizId=quiz["id"]) == [("NO_ATTEMPTS_LEFT", "quizId")]


def test_attempts_need_an_enrollment_with_access(course: QuizCourse, make: Factories) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    assert course.instructor.user_errors("startQuizAttempt", quizId=quiz["id"]) == [("NOT_ENROLLED", "quizId")]
    stranger = type(course.learner)(course.client, make.actor(make.user()))
    assert stranger.user_errors("startQuizAttempt", quizId=quiz["id"]) == [("NOT_FOUND", "quizId")]


@pytest.mark.parametrize("policy", ["NEW_KEY", "KEEP_BETTER", "FULL_POINTS"])
def test_wrong_key_is_corrected_and_regraded(course: QuizCourse, policy: str) -> None:
    quiz = course.instructor.create_quiz(course.id, choice("wrong key", wrong=("right",)), true_false())
    other = course.other_learner()
    attempts = []
    for learner, text in ((course.learner, "right"), (other, "wrong key")):
        attempt = learner.start(quiz["id"])
        learner.select(attempt, 0, text)
        attempts.append(learner.submit(attempt))
    assert [attempt["earnedPoints"] for attempt in attempts] == ["0.00", "1.00"]
    question_id = quiz["questions"][0]["id"]
    corrected = choice("right", wrong=("wrong key",), points="2")
    course.instructor.ok("updateQuestion", questionId=question_id, question=corrected)
    result = course.instructor.payload("regradeQuestion", questionId=question_id, policy=policy)
    assert (result["regradedCount"], result["pendingCount"], result["errors"]) == (2, 0, [])
    attempts = [course.learner.attempt(attempts[0]["id"]), other.attempt(attempts[1]["id"])]
    expected = {"NEW_KEY": ["2.00", "0.00"], "KEEP_BETTER": ["2.00", "1.00"], "FULL_POINTS": ["2.00", "2.00"]}
    assert [attempt["earnedPoints"] for attempt in attempts] == expected[policy]
    assert [attempt["totalPoints"] for attempt in attempts] == ["3.00", "3.00"]
