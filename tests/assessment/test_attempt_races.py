"""Races of attempts on two processes of the service, started at a barrier.

These races can be lost, as was tried without the lock of the enrollment in `start_quiz_attempt`: starts fail on the
unique key instead of returning the open attempt. Without the lock of the attempt, an answer is saved after the
submission has read it.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from sqlalchemy import delete, func, select, update

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.assessment.models import (
    AttemptQuestion,
    AttemptStatus,
    Question,
    QuestionRegrade,
    QuestionType,
    Quiz,
    QuizAttempt,
)
from lms_graphql.assessment.reads.attempt_rows import AttemptQuestionRow, attempt_question_rows
from lms_graphql.assessment.reads.questions import QUESTION_KINDS
from lms_graphql.assessment.scoring import earned_points, total_earned
from lms_graphql.assessment.services import questions, quizzes
from lms_graphql.catalog.models import Enrollment, EnrollmentStatus
from lms_graphql.certificates.models import Certificate
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.learning.models import CourseProgress, LectureProgress
from tests.assessment.quiz_client import QuizClient
from tests.concurrency import RaceClients, RaceRequest, code_counts, race_clients, race_rounds
from tests.factories import CourseTree, Factories, global_id
from tests.processes import Cluster

pytestmark = pytest.mark.slow

CLIENTS = 10
ROUNDS = race_rounds(12)


class QuizRace(NamedTuple):
    """A published quiz of two true/false questions and an essay, with its instructor and an enrolled learner."""

    cluster: Cluster
    clients: RaceClients
    make: Factories
    tree: CourseTree
    learner: User
    quiz_key: int

    def request(self, user: User, mutation: str, **input: Any) -> RaceRequest:
        document = QuizClient.document(mutation)
        return RaceRequest(document, {"input": input}, self.cluster.access_token(user))

    def start(self) -> Any:
        """Start an attempt of the learner, and return it."""
        return self.clients.execute(self.start_request()).payload["attempt"]

    def start_request(self) -> RaceRequest:
        return self.request(self.learner, "startQuizAttempt", quizId=global_ids.encode("Quiz", self.quiz_key))

    def save_request(self, attempt: Any, index: int, **answer: Any) -> RaceRequest:
        question_id = attempt["questions"][index]["id"]
        ids = {"attemptId": attempt["id"], "questionId": question_id}
        return self.request(self.learner, "saveAnswer", **ids, answer=answer)

    def submit_request(self, attempt: Any) -> RaceRequest:
        return self.request(self.learner, "submitQuizAttempt", attemptId=attempt["id"])

    def question_id(self, kind: QuestionType) -> str:
        """Return the id of the first question of this type."""
        statement = select(func.min(Question.id)).where(Question.question_type == kind)
        return global_ids.encode(QUESTION_KINDS[kind], self.scalar(statement))

    def scalar(self, statement: Any) -> Any:
        return self.cluster.database.read_sync(lambda session: session.scalar(statement))

    def set_quiz(self, **values: Any) -> None:
        self.execute(update(Quiz).where(Quiz.id == self.quiz_key).values(values))

    def execute(self, *statements: Any) -> None:
        with self.cluster.database.engine.begin() as connection:
            for statement in statements:
                connection.execute(statement)

    def reset(self) -> None:
        models = (QuestionRegrade, AttemptQuestion, QuizAttempt, LectureProgress, CourseProgress)
        self.execute(*(delete(model) for model in models))

    def attempts(self) -> list[QuizAttempt]:
        statement = select(QuizAttempt).order_by(QuizAttempt.attempt_number)
        return self.cluster.database.read_sync(lambda session: list(session.scalars(statement)))

    def stored_and_expected_points(self) -> tuple[Any, Any]:
        """Return the stored sum of points of the only attempt, and the sum that its stored answers earn."""
        (attempt,) = self.attempts()
        points = (earned_points(row.scored_by, row.answer) for row in self.questions(attempt))
        return attempt.earned_points, total_earned(points)

    def questions(self, attempt: QuizAttempt) -> list[AttemptQuestionRow]:
        rows = self.cluster.database.read_sync(lambda session: attempt_question_rows(session, [attempt.id]))
        return rows[attempt.id]


@pytest.fixture
def race(two_processes: Cluster) -> Iterator[QuizRace]:
    make = Factories(two_processes.database)
    tree, learner = make.course(lectures=1), make.user()
    make.enrollment(learner, tree)
    actor, course_id = make.actor(tree.instructor), global_id("Course", tree.row)
    key = two_processes.database.write_sync(lambda session: _create_quiz(session, actor, course_id))
    with race_clients(two_processes.urls, CLIENTS) as clients:
        yield QuizRace(two_processes, clients, make, tree, learner, key)


def _create_quiz(session: Any, actor: Actor, course_id: str) -> int:
    key = quizzes.create_quiz(session, actor, course_id, {"title": "Race", "passing_score": 50})
    quiz_id = global_ids.encode("Quiz", key)
    session.commit()
    content: dict[str, Any] = {"prompt": "?", "points": Decimal(1), "explanation": None, "correct_answer": True}
    for kind in (QuestionType.TRUE_FALSE, QuestionType.TRUE_FALSE, QuestionType.ESSAY):
        questions.add_question(session, actor, quiz_id, kind, content, None)
        session.commit()
    quizzes.set_quiz_published(session, actor, quiz_id, True)
    return key


@pytest.mark.parametrize("max_attempts", [1, 3])
def test_concurrent_starts_never_exceed_the_limit(race: QuizRace, max_attempts: int) -> None:
    race.set_quiz(max_attempts=max_attempts)
    for _ in range(ROUNDS):
        race.reset()
        for number in range(1, max_attempts + 1):
            responses = race.clients.race(*[race.start_request()] * CLIENTS)
            assert {response.code for response in responses} == {None}
            attempt = responses[0].payload["attempt"]
            assert {response.payload["attempt"]["id"] for response in responses} == {attempt["id"]}
            assert attempt["number"] == number
            assert race.clients.execute(race.submit_request(attempt)).code is None
        responses = race.clients.race(*[race.start_request()] * CLIENTS)
        assert code_counts(responses) == {"NO_ATTEMPTS_LEFT": CLIENTS}
        assert [attempt.attempt_number for attempt in race.attempts()] == list(range(1, max_attempts + 1))


def test_starts_and_submissions_leave_no_gap_and_one_open_attempt(race: QuizRace) -> None:
    race.set_quiz(max_attempts=None)
    attempt = race.start()
    for _ in range(ROUNDS):
        requests = [race.start_request(), race.submit_request(attempt)] * (CLIENTS // 2)
        assert {response.code for response in race.clients.race(*requests)} == {None}
        attempt = race.start()
    attempts = [(attempt.attempt_number, attempt.status) for attempt in race.attempts()]
    graded = [(number, AttemptStatus.GRADED) for number in range(1, ROUNDS + 1)]
    assert attempts == [*graded, (ROUNDS + 1, AttemptStatus.IN_PROGRESS)]


def test_start_during_the_submission_gives_no_further_attempt(race: QuizRace) -> None:
    race.set_quiz(max_attempts=1)
    for _ in range(ROUNDS):
        race.reset()
        attempt = race.start()
        requests = [race.start_request(), race.submit_request(attempt)] * 2
        responses = race.clients.race(*requests)
        assert {response.code for response in responses[::2]} <= {None, "NO_ATTEMPTS_LEFT"}
        assert {response.code for response in responses[1::2]} == {None}
        assert race.clients.execute(race.start_request()).code == "NO_ATTEMPTS_LEFT"
        assert [attempt.attempt_number for attempt in race.attempts()] == [1]


def test_concurrent_submissions_complete_the_course_once(race: QuizRace) -> None:
    race.set_quiz(max_attempts=None)
    lecture = {"lectureId": global_id("Lecture", race.tree.lectures[0]), "isCompleted": True}
    document = (
        "mutation M($input: SetLectureCompletedInput!) { setLectureCompleted(input: $input) { errors { code } } }"
    )
    completion = RaceRequest(document, {"input": lecture}, race.cluster.access_token(race.learner))
    enrollment = update(Enrollment).values(status=EnrollmentStatus.ACTIVE, completed_at=None)
    issued = select(func.count(AuditEvent.id)).where(AuditEvent.action == "certificate.issued")
    for number in range(1, ROUNDS + 1):
        race.reset()
        race.execute(delete(Certificate), enrollment)
        attempt = race.start()
        for request in (completion, *(race.save_request(attempt, index, boolean=True) for index in range(2))):
            assert race.clients.execute(request).code is None
        responses = race.clients.race(*[race.submit_request(attempt)] * 8)
        assert all(response.payload == responses[0].payload for response in responses)
        assert responses[0].payload["attempt"]["passed"] is True
        assert race.scalar(select(CourseProgress.passed_quizzes)) == 1
        assert race.scalar(select(Enrollment.status)) is EnrollmentStatus.COMPLETED
        assert (race.scalar(select(func.count(Certificate.id))), race.scalar(issued)) == (1, number)


def test_concurrent_answers_and_submissions_leave_one_result(race: QuizRace) -> None:
    race.set_quiz(max_attempts=None)
    for number in range(ROUNDS):
        race.reset()
        attempt = race.start()
        saves = [race.save_request(attempt, index % 2, boolean=index % 3 > 0) for index in range(CLIENTS // 2)]
        responses = race.clients.race(*saves, *[race.submit_request(attempt)] * (CLIENTS // 2))
        assert {response.code for response in responses[: CLIENTS // 2]} <= {None, "ATTEMPT_CLOSED"}
        submitted = [response.payload["attempt"] for response in responses[CLIENTS // 2 :]]
        assert all(result == submitted[0] for result in submitted), number
        stored, expected = race.stored_and_expected_points()
        assert stored == expected
        assert submitted[0]["earnedPoints"] == str(stored)


def test_deadline_save_and_submission_agree(race: QuizRace) -> None:
    race.set_quiz(max_attempts=None, time_limit=60)
    for _ in range(ROUNDS):
        race.reset()
        attempt = race.start()
        race.execute(update(QuizAttempt).values(deadline_at=clock.now(), closes_at=clock.now()))
        save = race.save_request(attempt, 0, boolean=True)
        responses = race.clients.race(*[save] * 4, *[race.submit_request(attempt)] * 3, *[race.start_request()] * 3)
        assert {response.code for response in responses[:4]} <= {None, "ATTEMPT_CLOSED"}
        assert {response.code for response in responses[4:]} == {None}
        first = race.attempts()[0]
        assert (first.status, first.submitted_at) == (AttemptStatus.GRADED, first.deadline_at)


def test_two_graders_leave_one_grade(race: QuizRace) -> None:
    race.set_quiz(max_attempts=None)
    for _ in range(ROUNDS):
        race.reset()
        attempt = race.start()
        race.clients.execute(race.save_request(attempt, 2, text="Because."))
        race.clients.execute(race.submit_request(attempt))
        ids = {"attemptId": attempt["id"], "questionId": attempt["questions"][2]["id"]}
        grades = [race.request(race.tree.instructor, "gradeAnswer", **ids, points=points) for points in ("0", "1")]
        responses = race.clients.race(*grades * (CLIENTS // 2))
        assert {response.code for response in responses} == {None}
        (graded,) = race.attempts()
        assert graded.earned_points == total_earned(row.earned_points for row in race.questions(graded))
        assert graded.status is AttemptStatus.GRADED


def test_regrade_and_submission_agree(race: QuizRace) -> None:
    race.set_quiz(max_attempts=None)
    question_id = race.question_id(QuestionType.TRUE_FALSE)
    for number in range(ROUNDS):
        race.reset()
        attempt = race.start()
        is_true = number % 2 == 0
        race.clients.execute(race.save_request(attempt, 0, boolean=is_true))
        content = {"trueFalse": {"prompt": "?", "correctAnswer": is_true}}
        change = race.request(race.tree.instructor, "updateQuestion", questionId=question_id, question=content)
        assert race.clients.execute(change).code is None
        regrade = race.request(race.tree.instructor, "regradeQuestion", questionId=question_id, policy="NEW_KEY")
        responses = race.clients.race(race.submit_request(attempt), regrade, race.submit_request(attempt))
        assert {response.code for response in responses} == {None}
        assert race.stored_and_expected_points() == (1, 1)


def test_grade_and_regrade_agree(race: QuizRace) -> None:
    """The points of the essay are lowered while it is graded by its previous points."""
    race.set_quiz(max_attempts=None)
    ids = {"questionId": race.question_id(QuestionType.ESSAY)}
    regrade = race.request(race.tree.instructor, "regradeQuestion", **ids, policy="NEW_KEY")
    changes = [
        race.request(
            race.tree.instructor, "updateQuestion", **ids, question={"essay": {"prompt": "?", "points": points}}
        )
        for points in ("2", "1")
    ]
    for _ in range(ROUNDS):
        race.reset()
        assert race.clients.execute(changes[0]).code is None
        attempt = race.start()
        essay = {"attemptId": attempt["id"], "questionId": attempt["questions"][2]["id"]}
        for request in (race.save_request(attempt, 2, text="Because."), race.submit_request(attempt), changes[1]):
            assert race.clients.execute(request).code is None
        grades = [race.request(race.tree.instructor, "gradeAnswer", **essay, points="2")] * 3
        responses = race.clients.race(*grades, regrade, *grades)
        assert responses[3].code is None
        del responses[3]
        assert {response.code for response in responses} <= {None, "OUT_OF_RANGE"}
        (graded,) = race.attempts()
        rows = race.questions(graded)
        assert all((row.earned_points or 0) <= row.scored_by.points for row in rows)
        assert graded.earned_points == total_earned(row.earned_points for row in rows)
