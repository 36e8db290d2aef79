"""Regrading: policies for essays and open attempts, progress, batches that survive a kill, and many attempts."""

import time
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.assessment.models import (
    AttemptQuestion,
    AttemptStatus,
    Question,
    QuestionRegrade,
    QuestionVersion,
    QuizAttempt,
)
from lms_graphql.assessment.services import regrading, results, results_repair
from lms_graphql.catalog.models import Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Role
from lms_graphql.core.database import Database
from lms_graphql.learning.models import CourseProgress
from lms_graphql.learning.services import progress_recount, progress_repair
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import choice, essay, true_false
from tests.conftest import disable_maintenance
from tests.live_service import StatementRecorder


def regrade(course: QuizCourse, question: Any, policy: str = "NEW_KEY") -> tuple[int, int]:
    """Regrade a question of a quiz. Return how many attempts are done, and how many are left."""
    payload = course.instructor.payload("regradeQuestion", questionId=question["id"], policy=policy)
    assert payload["errors"] == []
    return payload["regradedCount"], payload["pendingCount"]


def passed_quizzes(course: QuizCourse) -> int:
    count: int = course.enrollment()["progress"]["passedQuizzes"]
    return count


@pytest.mark.parametrize(
    ("policy", "graded", "waiting"),
    [("NEW_KEY", "2.00", None), ("KEEP_BETTER", "2.00", None), ("FULL_POINTS", "2.00", "2.00")],
)
def test_regraded_essay_keeps_its_grade_up_to_the_points(
    course: QuizCourse, policy: str, graded: str, waiting: str | None
) -> None:
    quiz = course.instructor.create_quiz(course.id, essay(points="4"), true_false())
    attempts = []
    for learner in (course.learner, course.other_learner()):
        attempt = learner.start(quiz["id"])
        learner.save(attempt, 0, text="Because.")
        attempts.append(learner.submit(attempt))
    ids = {"attemptId": attempts[0]["id"], "questionId": attempts[0]["questions"][0]["id"]}
    course.instructor.ok("gradeAnswer", points="3", **ids)
    course.instructor.ok("updateQuestion", questionId=quiz["questions"][0]["id"], question=essay(points="2"))
    assert regrade(course, quiz["questions"][0], policy) == (2, 0)
    first, second = (course.instructor.attempt(attempt["id"]) for attempt in attempts)
    assert (first["status"], first["earnedPoints"], first["totalPoints"]) == ("GRADED", graded, "3.00")
    assert second["status"] == ("GRADING" if waiting is None else "GRADED")
    assert second["earnedPoints"] == (waiting or "0.00")
    assert course.service.database.read_sync(results_repair.find_result_drift) == []


def test_keep_better_is_capped_at_the_points_of_the_question(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false(points="4"), true_false())
    attempt = course.learner.start(quiz["id"])
    course.learner.save(attempt, 0, boolean=True)
    course.learner.submit(attempt)
    changed = true_false(False, points="1.5")
    course.instructor.ok("updateQuestion", questionId=quiz["questions"][0]["id"], question=changed)
    assert regrade(course, quiz["questions"][0], "KEEP_BETTER") == (1, 0)
    result = course.learner.attempt(attempt["id"])
    assert (result["earnedPoints"], result["totalPoints"], result["scorePercent"]) == ("1.50", "2.50", 60)


def test_open_attempt_is_scored_by_the_present_key_after_a_regrade(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, choice("wrong key", wrong=("right",)), true_false())
    attempt = course.learner.start(quiz["id"])
    course.learner.select(attempt, 0, "right")
    corrected = choice("right", wrong=("wrong key",), points="3")
    course.instructor.ok("updateQuestion", questionId=quiz["questions"][0]["id"], question=corrected)
    assert regrade(course, quiz["questions"][0], "FULL_POINTS") == (0, 0)
    opened = course.learner.attempt(attempt["id"])
    assert (opened["status"], opened["totalPoints"], opened["earnedPoints"]) == ("IN_PROGRESS", "4.00", None)
    assert course.learner.submit(attempt)["earnedPoints"] == "3.00"


def test_progress_follows_a_regrade_both_ways(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, choice("a", wrong=("b",)))
    attempt = course.learner.start(quiz["id"])
    course.learner.select(attempt, 0, "b")
    course.learner.submit(attempt)
    assert passed_quizzes(course) == 0
    for right, wrong, passed in (("b", "a", 1), ("a", "b", 0), ("b", "a", 1)):
        changed = choice(right, wrong=(wrong,))
        course.instructor.ok("updateQuestion", questionId=quiz["questions"][0]["id"], question=changed)
        assert regrade(course, quiz["questions"][0]) == (1, 0)
        assert passed_quizzes(course) == passed
        assert course.service.database.read_sync(progress_repair.find_progress_drift) == []


def test_lower_grade_takes_the_pass_from_progress(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, essay())
    attempt = course.learner.start(quiz["id"])
    course.learner.save(attempt, 0, text="Because.")
    course.learner.submit(attempt)
    grade = {"attemptId": attempt["id"], "questionId": attempt["questions"][0]["id"]}
    for points, passed in (("1", 1), ("0.2", 0), ("0.9", 1)):
        course.instructor.ok("gradeAnswer", points=points, **grade)
        assert passed_quizzes(course) == passed


def insert_attempts(course: QuizCourse, quiz_id: str, learners: int) -> None:
    """Insert an attempt of each of so many new learners, who have answered each question with `true` and got 0."""
    now, quiz_key = clock.now(), key_of(quiz_id)
    times: dict[str, Any] = {"created_at": now, "updated_at": now}
    with course.service.engine.begin() as connection:
        first = (connection.scalar(select(func.max(User.id))) or 0) + 1
        users = range(first, first + learners)
        user = {"first_name": "A", "last_name": "L", "name_key": "a l", "role": Role.LEARNER, **times}
        names = [{"id": key, "username": f"many{key}", "username_key": f"many{key}", **user} for key in users]
        connection.execute(insert(User), names)
        enrollment = {"course_id": course.tree.row.id, "status": EnrollmentStatus.ACTIVE, "enrolled_at": now, **times}
        enrollment["source"] = EnrollmentSource.GRANT
        connection.execute(insert(Enrollment), [{"user_id": key, **enrollment} for key in users])
        progress = {"course_id": course.tree.row.id, "total_lectures": 1, "total_quizzes": 1, **times}
        connection.execute(insert(CourseProgress), [{"user_id": key, **progress} for key in users])
        versions = connection.execute(
            select(QuestionVersion.id, QuestionVersion.question_id)
            .join(Question, Question.id == QuestionVersion.question_id)
            .where(Question.quiz_id == quiz_key)
        ).all()
        attempt = {"quiz_id": quiz_key, "attempt_number": 1, "status": AttemptStatus.GRADED, "is_passed": False}
        attempt |= {"earned_points": Decimal(0), "total_points": Decimal(len(versions)), "score": Decimal(0)}
        attempt |= {"started_at": now, "submitted_at": now, **times}
        connection.execute(insert(QuizAttempt), [{"user_id": key, **attempt} for key in users])
        keys = connection.scalars(select(QuizAttempt.id).where(QuizAttempt.user_id.in_(users))).all()
        question = {"answer_boolean": True, "earned_points": Decimal(0), **times}
        rows = [
            {"attempt_id": key, "position": index, "question_id": question_key, "version_id": version, **question}
            for key in keys
            for index, (version, question_key) in enumerate(versions)
        ]
        connection.execute(insert(AttemptQuestion), [{**row, "key_version_id": row["version_id"]} for row in rows])


def key_of(id: str) -> int:
    decoded = global_ids.decode(id)
    assert decoded is not None
    return decoded[1]


def quiz_with_wrong_key(course: QuizCourse, learners: int, questions: int = 1) -> Any:
    """Return the first question of a quiz with attempts. Its key was wrong, and is corrected."""
    contents = [true_false(False) for _ in range(questions)]
    quiz = course.instructor.create_quiz(course.id, *contents, passingScore=1)
    insert_attempts(course, quiz["id"], learners)
    course.instructor.ok("updateQuestion", questionId=quiz["questions"][0]["id"], question=true_false(True))
    return quiz["questions"][0]


def scalar(course: QuizCourse, statement: Any) -> Any:
    return course.service.database.read_sync(lambda session: session.scalar(statement))


REGRADED = select(func.count()).where(QuizAttempt.earned_points == Decimal(1))
PASSED = select(func.count()).where(CourseProgress.passed_quizzes == 1)


def test_regrade_continues_after_a_kill_between_batches(course: QuizCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    disable_maintenance(monkeypatch)
    monkeypatch.setattr(regrading, "BATCH_SIZE", 5)
    question = quiz_with_wrong_key(course, 18)
    assert regrade(course, question) == (5, 13)
    settings, regrade_key = course.service.resources.settings, scalar(course, select(QuestionRegrade.id))
    step = partial(regrading.continue_regrade, regrade_key=regrade_key, settings=settings)
    assert course.service.database.write_sync(step) == (5, 5)
    assert scalar(course, REGRADED) == 10
    other = Database(course.service.database.url, pool_size=1, threads=1)
    assert regrading.continue_regrades(other, settings) == 8
    assert regrading.continue_regrades(other, settings) == 0
    other.dispose()
    assert (scalar(course, REGRADED), scalar(course, PASSED)) == (18, 18)
    assert course.service.database.read_sync(results_repair.find_result_drift) == []
    assert course.service.database.read_sync(progress_repair.find_progress_drift) == []


def test_each_attempt_with_new_points_is_in_the_audit_log(
    course: QuizCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    disable_maintenance(monkeypatch)
    monkeypatch.setattr(regrading, "BATCH_SIZE", 2)
    question = quiz_with_wrong_key(course, 3)
    assert regrade(course, question) == (2, 1)
    assert regrading.continue_regrades(course.service.database, course.service.resources.settings) == 1
    regrade(course, question)  # changes nothing
    statement = select(AuditEvent).where(AuditEvent.action.endswith(".regraded")).order_by(AuditEvent.id)
    events = course.service.database.read_sync(lambda session: list(session.scalars(statement)))
    assert {event.actor_id for event in events} == {course.tree.instructor.id}
    of_attempts = [event for event in events if event.subject_kind == "QuizAttempt"]
    attempts = course.service.database.read_sync(lambda session: set(session.scalars(select(QuizAttempt.id))))
    assert ({event.subject_id for event in of_attempts}, len(of_attempts)) == (attempts, 3)
    details = {"question": question["id"], "previous_points": "0.00", "points": "1.00"}
    assert [event.details for event in of_attempts] == [details] * 3
    of_question = [event for event in events if event not in of_attempts]
    ids = [global_ids.encode(event.subject_kind or "", event.subject_id or 0) for event in of_question]
    assert ids == [question["id"]] * 2


def test_failed_batch_leaves_nothing_behind(course: QuizCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    disable_maintenance(monkeypatch)
    monkeypatch.setattr(regrading, "BATCH_SIZE", 5)
    assert regrade(course, quiz_with_wrong_key(course, 8)) == (5, 3)
    settings, regrade_key = course.service.resources.settings, scalar(course, select(QuestionRegrade.id))

    def stop_before_commit(session: Session) -> None:
        assert regrading.continue_regrade(session, regrade_key, settings) == (3, 3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        course.service.database.write_sync(stop_before_commit)
    assert scalar(course, REGRADED) == 5
    assert regrading.continue_regrades(course.service.database, settings) == 3
    assert (scalar(course, REGRADED), scalar(course, PASSED)) == (8, 8)


@pytest.mark.query_budget
def test_regrade_takes_a_constant_number_of_statements(course: QuizCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_INLINE_CHANGES", 1)
    disable_maintenance(monkeypatch)
    numbers = []
    for learners in (3, 30):
        question = quiz_with_wrong_key(course, learners, questions=2)
        with StatementRecorder(course.service.database) as statements:
            assert regrade(course, question) == (learners, 0)
        numbers.append(statements.count)
    assert numbers[0] == numbers[1] <= 35, numbers


@pytest.mark.slow
def test_regrade_of_500_attempts_takes_seconds_of_cpu(course: QuizCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    disable_maintenance(monkeypatch)
    question = quiz_with_wrong_key(course, 510, questions=50)
    started, wall_started = time.process_time(), time.perf_counter()
    assert regrade(course, question) == (500, 10)
    seconds = time.process_time() - started
    print(f"500 attempts: {seconds:.2f} s of CPU time, {time.perf_counter() - wall_started:.2f} s")
    assert seconds < 4, "0.9 to 1.4 on the machine that the goal of two seconds is for"
    resources = course.service.resources
    assert regrading.continue_regrades(resources.database, resources.settings) == 10
    assert progress_recount.recount_pending(resources.database, resources.settings) >= 510
    assert (scalar(course, REGRADED), scalar(course, PASSED)) == (510, 510)
