"""Quizzes of the demo data: valid by the rules of the services, and worth looking at for the seed users."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms_graphql.assessment import attempt_rules, scoring
from lms_graphql.assessment.models import (
    AttemptQuestion,
    AttemptStatus,
    Question,
    QuestionType,
    Quiz,
    QuizAccommodation,
    QuizAttempt,
)
from lms_graphql.assessment.reads.attempt_results import results_by_attempt
from lms_graphql.assessment.reads.attempt_rows import AttemptQuestionRow, attempt_question_rows
from lms_graphql.assessment.services.results import result_columns
from lms_graphql.catalog.models import Enrollment, Lecture, LectureType
from lms_graphql.demo.timeline import TODAY
from lms_graphql.learning.models import LectureProgress
from lms_graphql.settings import Settings
from tests.demo_service import run_demo_service, seed_user_token
from tests.live_service import Client, Service

pytestmark = pytest.mark.slow

SUBMITTED = (AttemptStatus.GRADING, AttemptStatus.GRADED)
EASY, HARD, MISLEADING = "A line of Python needs", "Which of these values count", "Which is the best name"
"""Beginnings of questions of the quiz “Where do you stand?”."""
QUIZZES = """{ course(slug: "python-from-zero") { quizzes {
  title viewerHasPassed viewerAttemptsLeft viewerTimeLimitSeconds timeLimitSeconds
  viewerAttempts { number status passed questions { answer { saveDate: savedAt } result { isCorrect earnedPoints } } }
} } }"""
STATISTICS = """{ course(slug: "python-from-zero") { quizzes { title statistics {
  attemptCount learnerCount passedLearnerCount meanScorePercent medianScorePercent meanDurationSeconds
  questions { question { prompt } meanPointsPercent discrimination answeredCount options { chosenCount } }
} } } }"""
TO_GRADE = """{ me { teaching { attemptsToGrade { nodes {
  user { fullName } status questions { type points answer { text } } } } } } }"""


@pytest.fixture(scope="module")
def demo_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a service with a demo of the default size."""
    with run_demo_service(tmp_path_factory.mktemp("demo"), learners=40) as service:
        yield service


@pytest.fixture
def session(demo_service: Service) -> Iterator[Session]:
    with Session(demo_service.database.read_engine) as session:
        yield session


@pytest.fixture
def client(demo_service: Service) -> Iterator[Client]:
    with closing(Client(demo_service)) as client:
        yield client


def attempts_with_quizzes(session: Session) -> list[tuple[QuizAttempt, Quiz]]:
    statement = select(QuizAttempt, Quiz).join(Quiz, Quiz.id == QuizAttempt.quiz_id)
    return [(attempt, quiz) for attempt, quiz in session.execute(statement.order_by(QuizAttempt.id))]


def questions_of(session: Session, attempts: list[tuple[QuizAttempt, Quiz]]) -> dict[int, list[AttemptQuestionRow]]:
    return attempt_question_rows(session, [attempt.id for attempt, _ in attempts])


def test_both_kinds_of_quizzes_have_attempts_of_all_kinds(session: Session) -> None:
    statement = select(Quiz.lecture_id.is_(None), Question.question_type).join(Quiz, Quiz.id == Question.quiz_id)
    kinds = set(session.execute(statement).all())
    assert {kind for is_course_level, kind in kinds if is_course_level} == set(QuestionType)
    lecture_kinds = {kind for is_course_level, kind in kinds if not is_course_level}
    assert lecture_kinds == set(QuestionType) - {QuestionType.ESSAY}
    counts = dict(session.execute(select(QuizAttempt.status, func.count()).group_by(QuizAttempt.status)).all())
    assert counts.keys() == {*SUBMITTED, AttemptStatus.IN_PROGRESS}
    graded = select(QuizAttempt.is_passed, func.count()).where(QuizAttempt.status == AttemptStatus.GRADED)
    passed = dict(session.execute(graded.group_by(QuizAttempt.is_passed)).all())
    assert passed[True] > passed[False] > 20
    assert (session.scalar(select(func.max(QuizAttempt.attempt_number))) or 0) >= 3
    assert session.scalar(select(func.count(AttemptQuestion.feedback)))
    assert session.scalar(select(func.count(QuizAccommodation.id)))


def test_results_follow_from_the_answers(session: Session) -> None:
    attempts = attempts_with_quizzes(session)
    questions, results = questions_of(session, attempts), results_by_attempt(session, [a.id for a, _ in attempts])
    for attempt, quiz in attempts:
        rows = questions[attempt.id]
        in_order = sorted(rows, key=lambda row: row.question_key)
        assert rows == attempt_rules.shuffled(in_order, attempt.shuffle_seed, lambda row: row.question_key)
        assert (attempt.shuffle_seed is not None) == quiz.shuffle_questions
        if attempt.status is AttemptStatus.IN_PROGRESS:
            assert all(row.earned_points is None for row in rows)
            assert (attempt.submitted_at, attempt.open_marker) == (None, f"{attempt.user_id}:{quiz.id}")
            continue
        columns = result_columns(results[attempt.id], quiz.passing_score)
        assert columns == {name: getattr(attempt, name) for name in columns}
        for row in rows:
            points = scoring.earned_points(row.content, row.answer)
            if points is None and row.earned_points is not None:
                assert row.graded_at is not None
                assert row.feedback
                assert 0 <= row.earned_points <= row.content.points
            else:
                assert row.earned_points == points


def test_attempts_keep_the_limits_of_their_quiz(session: Session) -> None:
    columns = (Enrollment.user_id, Enrollment.course_id, Enrollment.enrolled_at)
    enrolled_at = {(user, course): time for user, course, time in session.execute(select(*columns))}
    extras = {(row.user_id, row.quiz_id): row for row in session.scalars(select(QuizAccommodation))}
    attempts = attempts_with_quizzes(session)
    questions, previous = questions_of(session, attempts), dict[tuple[int, int], QuizAttempt]()
    for attempt, quiz in attempts:
        key = (attempt.user_id, quiz.id)
        extra = extras.get(key) or QuizAccommodation(extra_time_percent=0, extra_attempts=0)
        deadline = attempt_rules.deadline(attempt.started_at, quiz.time_limit, extra.extra_time_percent)
        closing_time = attempt_rules.closing_time(deadline, Settings().attempt_grace_seconds)
        assert (attempt.deadline_at, attempt.closes_at) == (deadline, closing_time)
        end = attempt.submitted_at or TODAY
        assert enrolled_at[attempt.user_id, quiz.course_id] <= attempt.started_at < end <= min(deadline or end, TODAY)
        for row in questions[attempt.id]:
            assert (row.saved_at is None) == row.answer.is_blank
            assert row.saved_at is None or attempt.started_at < row.saved_at <= end
            assert row.graded_at is None or end < row.graded_at <= TODAY
        assert attempt.attempt_number <= (quiz.max_attempts or 3) + extra.extra_attempts
        if attempt.attempt_number == 1:
            assert key not in previous
        else:
            assert previous[key].attempt_number == attempt.attempt_number - 1
            assert (previous[key].submitted_at or TODAY) < attempt.started_at
        previous[key] = attempt


def test_quiz_lectures_are_completed_by_passing(session: Session) -> None:
    passed = (
        select(Quiz.lecture_id, QuizAttempt.user_id)
        .join(QuizAttempt, QuizAttempt.quiz_id == Quiz.id)
        .where(QuizAttempt.is_passed.is_(True), Quiz.lecture_id.is_not(None))
    )
    completed = (
        select(LectureProgress.lecture_id, LectureProgress.user_id)
        .join(Lecture, Lecture.id == LectureProgress.lecture_id)
        .where(LectureProgress.is_completed, Lecture.lecture_type == LectureType.QUIZ)
    )
    assert set(session.execute(completed).all()) == set(session.execute(passed).all())


def test_seed_learner_sees_own_results(client: Client) -> None:
    token = seed_user_token(client, "learner")
    quizzes = {quiz["title"]: quiz for quiz in client.execute(QUIZZES, bearer=token)["course"]["quizzes"]}
    outcomes = {
        title: [(attempt["status"], attempt["passed"]) for attempt in reversed(quizzes[title]["viewerAttempts"])]
        for title in ("Practice: read the code", "In your own words", "Where do you stand?", "Final exam")
    }
    assert outcomes == {
        "Practice: read the code": [("GRADED", True), ("IN_PROGRESS", None)],
        "In your own words": [("GRADING", None)],
        "Where do you stand?": [("GRADED", False), ("GRADED", True)],
        "Final exam": [],
    }
    entry = quizzes["Where do you stand?"]
    assert entry["viewerHasPassed"]
    assert entry["viewerAttemptsLeft"] == 2
    assert entry["viewerTimeLimitSeconds"] > entry["timeLimitSeconds"]
    assert all(question["result"] for question in entry["viewerAttempts"][0]["questions"])
    open_attempt = quizzes["Practice: read the code"]["viewerAttempts"][0]
    assert any(question["answer"] for question in open_attempt["questions"])
    assert not any(question["result"] for question in open_attempt["questions"])
    assert client.error_codes(STATISTICS, bearer=token)[0] == "FORBIDDEN"


def test_instructor_sees_essays_that_wait(client: Client) -> None:
    token = seed_user_token(client, "instructor")
    waiting = client.execute(TO_GRADE, bearer=token)["me"]["teaching"]["attemptsToGrade"]["nodes"]
    assert len(waiting) >= 2
    assert "Jane Learner" in {attempt["user"]["fullName"] for attempt in waiting}
    for attempt in waiting:
        (essay,) = [question for question in attempt["questions"] if question["type"] == "ESSAY"]
        assert attempt["status"] == "GRADING"
        assert essay["answer"]["text"]


def test_statistics_are_plausible(client: Client) -> None:
    data = client.execute(STATISTICS, bearer=seed_user_token(client, "instructor"))
    quizzes = {quiz["title"]: quiz["statistics"] for quiz in data["course"]["quizzes"]}
    entry = quizzes["Where do you stand?"]
    assert entry["attemptCount"] > entry["learnerCount"] >= 12
    assert 0 < entry["passedLearnerCount"] < entry["learnerCount"]
    assert 40 < entry["meanScorePercent"] < 80
    assert 40 < entry["medianScorePercent"] < 80
    assert 200 < entry["meanDurationSeconds"] < 600
    by_prompt = {question["question"]["prompt"]: question for question in entry["questions"]}
    (easy,), (hard,), (misleading,) = (
        [question for prompt, question in by_prompt.items() if prompt.startswith(beginning)]
        for beginning in (EASY, HARD, MISLEADING)
    )
    assert easy["meanPointsPercent"] > 75
    assert hard["meanPointsPercent"] < 60
    others = [question["discrimination"] for question in by_prompt.values() if question is not misleading]
    assert misleading["discrimination"] < 0 < sum(others) / len(others)
    assert misleading["discrimination"] < min(others)
    assert sum(option["chosenCount"] for option in misleading["options"]) == misleading["answeredCount"]
    assert all(option["chosenCount"] for option in misleading["options"])
