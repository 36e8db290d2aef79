"""Mutations on plans: whatever happens to the plan, a mutation runs once."""

import json
from typing import Any

import pytest
from sqlalchemy import func, select, text

from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.discussion.models import Note
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, LogCapture, Service

pytestmark = pytest.mark.sqlite_only

CREATE = 'createNote(input: {lectureId: $lecture, content: "Remember"})'
PAYLOAD = "{ note { content lecture { title } } errors { code } }"
FAILING_PAYLOAD = "{ note { content lecture { course { enrollments { totalCount } } } } errors { code } }"
"""The last field is for course staff only."""


@pytest.fixture
def course(make: Factories) -> CourseTree:
    return make.course(sections=1, lectures=1)


@pytest.fixture
def learner(make: Factories, course: CourseTree) -> Actor:
    user = make.user(Role.LEARNER)
    make.enrollment(user, course)
    return make.actor(user)


def create_notes(client: Client, course: CourseTree, actor: Actor, *fields: str) -> Any:
    document = f"mutation ($lecture: ID!) {{ {' '.join(fields)} }}"
    return client.graphql(document, actor, lecture=global_id("Lecture", course.lectures[0]))


def number_of_notes(service: Service) -> int | None:
    return service.database.read_sync(lambda session: session.scalar(select(func.count()).select_from(Note)))


def logged_plan_use(log: LogCapture) -> str:
    use: str = json.loads([line for line in log.lines if '"event":"operation"' in line][-1])["plan"]
    return use


def test_mutation_with_one_field_is_planned(
    client: Client, service: Service, course: CourseTree, learner: Actor, captured_log: LogCapture
) -> None:
    body = create_notes(client, course, learner, f"made: {CREATE} {PAYLOAD}")
    note = {"content": "Remember", "lecture": {"title": course.lectures[0].title}}
    assert body["data"] == {"made": {"note": note, "errors": []}}
    assert (logged_plan_use(captured_log), number_of_notes(service)) == ("planned", 1)


def test_mutation_runs_once_when_plan_of_its_payload_fails(
    client: Client, service: Service, course: CourseTree, learner: Actor, captured_log: LogCapture
) -> None:
    body = create_notes(client, course, learner, f"{CREATE} {FAILING_PAYLOAD}")
    lecture = {"course": {"enrollments": None}}
    assert body["data"] == {"createNote": {"note": {"content": "Remember", "lecture": lecture}, "errors": []}}
    (error,) = body["errors"]
    assert error["path"] == ["createNote", "note", "lecture", "course", "enrollments"]
    assert (logged_plan_use(captured_log), number_of_notes(service)) == ("fallback", 1)


def test_mutation_without_permission_has_error_at_its_path(
    client: Client, course: CourseTree, captured_log: LogCapture
) -> None:
    body = create_notes(client, course, ANONYMOUS, f"made: {CREATE} {PAYLOAD}")
    assert (body["data"], [error["path"] for error in body["errors"]]) == ({"made": None}, [["made"]])
    assert logged_plan_use(captured_log) == "fallback"


def test_unexpected_error_is_logged_once_with_its_trace(
    client: Client, service: Service, course: CourseTree, learner: Actor, captured_log: LogCapture
) -> None:
    with service.engine.begin() as connection:
        connection.execute(text("ALTER TABLE notes RENAME TO notes_renamed"))
    try:
        body = create_notes(client, course, learner, f"{CREATE} {PAYLOAD}")
    finally:
        with service.engine.begin() as connection:
            connection.execute(text("ALTER TABLE notes_renamed RENAME TO notes"))
    assert [error["extensions"]["code"] for error in body["errors"]] == ["INTERNAL_ERROR"]
    (line,) = [line for line in captured_log.lines if "internal_error" in line]
    assert "in create_note" in json.loads(line)["exception"]


def test_several_mutations_run_in_order_without_plan(
    client: Client, service: Service, course: CourseTree, learner: Actor, captured_log: LogCapture
) -> None:
    counted = "{ note { lecture { viewerNotes { id } } } errors { code } }"
    body = create_notes(client, course, learner, f"a: {CREATE} {counted}", f"b: {CREATE} {counted}")
    counts = [len(body["data"][name]["note"]["lecture"]["viewerNotes"]) for name in ("a", "b")]
    assert counts == [1, 2]
    assert (logged_plan_use(captured_log), number_of_notes(service)) == ("none", 2)
