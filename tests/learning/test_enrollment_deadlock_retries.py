"""Deadlocks at each statement of enrollment mutations, COMMIT included: the retry leaves no trace."""

from typing import Any, ClassVar

import pytest
from sqlalchemy import delete, select

from lms_graphql.accounts.models import AuditEvent
from lms_graphql.catalog.models import Course, Enrollment, EnrollmentStatus
from lms_graphql.certificates.models import RevocationReason
from lms_graphql.core.actor import Actor
from lms_graphql.learning.models import CourseProgress
from tests.error_injection import MAX_STATEMENTS, ErrorInjector
from tests.factories import Factories, global_id
from tests.learning.enrollment_client import INPUT_TYPES, audit_events, count, grant_input, rows
from tests.live_service import Client, Service
from tests.mutation_client import MutationClient
from tests.row_writer import START

pytestmark = pytest.mark.parametrize(
    "service_settings", [pytest.param("mariadb", marks=pytest.mark.slow)], indirect=True
)
SELECTION = "enrollment { status source progress { totalLectures } certificate { status } }"
EXPECTED_STATUSES = {
    "enroll": "ACTIVE",
    "grantEnrollment": "ACTIVE",
    "return": "COMPLETED",
    "cancelEnrollment": "CANCELLED",
}


class RetriedClient(MutationClient):
    documents: ClassVar[dict[str, tuple[str, str]]] = {
        mutation: (input_type, SELECTION) for mutation, input_type in INPUT_TYPES.items()
    }


def prepare(make: Factories, name: str) -> tuple[str, Actor, dict[str, Any]]:
    """Return a mutation, its actor and its input. Users and course are new, so nothing needs to be cleared."""
    is_enrolled = name in ("return", "cancelEnrollment")
    course, learner = make.course(enrollment_count=int(is_enrolled)), make.user()
    if name == "enroll":
        return name, make.actor(learner), {"courseId": course.global_id}
    if name == "grantEnrollment":
        return name, make.actor(course.instructor), grant_input(course, learner)
    if name == "return":
        make.enrollment(learner, course, EnrollmentStatus.REFUNDED, completed_at=START)
        make.certificate(learner, course, revoked_at=START, revocation_reason=RevocationReason.REFUND)
        return "enroll", make.actor(learner), {"courseId": course.global_id}
    row = make.enrollment(learner, course)
    make.progress(row, total_lectures=2)
    return name, make.actor(course.instructor), {"enrollmentId": global_id("Enrollment", row)}


@pytest.mark.parametrize("name", list(EXPECTED_STATUSES))
def test_mutation_succeeds_once_after_deadlock_at_any_statement(
    client: Client, make: Factories, service: Service, no_maintenance: None, name: str
) -> None:
    injector, deadlock_count = ErrorInjector(service.database), 0
    for number in range(1, MAX_STATEMENTS):
        mutation, actor, input = prepare(make, name)
        with service.engine.begin() as connection:
            connection.execute(delete(AuditEvent))
        with injector.inject_at(number):
            enrollment = RetriedClient(client, actor).ok(mutation, **input)
            was_injected = injector.was_injected
        assert enrollment["status"] == EXPECTED_STATUSES[name]
        assert enrollment["progress"] == {"totalLectures": 2}
        assert enrollment["certificate"] == ({"status": "VALID"} if name == "return" else None)
        assert count(service.database, Enrollment) == count(service.database, CourseProgress) == number
        assert set(rows(service.database, select(Course.enrollment_count))) == {1}
        actions = ("enrollment.granted", "enrollment.cancelled")
        event_counts = [len(audit_events(service.database, action)) for action in actions]
        assert event_counts == [int(name == "grantEnrollment"), int(name == "cancelEnrollment")]
        deadlock_count += was_injected
        if not was_injected:
            break
    assert deadlock_count >= 8
