"""Deadlines on any clock of the server, and attempts whose time is up in the list of attempts to grade."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from lms_graphql.assessment.services.submission import submit_overdue
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import QuizClient, essay, true_false
from tests.live_service import StatementRecorder
from tests.row_writer import START

BERLIN = ZoneInfo("Europe/Berlin")
TO_GRADE = """query Q($first: Int!, $after: String) { me { teaching {
  attemptsToGrade(first: $first, after: $after) {
    totalCount pageInfo { endCursor hasNextPage } nodes { id status submittedAt earnedPoints }
  }
} } }"""


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(datetime(2026, 3, 29, 1, 59, 30, tzinfo=BERLIN), id="clocks-are-put-forward"),
        pytest.param(datetime(2026, 10, 25, 2, 59, 30, tzinfo=BERLIN), id="clocks-are-put-back"),
        pytest.param(datetime(2051, 1, 1, tzinfo=UTC), id="clock-of-the-database-is-years-behind"),
    ],
)
def test_deadline_follows_the_clock_of_the_server(course: QuizCourse, start: datetime) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false(), true_false(), timeLimitSeconds=60)
    with time_machine.travel(start, tick=False) as moment:
        attempt = course.learner.start(quiz["id"])
        assert attempt["remainingSeconds"] == 60
        assert datetime.fromisoformat(attempt["deadlineAt"]) - start.astimezone(UTC) == timedelta(seconds=60)
        moment.shift(65)
        course.learner.save(attempt, 0, boolean=True)
        moment.shift(0.001)
        question_id = attempt["questions"][1]["id"]
        answer = {"attemptId": attempt["id"], "questionId": question_id, "answer": {"boolean": True}}
        assert course.learner.user_errors("saveAnswer", **answer) == [("ATTEMPT_CLOSED", "attemptId")]
        read = course.learner.attempt(attempt["id"])
    assert (read["status"], read["earnedPoints"], read["submittedAt"]) == ("GRADED", "1.00", attempt["deadlineAt"])


def attempts_to_grade(course: QuizCourse, first: int, after: str | None = None) -> Any:
    data = course.client.execute(TO_GRADE, as_=course.instructor.actor, first=first, after=after)
    return data["me"]["teaching"]["attemptsToGrade"]


def started_attempt(learner: QuizClient, quiz: Any, **answers: dict[str, Any]) -> Any:
    """Start an attempt, and save an essay or an answer to the second question."""
    attempt = learner.start(quiz["id"])
    for index, name in enumerate(("essay", "statement")):
        if name in answers:
            learner.save(attempt, index, **answers[name])
    return attempt


@pytest.mark.usefixtures("no_maintenance")
def test_overdue_essays_wait_for_a_grade_before_maintenance_runs(
    course: QuizCourse, statements: StatementRecorder
) -> None:
    quiz = course.instructor.create_quiz(course.id, essay(), true_false(), timeLimitSeconds=60)
    learners = [course.learner, *(course.other_learner() for _ in range(4))]
    text, true = {"text": "Because."}, {"boolean": True}
    with time_machine.travel(START, tick=False) as moment:
        overdue = started_attempt(learners[0], quiz, essay=text, statement=true)
        started_attempt(learners[1], quiz, statement=true)  # its essay is blank, so nothing waits
        moment.shift(10)
        submitted = started_attempt(learners[2], quiz, essay=text)
        also_overdue = started_attempt(learners[3], quiz, essay=text)
        moment.shift(58)
        learners[2].submit(submitted)
        opened = started_attempt(learners[4], quiz, essay=text)
        moment.shift(10)
        with statements:
            page = attempts_to_grade(course, 3)
        expected = [(overdue, "1.00"), (submitted, "0.00"), (also_overdue, "0.00")]
        assert [(node["id"], node["earnedPoints"]) for node in page["nodes"]] == [
            (attempt["id"], points) for attempt, points in expected
        ]
        assert {node["status"] for node in page["nodes"]} == {"GRADING"}
        assert page["nodes"][0]["submittedAt"] == overdue["deadlineAt"]
        assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (3, False)
        count_for_two = statements.count
        with statements:
            first = attempts_to_grade(course, 1)
        assert statements.count == count_for_two
        rest = attempts_to_grade(course, 2, first["pageInfo"]["endCursor"])
        assert first["nodes"] + rest["nodes"] == page["nodes"]
        resources = course.service.resources
        assert submit_overdue(resources.database, resources.settings) == 3
        assert attempts_to_grade(course, 3) == page
        assert learners[4].attempt(opened["id"])["status"] == "IN_PROGRESS"
