"""Examples of GraphiQL, run in their order on the demo data by the seed users that they name."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.demo_service import run_demo_service, seed_user_token
from tests.live_service import Client

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parent.parent.parent / "frontend" / "graphiql" / "src" / "examples.js"
ANSWERS: dict[str, dict[str, Any]] = {
    "TRUE_FALSE": {"boolean": False},
    "SHORT_ANSWER": {"text": "Break"},
    "ESSAY": {"text": "Without a list."},
}


def all_examples() -> list[dict[str, Any]]:
    program = f"import('{SOURCE}').then(all => console.log(JSON.stringify(all.EXAMPLES)))"
    printed = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True)
    examples: list[dict[str, Any]] = json.loads(printed.stdout)
    return examples


class Pane:
    """The pane of examples. `ids` replace the empty ids in variables, as users paste them from earlier answers."""

    def __init__(self, client: Client) -> None:
        self.ids: dict[str, str] = {}
        self._client = client
        self._examples = {example["title"]: example for example in all_examples()}
        self._tokens: dict[str, str] = {}
        self.titles = set(self._examples)

    def run(self, title: str, **values: Any) -> Any:
        """Run an example and return its data. Errors fail the test, in a payload too."""
        data = self.send(title, **values)
        payloads = [value for value in data.values() if isinstance(value, dict) and "errors" in value]
        assert all(payload["errors"] == [] for payload in payloads), (title, payloads)
        return data

    def send(self, title: str, **values: Any) -> Any:
        """Run an example and return its data. A payload may have errors."""
        example = self._examples[title]
        self.titles.discard(title)
        variables = {**(example.get("variables") or {}), **values}
        variables = {name: self.ids[name] if value == "" else value for name, value in variables.items()}
        return self._client.execute(example["query"], bearer=self._token(example.get("viewer")), **variables)

    def log_in_again(self, viewer: str) -> None:
        """Start another session of a seed user, as on another device."""
        seed_user_token(self._client, viewer)

    def course(self, slug: str) -> str:
        """Return the id of a course."""
        id: str = self._client.execute(f'{{ course(slug: "{slug}") {{ id }} }}')["course"]["id"]
        return id

    def _token(self, viewer: str | None) -> str | None:
        if viewer is not None and viewer not in self._tokens:
            self._tokens[viewer] = seed_user_token(self._client, viewer)
        return self._tokens[viewer] if viewer else None


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[Pane]:
    with run_demo_service(tmp_path, learners=5) as service, closing(Client(service)) as client:
        yield Pane(client)


def answer_to(question: dict[str, Any]) -> dict[str, Any]:
    right = [option["id"] for option in question["options"] if option["text"] in {"for", "while"}]
    return ANSWERS.get(question["type"], {"optionIds": right})


def run_money_examples(pane: Pane) -> None:
    """Buy a course, refund it, confirm a transfer, refund a part of it, and pay the instructors."""
    course = pane.course("web-development-with-django")
    (changed,) = pane.send("Buy a course: a price that has changed", courseId=course)["purchaseCourse"]["errors"]
    assert changed["code"] == "PRICE_CHANGED"
    assert "49.99" in changed["message"]
    started = pane.run("Buy a course: start", courseId=course)["purchaseCourse"]
    pane.ids["transactionId"] = started["transaction"]["id"]
    assert httpx.post(started["checkoutUrl"], data={"outcome": "pay"}).status_code == 303
    paid = pane.run("Buy a course: after the payment")["transaction"]
    assert (paid["status"], paid["course"]["viewerEnrollment"]["status"]) == ("COMPLETED", "ACTIVE")
    pending = pane.run("Earnings and balances")["me"]["teaching"]["balances"][0]["pending"]
    assert pending["amount"] == "37.49", "75 % of 49.99"
    refunded = pane.run("Refund a purchase")["refundTransaction"]["transaction"]
    assert (refunded["status"], refunded["course"]["viewerEnrollment"]["status"]) == ("REFUNDED", "REFUNDED")
    (waiting,) = pane.run("Bank transfers: what waits")["transactions"]["nodes"]
    pane.ids["transferId"] = waiting["id"]
    assert pane.run("Bank transfers: confirm one")["confirmBankTransfer"]["transaction"]["receiptUrl"]
    part = pane.run("Refund a part")["refundTransaction"]["transaction"]
    assert (part["status"], part["netAmount"]["amount"]) == ("PARTIALLY_REFUNDED", "84.99")
    payouts = pane.run("Payouts: run")["runPayouts"]["payouts"]
    pane.ids["payoutId"] = payouts[0]["id"]
    settled = pane.run("Payouts: settle one")["settlePayout"]["payout"]
    assert settled["status"] == "PAID"
    assert settled["statementUrl"]


def run_account_examples(pane: Pane) -> None:
    """Change the profile, and end the session of another device."""
    profile = pane.run("My profile: change it")["updateProfile"]["user"]
    assert (profile["username"], profile["bio"]) == ("jane.learner", "I learn in the evening.")
    pane.log_in_again("learner")
    other, *_ = sessions = pane.run("My sessions")["me"]["sessions"]
    assert (other["isCurrent"], sum(session["isCurrent"] for session in sessions)) == (False, 1)
    pane.ids["sessionId"] = other["id"]
    assert pane.run("My sessions: end one")["endSession"]["ok"]
    assert pane.run("My sessions")["me"]["sessions"] == sessions[1:]


def run_admin_examples(pane: Pane) -> None:
    """Give an unpublished course of another instructor to the first instructor who may teach, and look it up."""
    courses = pane.run("Give a course away: drafts and archived courses")["courses"]["nodes"]
    assert {course["status"] for course in courses} <= {"DRAFT", "ARCHIVED"}
    first, *_ = pane.run("Give a course away: who may teach")["users"]["nodes"]
    course = next(course for course in courses if course["instructor"]["fullName"] != first["fullName"])
    ids = {"courseId": course["id"], "instructorId": first["id"]}
    given = pane.run("Give a course away: transfer it", **ids)["transferCourse"]["course"]
    assert (given["title"], given["instructor"]) == (course["title"], {"fullName": first["fullName"]})
    (event,) = pane.run("The audit log")["auditEvents"]["nodes"]
    assert (event["subjectId"], event["actor"]) == (course["id"], {"fullName": "Ada Admin"})
    assert {"name": "instructor", "value": first["id"]} in event["details"]


def test_examples_run_on_the_demo_data(pane: Pane) -> None:
    """Write a quiz, take it, grade it, and look at its statistics. Buy, refund and pay. Then run the others."""
    pane.ids["courseId"] = pane.run("Anything by its id")["course"]["id"]
    pane.ids["quizId"] = pane.run("Write a quiz: create it")["createQuiz"]["quiz"]["id"]
    published = pane.run("Write a quiz: questions")["setQuizPublished"]["quiz"]
    assert (published["isPublished"], published["questionCount"], published["totalPoints"]) == (True, 4, "8.00")
    attempt = pane.run("Take a quiz: start")["startQuizAttempt"]["attempt"]
    pane.ids["attemptId"] = attempt["id"]
    for question in attempt["questions"]:
        pane.run("Take a quiz: save an answer", questionId=question["id"], answer=answer_to(question))
    submitted = pane.run("Take a quiz: submit and review")["submitQuizAttempt"]["attempt"]
    assert (submitted["status"], submitted["earnedPoints"]) == ("GRADING", "4.00")
    waiting = pane.run("Grade essays: what waits")["me"]["teaching"]["attemptsToGrade"]["nodes"]
    assert len(waiting) >= 2, "the new attempt, and one of the demo data"
    assert waiting[-1]["id"] == attempt["id"]
    essay = next(question for question in waiting[-1]["questions"] if question["type"] == "ESSAY")
    graded = pane.run("Grade essays: grade one", questionId=essay["id"])["gradeAnswer"]["attempt"]
    assert (graded["status"], graded["earnedPoints"], graded["passed"]) == ("GRADED", "7.00", True)
    statistics = pane.run("Statistics of quizzes")["quiz"]["statistics"]
    assert [question["meanPointsPercent"] for question in statistics["questions"]] == [100, 100, 100, 75]
    results = pane.run("My quizzes and results")["course"]["quizzes"]
    (mine,) = [quiz for quiz in results if quiz["id"] == pane.ids["quizId"]]
    assert any((question["result"] or {}).get("feedback") for question in mine["viewerAttempts"][0]["questions"])
    run_money_examples(pane)
    run_account_examples(pane)
    run_admin_examples(pane)
    others = sorted(pane.titles)
    assert len(others) >= 4
    for title in others:
        pane.run(title)
