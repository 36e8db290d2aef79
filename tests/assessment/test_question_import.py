"""Import and export of questions through HTTP: who may do it, limits, dry runs, and what is written."""

import json
from typing import Any

import httpx
import pytest

from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import QUESTION_FRAGMENT, QuizClient, choice, essay, short_answer, true_false
from tests.concurrency import code_counts, race_clients, race_rounds
from tests.live_service import ACTOR_HEADER, Client, StatementRecorder

EXPORT = "query Q($id: ID!, $format: QuestionFormat!) { node(id: $id) { ... on Quiz { export(format: $format) } } }"
MIXED = "A {T}\n\nB {#5}\n\n// [points:2] [tag:x]\nC {=c}"


class ImportClient(QuizClient):
    def import_file(self, quiz_id: str, text: str, file_format: str = "GIFT", **input: Any) -> Any:
        return self.payload("importQuestions", quizId=quiz_id, format=file_format, text=text, **input)

    def import_error(self, quiz_id: str, text: str, file_format: str = "GIFT", **input: Any) -> tuple[str, str]:
        """Return code and input field of the only error. Nothing else may be in the payload."""
        payload = self.import_file(quiz_id, text, file_format, **input)
        (error,) = payload["errors"]
        assert (payload["quiz"], payload["importedCount"], payload["problems"]) == (None, 0, [])
        return error["code"], error["path"][1]

    def post(self, **options: Any) -> httpx.Response:
        return self._client.post(None, **options)

    def export(self, quiz_id: str, file_format: str) -> Any:
        return self._client.execute(EXPORT, as_=self.actor, id=quiz_id, format=file_format)["node"]["export"]


@pytest.fixture
def author(course: QuizCourse, client: Client) -> ImportClient:
    return ImportClient(client, course.instructor.actor)


@pytest.fixture
def quiz_id(course: QuizCourse, author: ImportClient) -> str:
    """Return the id of a published quiz with one question."""
    quiz_id: str = author.create_quiz(course.id, true_false())["id"]
    return quiz_id


def test_import_adds_questions_in_order_and_reports_the_rest(author: ImportClient, quiz_id: str) -> None:
    payload = author.import_file(quiz_id, MIXED)
    assert payload["errors"] == []
    assert payload["importedCount"] == 2
    problems = [(problem["line"], problem["severity"]) for problem in payload["problems"]]
    assert problems == [(3, "SKIPPED"), (6, "NOTE")]
    quiz = payload["quiz"]
    assert [question["prompt"] for question in quiz["questions"]] == ["Is it so?", "A", "C"]
    assert [question["position"] for question in quiz["questions"]] == [0, 1, 2]
    assert (quiz["questionCount"], quiz["totalPoints"]) == (3, "4.00")


def test_dry_run_reports_the_same_and_writes_nothing(author: ImportClient, quiz_id: str) -> None:
    dry = author.import_file(quiz_id, MIXED, dryRun=True)
    assert dry["quiz"]["questionCount"] == 1
    payload = author.import_file(quiz_id, MIXED)
    assert (dry["importedCount"], dry["problems"]) == (payload["importedCount"], payload["problems"])


def test_imported_questions_can_be_taken(course: QuizCourse, author: ImportClient) -> None:
    quiz_id = author.ok("createQuiz", courseId=course.id, title="Quiz")["id"]
    author.import_file(quiz_id, "A {=yes ~no}\n\nB {=four =4}")
    author.ok("setQuizPublished", quizId=quiz_id, isPublished=True)
    attempt = course.learner.start(quiz_id)
    course.learner.select(attempt, 0, "yes")
    course.learner.save(attempt, 1, text="4")
    assert course.learner.submit(attempt)["scorePercent"] == 100


@pytest.mark.parametrize("file_format", ["GIFT", "MOODLE_XML", "JSON"])
def test_export_is_imported_without_loss(course: QuizCourse, author: ImportClient, file_format: str) -> None:
    quiz = author.create_quiz(
        course.id,
        choice("a", "b", points="2.5", partialCredit="RIGHT_ONLY", explanation="{=}\n<b>"),
        true_false(answer=False),
        short_answer("*", "a->b"),
        essay(prompt=" \r\n~#:\\x"),
    )
    copy = author.ok("createQuiz", courseId=course.id, title="Copy")
    payload = author.import_file(copy["id"], author.export(quiz["id"], file_format), file_format)
    assert (payload["errors"], payload["problems"]) == ([], [])
    ids = ("id", "options")
    copied, originals = (
        [{name: value for name, value in question.items() if name not in ids} for question in questions]
        for questions in (payload["quiz"]["questions"], quiz["questions"])
    )
    assert copied == originals


def test_aiken_export_has_only_single_choices(course: QuizCourse, author: ImportClient) -> None:
    quiz = author.create_quiz(course.id, choice("a"), essay())
    text = author.export(quiz["id"], "AIKEN")
    assert text.startswith("Which?\nA. a\nB. no\nANSWER: A\n\n// Question 2 is left out")


def test_only_course_editors_import(course: QuizCourse, client: Client, quiz_id: str) -> None:
    stranger = ImportClient(client, course.make.actor(course.make.course().instructor))
    learner = ImportClient(client, course.learner.actor)
    file = {"quizId": quiz_id, "format": "GIFT", "text": "x {T}"}
    assert learner.error_codes("importQuestions", **file) == ["FORBIDDEN"]
    assert stranger.import_error(quiz_id, "x {T}") == ("NOT_FOUND", "quizId")
    assert stranger.import_error("nonsense", "x" * 600_000) == ("NOT_FOUND", "quizId")


def test_learner_cannot_export(course: QuizCourse, client: Client, quiz_id: str) -> None:
    body = client.graphql(EXPORT, as_=course.learner.actor, id=quiz_id, format="JSON")
    assert body["data"]["node"] == {"export": None}
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("text", "file_format", "expected"),
    [
        pytest.param("é" * 250_000 + "x", "GIFT", ("TOO_LONG", "text"), id="too-long"),
        pytest.param(" \n", "GIFT", ("REQUIRED", "text"), id="blank"),
        pytest.param("<!DOCTYPE quiz><quiz/>", "MOODLE_XML", ("INVALID", "text"), id="doctype"),
        pytest.param("<quiz>", "MOODLE_XML", ("INVALID", "text"), id="not-well-formed"),
        pytest.param("[", "JSON", ("INVALID", "text"), id="not-json"),
        pytest.param("x {T}\n\n" * 200, "GIFT", ("LIMIT_REACHED", "quizId"), id="limit"),
    ],
)
def test_unusable_file_is_refused(
    author: ImportClient, quiz_id: str, text: str, file_format: str, expected: tuple[str, str]
) -> None:
    assert author.import_error(quiz_id, text, file_format, dryRun=True) == expected
    assert author.import_error(quiz_id, text, file_format) == expected


@pytest.mark.parametrize("character", ["é", "\n", '"'])
def test_file_of_half_a_megabyte_is_read(author: ImportClient, quiz_id: str, character: str) -> None:
    """Many clients escape all characters beyond ASCII, so that one of two bytes takes six."""
    text = "[" + character * (499_990 // len(character.encode())) + "{T}"
    input = {"quizId": quiz_id, "format": "GIFT", "text": text, "dryRun": True}
    body = json.dumps({"query": author.document("importQuestions"), "variables": {"input": input}})
    assert len(body) > 990_000
    headers = {"content-type": "application/json", ACTOR_HEADER: f"{author.actor.key}:{author.actor.role}"}
    response = author.post(content=body, headers=headers)
    payload = response.json()["data"]["importQuestions"]
    assert payload["errors"] == []
    assert payload["importedCount"] + len(payload["problems"]) > 0


@pytest.mark.query_budget
def test_import_of_199_questions_takes_few_statements(
    author: ImportClient, quiz_id: str, statements: StatementRecorder
) -> None:
    counts = []
    for number in (1, 198):
        with statements:
            assert author.import_file(quiz_id, "x {=a ~b}\n\n" * number)["importedCount"] == number
        counts.append(statements.count)
    assert counts[0] <= 14, statements.texts
    assert counts[1] <= counts[0] + 2, "drivers may divide a long INSERT"


@pytest.mark.slow
def test_concurrent_imports_stay_below_the_limit(course: QuizCourse, author: ImportClient) -> None:
    text = "x {T}\n\n" * 120
    with race_clients([course.service.url], 2) as clients:
        for _ in range(race_rounds(3)):
            quiz_id = author.ok("createQuiz", courseId=course.id, title="Quiz")["id"]
            request = author.race_request("importQuestions", quizId=quiz_id, format="GIFT", text=text)
            assert code_counts(clients.race(request, request)) == {None: 1, "LIMIT_REACHED": 1}
            document = "query Q($id: ID!) { node(id: $id) { ... on Quiz { questions { ...question } } } }"
            node = course.client.execute(document + QUESTION_FRAGMENT, as_=author.actor, id=quiz_id)["node"]
            assert [question["position"] for question in node["questions"]] == list(range(120))
            author.ok("deleteQuiz", quizId=quiz_id)
