"""A deadlock at any statement that makes or ends a place, COMMIT included: it goes on as if nothing had been."""

from typing import Any

import pytest
from sqlalchemy import delete, select

from lms_graphql.accounts.models import AuditEvent
from lms_graphql.catalog.models import Course, Enrollment, EnrollmentStatus
from lms_graphql.certificates.models import RevocationReason
from lms_graphql.core.actor import Actor
from lms_graphql.learning.models import CourseProgress
from tests.accounts.test_deadlock_retries import MOST_STATEMENTS, Deadlocks
from tests.factories import START, Factories, global_id
from tests.learning.enrollment_client import document, number, rows, told
from tests.live_service import Client, Service

pytestmark = pytest.mark.parametrize(
    "service_settings", [pytest.param("mariadb", marks=pytest.mark.slow)], indirect=True
)
ANSWER = "enrollment { status source progress { totalLectures } certificate { status } } errors { code }"
STATUSES = {
    "enroll": "ACTIVE",
    "grantEnrollment": "ACTIVE",
    "come back": "COMPLETED",
    "cancelEnrollment": "CANCELLED",
}


def step(make: Factories, name: str) -> tuple[str, Actor, dict[str, Any]]:
    """A mutation, as whom, with what: of new people in a new course, so that nothing need be cleared away."""
    is_there = name in ("come back", "cancelEnrollment")
    course, learner = make.course(enrollment_count=int(is_there)), make.user()
    if name == "enroll":
        return name, make.actor(learner), {"courseId": course.global_id}
    if name == "grantEnrollment":
        return (
            name,
            make.actor(course.instructor),
            {"courseId": course.global_id, "userId": global_id("User", learner)},
        )
    if name == "come back":
        make.enrollment(learner, course, EnrollmentStatus.REFUNDED, completed_at=START)
        make.certificate(learner, course, revoked_at=START, revocation_reason=RevocationReason.REFUND)
        return "enroll", make.actor(learner), {"courseId": course.global_id}
    row = make.enrollment(learner, course)
    make.progress(row, total_lectures=2)
    return name, make.actor(course.instructor), {"enrollmentId": global_id("Enrollment", row)}


@pytest.mark.parametrize("name", list(STATUSES))
def test_a_deadlock_at_any_statement_changes_nothing(
    client: Client, make: Factories, service: Service, unswept: None, name: str
) -> None:
    deadlocks, struck = Deadlocks(service), 0
    for at in range(1, MOST_STATEMENTS):
        mutation, actor, input = step(make, name)
        with service.engine.begin() as connection:
            connection.execute(delete(AuditEvent))
        with deadlocks.at(at):
            payload = client.execute(document(mutation, ANSWER), as_=actor, input=input)[mutation]
            has_struck = deadlocks.has_struck
        assert payload["errors"] == []
        assert payload["enrollment"]["status"] == STATUSES[name]
        assert payload["enrollment"]["progress"] == {"totalLectures": 2}
        expected = {"status": "VALID"} if name == "come back" else None
        assert payload["enrollment"]["certificate"] == expected
        assert number(service.database, Enrollment) == number(service.database, CourseProgress) == at
        assert set(rows(service.database, select(Course.enrollment_count))) == {1}
        audited = [len(told(service.database, f"enrollment.{what}")) for what in ("granted", "cancelled")]
        assert audited == [int(name == "grantEnrollment"), int(name == "cancelEnrollment")]
        struck += has_struck
        if not has_struck:
            break
    assert struck >= 8
