"""Commands and GraphQL documents of README and API guide, run against a service that the README's commands start."""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli import NO_SETTINGS
from tests.documents.markdown import ROOT, Example, commands, curl_examples, graphql_examples
from tests.mariadb import free_port

pytestmark = pytest.mark.slow

README, API_GUIDE = ROOT / "README.md", ROOT / "docs" / "api-guide.md"
PASSWORD = "a password for examples"
START_SECONDS = 120
URL_IN_DOCUMENTS = "http://127.0.0.1:8000"
PROGRAM = ".venv/bin/lms-graphql"
SCRIPTS = {"scripts/serve", "python3 -m venv .venv", ".venv/bin/pip install ."}
"""Commands that set up the checkout itself. They are checked by starting from a fresh clone, not here."""
PAID_COURSES = "{ courses(filter: {isFree: false}) { nodes { id price { amount } viewerEnrollment { id } } } }"
OBJECT_IDS = {
    "course": "courseId",
    "section": "sectionId",
    "lecture": "lectureId",
    "question": "questionId",
    "answer": "answerId",
    "quiz": "quizId",
    "attempt": "attemptId",
    "transaction": "transactionId",
}
"""Payload fields whose id later examples use, by the name of the variable."""


@dataclass
class Demo:
    """A running service with demo data, and the ids of what the examples have created so far."""

    url: str
    values: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def send(self, document: str, variables: dict[str, Any], viewer: str | None = None) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._token(viewer)}"} if viewer else {}
        body = {"query": document, "variables": self._with_values(variables)}
        response: dict[str, Any] = httpx.post(f"{self.url}/graphql", json=body, headers=headers, timeout=30).json()
        return response

    def store_ids(self, data: dict[str, Any]) -> None:
        """Store ids for later examples: of what was created, and of parts of attempts, certificates and `me`."""
        if sessions := (data.get("me") or {}).get("sessions"):
            self.values["sessionId"] = next(session["id"] for session in sessions if not session["isCurrent"])
        for payload in data.values():
            for name, variable in OBJECT_IDS.items():
                if isinstance(payload, dict) and isinstance(payload.get(name), dict) and "id" in payload[name]:
                    self.values[variable] = payload[name]["id"]
            attempt = isinstance(payload, dict) and payload.get("attempt")
            if attempt and "questions" in attempt and "id" in attempt["questions"][0]:
                question = attempt["questions"][0]
                self.values["attemptQuestionId"] = question["id"]
                self.values["optionIds"] = [question["options"][0]["id"]]
            certificate = ((isinstance(payload, dict) and payload.get("enrollment")) or {}).get("certificate")
            if certificate and "verificationCode" in certificate:
                self.values["code"] = certificate["verificationCode"]

    def _token(self, viewer: str) -> str:
        if viewer not in self.tokens:
            document = "mutation Login($input: LoginInput!) { login(input: $input) { session { accessToken } } }"
            login = {"input": {"email": f"{viewer}@learnwithroko.com", "password": PASSWORD}}
            self.tokens[viewer] = self.send(document, login)["data"]["login"]["session"]["accessToken"]
        return self.tokens[viewer]

    def _with_values(self, variables: Any) -> Any:
        if isinstance(variables, dict):
            return {name: self.values.get(name, self._with_values(value)) for name, value in variables.items()}
        return variables


def run_command(folder: Path, environment: dict[str, str], *arguments: str) -> list[str]:
    assert arguments[0] == PROGRAM
    result = subprocess.run(
        [sys.executable, "-m", "lms_graphql", *arguments[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return list(arguments)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Start the service with the commands that the README lists."""
    folder, port = tmp_path_factory.mktemp("documents"), free_port()
    environment = {name: value for name, value in os.environ.items() if name not in NO_SETTINGS}
    environment |= {"PYTHONPATH": str(ROOT), "LMS_SEED_PASSWORD": PASSWORD}
    *setup_commands, serve = [shlex.split(line) for line in commands(README) if line.startswith(PROGRAM)]
    for command in setup_commands:
        run_command(folder, environment, *command)
    assert serve == [PROGRAM, "serve"]
    with (folder / "log").open("wb") as log:
        arguments = [sys.executable, "-m", "lms_graphql", "serve", "--port", str(port)]
        process = subprocess.Popen(arguments, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        demo = Demo(f"http://127.0.0.1:{port}", {"password": PASSWORD})
        _wait_until_ready(demo, process)
        yield demo
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_ready(demo: Demo, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(f"{demo.url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_documented_commands_are_run_or_listed() -> None:
    unknown = [
        command
        for path in (README, API_GUIDE)
        for command in commands(path)
        if not command.startswith(("curl ", f"{PROGRAM} ")) and command not in SCRIPTS
    ]
    assert unknown == []
    assert all(os.access(ROOT / name, os.X_OK) for name in SCRIPTS if name.startswith("scripts/"))


@pytest.mark.parametrize("example", [*curl_examples(README), *curl_examples(API_GUIDE)], ids=["README", "API guide"])
def test_curl_commands_return_documented_responses(demo: Demo, example: Example) -> None:
    arguments = shlex.split(example.source.replace("\\\n", " ").replace(URL_IN_DOCUMENTS, demo.url))
    result = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == example.expected


def test_graphql_examples_succeed_in_order(demo: Demo) -> None:
    """Run them in order: later examples use what earlier ones created."""
    examples = graphql_examples(API_GUIDE)
    assert len(examples) >= 15
    document = '{ categories { id } course(slug: "python-from-zero") { sections { lectures { id } } } }'
    data = demo.send(document, {})["data"]
    demo.values["categoryId"] = data["categories"][0]["id"]
    demo.values["lectureId"] = data["course"]["sections"][0]["lectures"][0]["id"]
    paid = demo.send(PAID_COURSES, {}, "learner")["data"]["courses"]["nodes"]
    course = next(course for course in paid if course["viewerEnrollment"] is None)
    demo.values["paidCourseId"], demo.values["price"] = course["id"], course["price"]["amount"]
    for example in examples:
        body = demo.send(example.source, example.variables, example.viewer)
        assert "errors" not in body, (example.name, body)
        assert all(value is not None for value in body["data"].values()), (example.name, body)
        payloads = [value for value in body["data"].values() if isinstance(value, dict)]
        assert any(payload.get("errors") for payload in payloads) == example.has_user_errors, (example.name, body)
        if example.expected is not None:
            assert body == example.expected
        demo.store_ids(body["data"])


@pytest.mark.parametrize("path", [README, API_GUIDE], ids=["README", "API guide"])
def test_every_graphql_block_is_marked_to_run(path: Path) -> None:
    text = path.read_text()
    assert text.count("```graphql") == text.count("-->\n```graphql")
