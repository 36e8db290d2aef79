"""Idempotency keys of all mutations that create an object. `tests/core/test_idempotency.py` has the rules of keys.

In the race, without the key's row each of ten equal requests creates a lecture and a note.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import pytest
from sqlalchemy import func, select

from lms_graphql.assessment.models import Question, Quiz
from lms_graphql.catalog.models import Category, Course, Lecture, Section
from lms_graphql.core.actor import Role
from lms_graphql.core.database import Database
from lms_graphql.core.orm import Model
from lms_graphql.discussion.models import Note, QAAnswer, QAQuestion
from tests.concurrency import RaceRequest, race_clients, race_rounds
from tests.factories import Factories, global_id
from tests.live_service import Client, Service, StatementRecorder
from tests.mutation_client import MutationClient
from tests.processes import Cluster

CLIENTS = 10
ROUNDS = race_rounds(10)
MISMATCH = [("IDEMPOTENCY_MISMATCH", "idempotencyKey")]
GONE = [("NOT_FOUND", "idempotencyKey")]
Ids = dict[str, str]


class Creation(NamedTuple):
    """A mutation that creates an object, with the mutation that deletes it."""

    mutation: str
    deletion: str
    returns: str
    model: type[Model]
    input: Callable[[Ids, str], dict[str, Any]]
    """Return the input from the ids of the parents and a text."""

    @property
    def document(self) -> tuple[str, str]:
        input_type = f"{self.mutation[0].upper()}{self.mutation[1:]}Input"
        return input_type, f"{self.returns} {{ id }}"


def _choice(text: str) -> dict[str, Any]:
    options = [{"text": "One", "isCorrect": True}, {"text": "Two", "isCorrect": False}]
    return {"multipleChoice": {"prompt": text, "points": "1.50", "options": options}}


CREATIONS = [
    Creation("createCategory", "deleteCategory", "category", Category, lambda _, text: {"name": text}),
    Creation(
        "createCourse",
        "deleteCourse",
        "course",
        Course,
        lambda ids, text: {"title": text, "description": "Words", "price": "1.50", "categoryId": ids["category"]},
    ),
    Creation(
        "createSection",
        "deleteSection",
        "section",
        Section,
        lambda ids, text: {"courseId": ids["course"], "title": text},
    ),
    Creation(
        "createLecture",
        "deleteLecture",
        "lecture",
        Lecture,
        lambda ids, text: {"sectionId": ids["section"], "title": text, "type": "TEXT", "body": "Words"},
    ),
    Creation("createQuiz", "deleteQuiz", "quiz", Quiz, lambda ids, text: {"courseId": ids["course"], "title": text}),
    Creation(
        "addQuestion",
        "deleteQuestion",
        "question",
        Question,
        lambda ids, text: {"quizId": ids["quiz"], "question": _choice(text)},
    ),
    Creation(
        "createNote", "deleteNote", "note", Note, lambda ids, text: {"lectureId": ids["lecture"], "content": text}
    ),
    Creation(
        "askQuestion",
        "deleteQaQuestion",
        "question",
        QAQuestion,
        lambda ids, text: {"lectureId": ids["lecture"], "title": "Title", "content": text},
    ),
    Creation(
        "answerQuestion",
        "deleteQaAnswer",
        "answer",
        QAAnswer,
        lambda ids, text: {"questionId": ids["qa_question"], "content": text},
    ),
]
BY_MUTATION = {creation.mutation: creation for creation in CREATIONS}


class CreationClient(MutationClient):
    """The mutations of one actor that create objects."""

    documents: ClassVar[dict[str, tuple[str, str]]] = {creation.mutation: creation.document for creation in CREATIONS}

    def delete(self, creation: Creation, id: str) -> None:
        input = f"{{{creation.returns}Id: $id}}"
        document = f"mutation D($id: ID!) {{ {creation.deletion}(input: {input}) {{ deletedId }} }}"
        assert self._client.execute(document, as_=self.actor, id=id) == {creation.deletion: {"deletedId": id}}


def make_parents(make: Factories) -> Ids:
    """Create what new objects belong to, and return the ids."""
    course = make.course()
    return {
        "category": global_id("Category", make.category()),
        "course": course.global_id,
        "section": global_id("Section", course.sections[0]),
        "lecture": global_id("Lecture", course.lectures[0]),
        "quiz": global_id("Quiz", make.quiz(course)),
        "qa_question": global_id("QAQuestion", make.question(course.instructor, course.lectures[0])),
    }


def count(database: Database, model: type[Model]) -> int:
    return database.read_sync(lambda session: session.scalars(select(func.count()).select_from(model)).one())


def test_repeated_creation_returns_the_first_object(client: Client, make: Factories, service: Service) -> None:
    """All mutations of an actor use one key, because each mutation has keys of its own."""
    ids = make_parents(make)
    admin, colleague = (CreationClient(client, make.actor(make.user(Role.SUPER_ADMIN))) for _ in range(2))
    for creation in CREATIONS:
        name, before = creation.mutation, count(service.database, creation.model)
        first, other, third = (
            {**creation.input(ids, text), "idempotencyKey": "key"} for text in ("First", "Other", "Third")
        )
        rejected = admin.payload(name, **creation.input(ids, " "), idempotencyKey="key")
        assert [error["code"] for error in rejected["errors"]] == ["REQUIRED"], name
        id = admin.ok(name, **first)["id"]
        assert [admin.ok(name, **first)["id"] for _ in range(2)] == [id, id], name
        assert admin.user_errors(name, **other) == MISMATCH, name
        assert count(service.database, creation.model) == before + 1, name
        others = {colleague.ok(name, **other)["id"], admin.ok(name, **{**third, "idempotencyKey": "new"})["id"]}
        assert len(others - {id}) == 2, name
        admin.delete(creation, id)
        remaining = count(service.database, creation.model)
        assert admin.user_errors(name, **first) == GONE, name
        assert count(service.database, creation.model) == remaining, name


@pytest.mark.query_budget
@pytest.mark.sqlite_only
def test_key_costs_two_statements(client: Client, make: Factories, statements: StatementRecorder) -> None:
    ids, admin = make_parents(make), CreationClient(client, make.actor(make.user(Role.SUPER_ADMIN)))
    for creation in CREATIONS:
        counts = []
        for text, key in (("Warm", None), ("Without", None), ("With", "key"), ("With", "key")):
            with statements:
                admin.ok(creation.mutation, **creation.input(ids, text), idempotencyKey=key)
            counts.append(statements.count)
        _, without, with_key, repeated = counts
        assert with_key == without + 2, creation.mutation
        assert repeated <= 6, creation.mutation


@pytest.mark.slow
def test_ten_equal_keys_create_one_object(two_processes: Cluster) -> None:
    make = Factories(two_processes.database)
    ids, bearer = make_parents(make), two_processes.access_token(make.user(Role.SUPER_ADMIN))
    with race_clients(two_processes.urls, CLIENTS) as clients:
        for number in range(ROUNDS):
            for mutation in ("createLecture", "createNote"):
                creation = BY_MUTATION[mutation]
                before = count(two_processes.database, creation.model)
                input = {**creation.input(ids, "Text"), "idempotencyKey": str(number)}
                request = RaceRequest(CreationClient.document(mutation), {"input": input}, bearer)
                payloads = [response.payload for response in clients.race(*[request] * CLIENTS)]
                assert payloads == [payloads[0]] * CLIENTS
                assert payloads[0]["errors"] == []
                assert count(two_processes.database, creation.model) == before + 1
