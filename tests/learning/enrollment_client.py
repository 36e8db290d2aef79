"""A client for enrollment mutations, and helpers that look at enrollments in the database."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import func, select

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.catalog.models import Enrollment
from lms_graphql.core.database import Database
from tests.concurrency import RaceRequest
from tests.factories import CourseTree, global_id
from tests.mutation_client import MutationClient

INPUT_TYPES = {
    "enroll": "EnrollInput",
    "grantEnrollment": "GrantEnrollmentInput",
    "cancelEnrollment": "EnrollmentIdInput",
}
ENROLLMENT = """enrollment {
  id status source enrolledAt completedAt accessExpiresAt user { username } course { title enrollmentCount }
  progress { percent completedLectures totalLectures passedQuizzes totalQuizzes watchSeconds }
  certificate { status }
}"""
VIEWER_ENROLLMENTS = """query M($id: ID!) {
  me { enrollments { nodes { id status source } } }
  node(id: $id) { ... on Course { enrollmentCount version updatedAt viewerEnrollment { id status source } } }
}"""
HOUR = timedelta(hours=1)


class EnrollmentClient(MutationClient):
    """One actor's mutations of enrollments."""

    documents: ClassVar[dict[str, tuple[str, str]]] = {
        mutation: (input_type, ENROLLMENT) for mutation, input_type in INPUT_TYPES.items()
    }


class BriefEnrollmentClient(MutationClient):
    """The same mutations with a small selection, for races."""

    documents: ClassVar[dict[str, tuple[str, str]]] = {
        mutation: (input_type, "enrollment { id status }") for mutation, input_type in INPUT_TYPES.items()
    }


def enrollment_request(mutation: str, bearer: str, **input: Any) -> RaceRequest:
    return RaceRequest(BriefEnrollmentClient.document(mutation), {"input": input}, bearer)


def is_enrollment(user: User, course: CourseTree) -> Any:
    """Return a clause for the enrollment of the user in the course."""
    return (Enrollment.user_id == user.id) & (Enrollment.course_id == course.row.id)


def rows(database: Database, statement: Any) -> Any:
    return database.read_sync(lambda session: session.scalars(statement).all())


def count(database: Database, table: Any, *where: Any) -> Any:
    return rows(database, select(func.count()).select_from(table).where(*where))[0]


def audit_events(database: Database, action: str) -> list[tuple[int | None, int | None, Any]]:
    """Return (actor, subject, details) of the audit events of this action."""
    events = select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)
    return [(event.actor_id, event.subject_id, event.details) for event in rows(database, events)]


def from_now(offset: timedelta | None) -> datetime | None:
    return None if offset is None else datetime.now(UTC).replace(microsecond=0) + offset


def iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")


def grant_input(course: CourseTree, user: User) -> dict[str, str]:
    return {"courseId": course.global_id, "userId": global_id("User", user)}
