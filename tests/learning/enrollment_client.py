"""What comes of enrolling, as the mutations answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.catalog.models import Enrollment
from lms_graphql.core.actor import Actor
from lms_graphql.core.database import Database
from tests.concurrency import RaceRequest
from tests.factories import CourseTree, global_id
from tests.live_service import Client

INPUTS = {
    "enroll": "EnrollInput",
    "grantEnrollment": "GrantEnrollmentInput",
    "cancelEnrollment": "EnrollmentIdInput",
}
ANSWER = """enrollment {
  id status source enrolledAt completedAt accessExpiresAt user { username } course { title enrollmentCount }
  progress { percent completedLectures totalLectures passedQuizzes totalQuizzes watchSeconds }
  certificate { status }
} errors { code message path }"""
MINE = """query M($id: ID!) {
  me { enrollments { nodes { id status source } } }
  node(id: $id) { ... on Course { enrollmentCount version updatedAt viewerEnrollment { id status source } } }
}"""
HOUR = timedelta(hours=1)


def document(mutation: str, answer: str = ANSWER) -> str:
    return f"mutation E($input: {INPUTS[mutation]}!) {{ {mutation}(input: $input) {{ {answer} }} }}"


def done(client: Client, as_: Actor, mutation: str, **input: Any) -> Any:
    """The enrollment."""
    payload = client.execute(document(mutation), as_=as_, input=input)[mutation]
    assert payload["errors"] == []
    return payload["enrollment"]


def refused(client: Client, as_: Actor, mutation: str, **input: Any) -> list[tuple[str, str]]:
    """Code and input field of each fault; or a top-level code."""
    body = client.graphql(document(mutation), as_=as_, input=input)
    if body.get("errors"):
        assert (body.get("data") or {mutation: None}) == {mutation: None}
        return [(error["extensions"]["code"], "") for error in body["errors"]]
    payload = body["data"][mutation]
    assert payload["enrollment"] is None
    assert all(error["path"][0] == "input" and len(error["path"]) == 2 for error in payload["errors"])
    return [(error["code"], error["path"][1]) for error in payload["errors"]]


def bearing(mutation: str, bearer: str, **input: Any) -> RaceRequest:
    """For a race."""
    return RaceRequest(document(mutation, "enrollment { id status } errors { code path }"), {"input": input}, bearer)


def place(user: User, course: CourseTree) -> Any:
    """A clause for the row."""
    return (Enrollment.user_id == user.id) & (Enrollment.course_id == course.row.id)


def rows(database: Database, statement: Any) -> Any:
    return database.read_sync(lambda session: session.scalars(statement).all())


def number(database: Database, table: Any, *where: Any) -> Any:
    return rows(database, select(func.count()).select_from(table).where(*where))[0]


def told(database: Database, what: str) -> list[tuple[int | None, int | None, Any]]:
    """What the audit knows of it: (actor, subject, details)."""
    events = select(AuditEvent).where(AuditEvent.action == what).order_by(AuditEvent.id)
    return [(event.actor_id, event.subject_id, event.details) for event in rows(database, events)]


def when(offset: timedelta | None) -> datetime | None:
    return None if offset is None else datetime.now(UTC).replace(microsecond=0) + offset


def said(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")


def ids_of(course: CourseTree, user: User) -> dict[str, str]:
    return {"courseId": course.global_id, "userId": global_id("User", user)}
