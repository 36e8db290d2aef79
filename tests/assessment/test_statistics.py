"""Statistics of quizzes through HTTP: a worked example, access, earlier versions, and stored statistics."""

from typing import Any

import pytest
import time_machine
from sqlalchemy import update

from lms_graphql.assessment.models import QuizAttempt
from lms_graphql.assessment.reads.quiz_statistics import MAX_AGE
from lms_graphql.assessment.services import quiz_statistics, results_repair
from lms_graphql.core import clock
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import choice, essay, short_answer, true_false
from tests.conftest import disable_maintenance
from tests.live_service import StatementRecorder

STATISTICS = """query Q($id: ID!) { node(id: $id) { ... on Quiz { statistics {
  id asOf attemptCount learnerCount passedLearnerCount meanScorePercent medianScorePercent meanDurationSeconds
  questions { question { id prompt } answeredCount unansweredCount fullPointsCount partialPointsCount noPointsCount
    meanPointsPercent discrimination options { option { id text isCorrect } chosenCount } } } } } }"""


def read_statistics(course: QuizCourse, quiz_id: str) -> Any:
    return course.client.execute(STATISTICS, as_=course.instructor.actor, id=quiz_id)["node"]["statistics"]


def take(course: QuizCourse, learner: Any, quiz_id: str, *answers: Any) -> Any:
    """Take the quiz within 30 seconds. An answer is the texts of options, a boolean, a text, or None."""
    with time_machine.travel(clock.now(), tick=False) as traveller:
        attempt = learner.start(quiz_id)
        for index, answer in enumerate(answers):
            if isinstance(answer, tuple):
                learner.select(attempt, index, *answer)
            elif isinstance(answer, bool):
                learner.save(attempt, index, boolean=answer)
            elif answer is not None:
                learner.save(attempt, index, text=answer)
        traveller.shift(30)
        return learner.submit(attempt)


def counts(question: Any) -> tuple[int, ...]:
    names = ("answeredCount", "unansweredCount", "fullPointsCount", "partialPointsCount", "noPointsCount")
    return tuple(question[name] for name in names)


def chosen(question: Any) -> dict[str, int]:
    return {option["option"]["text"]: option["chosenCount"] for option in question["options"]}


def test_statistics_of_a_worked_example(course: QuizCourse) -> None:
    """Points are (2, 1, 1), (1, 0, 1), (0, 1, 0) and (2, 0, 0), of 4 in all."""
    several = choice("a", "b", wrong=("c", "d"), points="2", partialCredit="RIGHT_ONLY")
    quiz = course.instructor.create_quiz(
        course.id, several, true_false(), short_answer("x"), maxAttempts=None, passingScore=50
    )
    assert read_statistics(course, quiz["id"]) is None
    take(course, course.learner, quiz["id"], ("a", "b"), True, "x")
    assert read_statistics(course, quiz["id"])["questions"][0]["discrimination"] is None
    take(course, course.learner, quiz["id"], ("a",), False, "X")
    take(course, course.other_learner(), quiz["id"], ("c",), True, None)
    take(course, course.other_learner(), quiz["id"], ("a", "b"), None, "y")
    course.learner.start(quiz["id"])
    result = read_statistics(course, quiz["id"])
    assert (result["attemptCount"], result["learnerCount"], result["passedLearnerCount"]) == (4, 3, 2)
    # Scores are 100, 50, 25 and 50.
    assert (result["meanScorePercent"], result["medianScorePercent"]) == (56.25, 50)
    assert result["meanDurationSeconds"] == 30
    first, second, third = result["questions"]
    assert [row["question"]["id"] for row in result["questions"]] == [row["id"] for row in quiz["questions"]]
    assert [counts(row) for row in result["questions"]] == [(4, 0, 2, 1, 1), (3, 1, 2, 0, 2), (3, 1, 2, 0, 2)]
    assert chosen(first) == {"a": 3, "b": 2, "c": 1, "d": 0}
    assert (second["options"], third["options"]) == ([], [])
    assert [row["meanPointsPercent"] for row in result["questions"]] == [62.5, 50, 50]
    # Points for the question and for the others: (2,2) (1,1) (0,1) (2,0), covariance 0; (1,3) (0,2) (1,0) (0,2),
    # correlation -1 / √19; (1,3) (1,1) (0,1) (0,2), correlation 1 / √11.
    assert [row["discrimination"] for row in result["questions"]] == [0, -0.2294, 0.3015]


def test_statistics_are_for_staff_only(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    take(course, course.learner, quiz["id"], True)
    body = course.client.graphql(STATISTICS, as_=course.learner.actor, id=quiz["id"])
    assert body["data"]["node"]["statistics"] is None
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]


def test_essay_has_no_points_until_it_is_graded(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false(), essay(points="4"))
    attempt = take(course, course.learner, quiz["id"], True, "Because.")
    waiting = read_statistics(course, quiz["id"])
    assert (waiting["attemptCount"], waiting["meanScorePercent"], waiting["medianScorePercent"]) == (1, None, None)
    assert [counts(row) for row in waiting["questions"]] == [(1, 0, 1, 0, 0), (1, 0, 0, 0, 0)]
    assert [row["meanPointsPercent"] for row in waiting["questions"]] == [100, None]
    grade = {"attemptId": attempt["id"], "questionId": attempt["questions"][1]["id"]}
    course.instructor.ok("gradeAnswer", points="1", **grade)
    graded = read_statistics(course, quiz["id"])
    assert graded["meanScorePercent"] == 40
    assert counts(graded["questions"][1]) == (1, 0, 0, 1, 0)
    assert graded["questions"][1]["meanPointsPercent"] == 25


def test_earlier_versions_of_a_question_count(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(
        course.id, choice("yes", wrong=("no", "old")), true_false(), maxAttempts=None
    )
    take(course, course.learner, quiz["id"], ("no",), True)
    take(course, course.learner, quiz["id"], ("old",), True)
    first, second = quiz["questions"]
    changed = choice("no", wrong=("new", "yes"), points="3")
    course.instructor.ok("updateQuestion", questionId=first["id"], question=changed)
    course.instructor.ok("deleteQuestion", questionId=second["id"])
    course.instructor.ok("addQuestion", quizId=quiz["id"], question=true_false())
    take(course, course.learner, quiz["id"], ("new",), True)
    course.instructor.payload("regradeQuestion", questionId=first["id"], policy="NEW_KEY")
    edited, added = read_statistics(course, quiz["id"])["questions"]
    assert chosen(edited) == {"no": 1, "new": 1, "yes": 0}
    assert counts(edited) == (3, 0, 1, 0, 2)
    assert edited["meanPointsPercent"] == 33.33
    assert counts(added) == (1, 0, 1, 0, 0)


@pytest.mark.query_budget
def test_statistics_take_a_constant_number_of_statements(course: QuizCourse) -> None:
    quizzes = [course.instructor.create_quiz(course.id, true_false(), choice("a"), maxAttempts=None) for _ in "abc"]
    document = """query Q($id: ID!) { node(id: $id) { ... on Course { quizzes { statistics { attemptCount
      questions { answeredCount options { chosenCount } } } } } } }"""
    numbers = []
    for quiz in quizzes:
        for _ in range(2):
            take(course, course.learner, quiz["id"], True, ("a",))
        with StatementRecorder(course.service.database) as statements:
            course.client.execute(document, as_=course.instructor.actor, id=course.id)
        numbers.append(statements.count)
    assert numbers[0] == numbers[1] == numbers[2] <= 8


def test_stored_statistics_are_served_until_they_are_refreshed(
    course: QuizCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    disable_maintenance(monkeypatch)
    monkeypatch.setattr(quiz_statistics, "MIN_STORED_ATTEMPTS", 1)
    quiz = course.instructor.create_quiz(course.id, choice("a"), maxAttempts=None)
    take(course, course.learner, quiz["id"], ("a",))
    database = course.service.database
    assert quiz_statistics.refresh_quiz_statistics(database) == 1
    live = read_statistics(course, quiz["id"])
    take(course, course.learner, quiz["id"], ("no",))
    stored = read_statistics(course, quiz["id"])
    assert stored == live
    assert quiz_statistics.refresh_quiz_statistics(database) == 1
    refreshed = read_statistics(course, quiz["id"])
    assert (refreshed["attemptCount"], chosen(refreshed["questions"][0])) == (2, {"a": 1, "no": 1})
    assert refreshed["asOf"] > stored["asOf"]
    take(course, course.learner, quiz["id"], ("no",))
    with time_machine.travel(clock.now() + MAX_AGE, tick=False):
        assert read_statistics(course, quiz["id"])["attemptCount"] == 3


def test_wrong_tokens_are_found_and_repaired(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(
        course.id, choice("a", "b", wrong=("c",)), true_false(), essay(), short_answer("x"), shuffleQuestions=True
    )
    take(course, course.learner, quiz["id"])
    database = course.service.database
    before = read_statistics(course, quiz["id"])
    assert database.read_sync(results_repair.find_result_drift) == []
    with database.engine.begin() as connection:
        connection.execute(update(QuizAttempt).values(result_tokens=None))
    assert database.read_sync(results_repair.find_result_drift) == ["quiz_attempts.result_tokens: wrong in 1 rows"]
    assert database.write_sync(results_repair.repair_results) == ["quiz_attempts.result_tokens: 1 rows repaired"]
    assert database.read_sync(results_repair.find_result_drift) == []
    after = read_statistics(course, quiz["id"])
    assert {**after, "asOf": None} == {**before, "asOf": None}
