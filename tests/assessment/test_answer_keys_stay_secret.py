"""Answer keys and explanations carry canaries, which no learner finds before the review policy allows it.

Everyone who is no course staff sends all queries and mutations again after each step of a quiz: with their own ids,
with those of others, and with wrong inputs. The log is searched as well.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lms_graphql.catalog.models import LectureType
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import (
    ATTEMPT_FRAGMENT,
    QUESTION_FRAGMENT,
    QuizClient,
    choice,
    essay,
    short_answer,
    true_false,
)
from tests.assessment.test_attempts import moved_to
from tests.factories import global_id
from tests.live_service import Client, LogCapture, Service

CANARY = "Zanzibar"
"""Part of each secret text. No other text contains it."""
NODES = """query Nodes($ids: [ID!]!, $question: ID!) {
  nodes(ids: $ids) { __typename id ...question ...attempt }
  node(id: $question) { __typename id ...question }
}"""
QUIZ = """query Quiz($quiz: ID!) { node(id: $quiz) { ... on Quiz {
  id title description questionCount totalPoints viewerHasPassed viewerAttemptsLeft viewerTimeLimitSeconds
  keys: questions { ...question } viewerAttempts { ...attempt }
  attempts(first: 5) { edges { cursor } nodes { ...attempt } } accommodations { nodes { id note } }
  statistics { questions { question { ...question } options { option { isCorrect } chosenCount } } }
  gift: export(format: GIFT) aiken: export(format: AIKEN) xml: export(format: MOODLE_XML) json: export(format: JSON)
} } }"""
PATHS = """query Paths($attempt: ID!, $lecture: ID!, $slug: String!) {
  attempt: node(id: $attempt) { ... on QuizAttempt { quiz { id keys: questions { ...question } } } }
  lecture: node(id: $lecture) { ... on Lecture { content { body } lock { message } quiz { keys: questions { id } } } }
  course(slug: $slug) {
    quizzes { id keys: questions { ...question } } publishProblems { message }
    sections { lectures { quiz { id keys: questions { explanation } } } }
  }
  me { teaching { attemptsToGrade(first: 5) { nodes { ...attempt } } } }
}"""


class RecordingClient(Client):
    """Client that records the bodies of all responses."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.bodies: list[str] = []

    def post(self, body: Any, **options: Any) -> httpx.Response:
        response = super().post(body, **options)
        self.bodies.append(response.text)
        return response


class SecretQuiz:
    """A lecture quiz of all types of questions, and the people who try to find its answer keys."""

    def __init__(self, course: QuizCourse, client: RecordingClient, policy: str, **settings: Any) -> None:
        self._course = course
        self.client = client
        self.learner = QuizClient(self.client, course.learner.actor)
        self.outsiders = {
            "other learner": self._enrolled_learner(),
            "stranger": course.make.actor(course.make.user()),
            "colleague": course.make.actor(course.make.user(Role.INSTRUCTOR)),
            "anonymous": ANONYMOUS,
        }
        questions = (
            choice("yes", "also", explanation=f"{CANARY} choice"),
            true_false(True, explanation=f"{CANARY} statement"),
            short_answer("known", f"{CANARY} accepted", explanation=f"{CANARY} short"),
            essay(explanation=f"{CANARY} essay"),
        )
        values = {"maxAttempts": 2, "passingScore": 75, "reviewPolicy": policy, **settings}
        self.quiz = course.instructor.create_quiz(course.id, *questions, **values)
        lecture = course.make.lecture(
            course.tree.sections[0], order_index=9, lecture_type=LectureType.QUIZ, is_preview=True
        )
        update = "mutation M($input: UpdateLectureInput!) { updateLecture(input: $input) { errors { code } } }"
        self._lecture_id = global_id("Lecture", lecture)
        attached = {"lectureId": self._lecture_id, "quizId": self.quiz["id"]}
        course.client.execute(update, as_=course.instructor.actor, input=attached)
        self.ids = [*ids_in(self.quiz), course.id, self._lecture_id]
        self.attempt: Any = {}

    def _enrolled_learner(self) -> Actor:
        user = self._course.make.user()
        self._course.make.enrollment(user, self._course.tree)
        return self._course.make.actor(user)

    def start(self) -> None:
        self.attempt = self._course.learner.start(self.quiz["id"])
        self.ids += ids_in(self.attempt)

    def answer(self, *, is_right: bool) -> None:
        """Save an answer to each question."""
        learner, attempt = self._course.learner, self.attempt
        learner.select(attempt, 0, *(("yes", "also") if is_right else ("no",)))
        learner.save(attempt, 1, boolean=is_right)
        learner.save(attempt, 2, text="known" if is_right else "unknown")
        learner.save(attempt, 3, text="Because.")

    def submit(self) -> None:
        self.attempt = self._course.learner.submit(self.attempt)

    def grade(self, points: str) -> None:
        question_id = self.attempt["questions"][3]["id"]
        grade = {"attemptId": self.attempt["id"], "questionId": question_id, "points": points}
        self.attempt = self._course.instructor.ok("gradeAnswer", **grade)

    def finders(self) -> set[str]:
        """Return those people who find a canary by any query or mutation."""
        people = {"learner": self.learner.actor, **self.outsiders}
        return {name for name, actor in people.items() if self._finds_canary(name, actor)}

    def _finds_canary(self, name: str, actor: Actor) -> bool:
        self.client.bodies.clear()
        variables = {
            "ids": self.ids,
            "quiz": self.quiz["id"],
            "question": self.quiz["questions"][0]["id"],
            "attempt": self.attempt.get("id", ""),
            "lecture": self._lecture_id,
            "slug": self._course.tree.slug,
        }
        for document in (NODES, QUIZ, PATHS):
            body = self.client.graphql(with_fragments(document), as_=actor, **variables)
            assert "data" in body, body
        person = QuizClient(self.client, actor)
        for mutation, input in self._mutations():
            if name != "learner" or mutation not in {"startQuizAttempt", "submitQuizAttempt"}:
                person.graphql(mutation, **input)
        return any(CANARY in body for body in self.client.bodies)

    def _mutations(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield mutations of quizzes and attempts. None of them succeeds, except the start by the other learner."""
        quiz = {"quizId": self.quiz["id"]}
        yield "updateQuiz", quiz
        yield "setQuizPublished", {**quiz, "isPublished": True}
        yield "deleteQuiz", quiz
        yield "addQuestion", {**quiz, "question": true_false()}
        yield "reorderQuestions", {**quiz, "questionIds": []}
        yield "createQuiz", {"courseId": self._course.id, "title": ""}
        yield "setQuizAccommodation", {**quiz, "userId": global_id("User", self._course.learner_user)}
        for question in self.quiz["questions"]:
            yield "updateQuestion", {"questionId": question["id"], "question": true_false()}
            yield "deleteQuestion", {"questionId": question["id"]}
            yield "regradeQuestion", {"questionId": question["id"]}
        yield "importQuestions", {**quiz, "format": "GIFT", "text": "Is it? {TRUE}", "dryRun": False}
        yield "startQuizAttempt", quiz
        if self.attempt:
            yield from self._attempt_mutations({"attemptId": self.attempt["id"]})

    def _attempt_mutations(self, attempt: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "submitQuizAttempt", attempt
        staff_options = [option["id"] for option in self.quiz["questions"][0]["options"]]
        yield "saveAnswer", {**attempt, "questionId": self.quiz["questions"][0]["id"], "answer": None}
        wrong_answers = ({"optionIds": staff_options}, {"text": "true"}, {"boolean": True}, {"text": "x" * 60_000})
        for question, answer in zip(self.attempt["questions"], wrong_answers, strict=True):
            ids = {**attempt, "questionId": question["id"]}
            yield "gradeAnswer", {**ids, "points": "1000"}
            yield "saveAnswer", ids
            yield "saveAnswer", {**ids, "answer": answer}


def with_fragments(document: str) -> str:
    fragments = {"...question": QUESTION_FRAGMENT, "...attempt": ATTEMPT_FRAGMENT}
    return document + "".join(text for spread, text in fragments.items() if spread in document)


def ids_in(value: Any) -> list[str]:
    """Return all ids inside a value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value["id"]] if isinstance(value, dict) and "id" in value else []
    return own + [id for item in inner for id in ids_in(item)]


@pytest.fixture
def recorder(service: Service) -> Iterator[RecordingClient]:
    client = RecordingClient(service)
    yield client
    client.close()


STEPS = ("written", "started", "submitted", "graded", "started again", "submitted again", "passed")
NEVER = len(STEPS)


@pytest.mark.slow
@pytest.mark.sqlite_only  # the same rules decide on every database
@pytest.mark.parametrize(
    ("policy", "first_step"),
    [
        ("NEVER", NEVER),
        ("AFTER_SUBMIT", STEPS.index("submitted")),
        ("AFTER_LAST_ATTEMPT", STEPS.index("submitted again")),
        ("AFTER_PASS", STEPS.index("passed")),
    ],
)
def test_answer_key_is_secret_until_the_policy_allows_review(
    course: QuizCourse, recorder: RecordingClient, captured_log: LogCapture, policy: str, first_step: int
) -> None:
    quiz = SecretQuiz(course, recorder, policy)
    for index, step in enumerate(STEPS):
        if step.startswith("started"):
            quiz.start()
            quiz.answer(is_right=step == "started again")
        elif step.startswith("submitted"):
            quiz.submit()
        elif step in {"graded", "passed"}:
            quiz.grade("0" if step == "graded" else "1")
        assert quiz.finders() == ({"learner"} if index >= first_step else set()), step
        if quiz.attempt:
            read = course.learner.attempt(quiz.attempt["id"])
            has_results = any(question["result"] for question in read["questions"])
            assert has_results == (index >= first_step and not step.startswith("started")), step
    assert quiz.attempt["passed"] is True
    assert CANARY in json.dumps(course.instructor.attempt(quiz.attempt["id"]))
    assert CANARY not in captured_log.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "finders"), [("NEVER", set()), ("AFTER_SUBMIT", {"learner", "other learner"}), ("AFTER_PASS", set())]
)
def test_answer_key_follows_the_policy_when_time_is_up(
    course: QuizCourse, recorder: RecordingClient, policy: str, finders: set[str]
) -> None:
    """The other learner has started an attempt, too."""
    quiz = SecretQuiz(course, recorder, policy, timeLimitSeconds=60)
    quiz.start()
    quiz.answer(is_right=False)
    assert quiz.finders() == set()
    with moved_to(quiz.attempt["deadlineAt"], minutes=10):
        assert quiz.finders() == finders


def test_log_has_no_answer_key_of_invalid_requests(course: QuizCourse, captured_log: LogCapture) -> None:
    content = true_false(explanation=CANARY, points="1.234")
    course.instructor.payload("addQuestion", quizId="wrong", question=content)
    course.instructor.graphql("addQuestion", quizId="wrong", question={"trueFalse": {"explanation": CANARY}})
    document = f'mutation {{ addQuestion(input: {{question: {{essay: {{explanation: "{CANARY}"}}}}}}) {{ wrong }} }}'
    assert course.client.error_codes(document, as_=course.instructor.actor)
    quiz = course.instructor.create_quiz(course.id, true_false(explanation=CANARY))
    for text in (f"Which? {{={CANARY}", f"Which? {{={CANARY} ~no}}"):
        course.instructor.payload("importQuestions", quizId=quiz["id"], format="GIFT", text=text)
    course.client.error_codes(document[:-5], as_=course.instructor.actor)
    assert CANARY not in captured_log.text
