"""The audit log with 300,000 events: each filter reads its own index and is fast."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.global_ids import encode
from tests.analytics.test_dashboard_at_scale import NUMBERS
from tests.catalog.test_course_lists_at_scale import query_plan
from tests.factories import Factories
from tests.live_service import Client, Service, StatementRecorder
from tests.row_writer import START

pytestmark = [pytest.mark.slow, pytest.mark.alone]

EVENTS = 300_000
MAX_STATEMENT_SECONDS = 0.05
INSERT_EVENTS = f"""
INSERT INTO audit_events (happened_at, action, actor_id, subject_kind, subject_id, client_ip, details)
SELECT :at,
  CASE WHEN n % 4 = 0 THEN 'account.signed_in' WHEN n % 1000 = 1 THEN 'refund.started' ELSE 'payment.received' END,
  n % 5000, CASE WHEN n % 2 = 0 THEN 'User' ELSE 'Transaction' END, n % 5000, '192.0.2.7', '{{}}'
FROM {NUMBERS}
"""
PAGE = """
query Page($filter: AuditEventFilter, $after: String) {
  auditEvents(filter: $filter, first: 20, after: $after) { pageInfo { endCursor } nodes { action createdAt } }
}
"""
USER = encode("User", 1234)
FILTERS = {
    "ix_audit_events_happened_at_id": [{}, {"createdAfter": "2025-12-01T00:00:00Z"}],
    "ix_audit_events_action_happened_at_id": [{"action": "account.signed_in"}, {"action": "refund.started"}],
    "ix_audit_events_actor_id_happened_at_id": [{"actorId": USER}],
    "ix_audit_events_subject_kind_subject_id_happened_at_id": [{"subjectId": USER}],
}


@pytest.fixture
def many_events(service: Service) -> Iterator[None]:
    with service.engine.begin() as connection:
        for _ in range(3):
            connection.execute(text(INSERT_EVENTS), {"at": START.replace(tzinfo=None)})
    is_sqlite = service.database.is_sqlite
    with service.engine.begin() as connection:
        connection.execute(text("ANALYZE audit_events" if is_sqlite else "ANALYZE TABLE audit_events"))
    yield
    with service.engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_events" if is_sqlite else "TRUNCATE audit_events"))


@pytest.mark.usefixtures("many_events")
def test_each_filter_reads_its_index(client: Client, make: Factories, service: Service) -> None:
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    for index, filters in FILTERS.items():
        for filter in filters:
            cursor = client.execute(PAGE, as_=admin, filter=filter)["auditEvents"]["pageInfo"]["endCursor"]
            for after in (None, cursor):
                seconds, statement, parameters = best_of_three(client, service, admin, filter=filter, after=after)
                plan = query_plan(service, statement, parameters)
                assert index in plan, (filter, plan)
                assert "filesort" not in plan, (filter, plan)
                assert "TEMP B-TREE" not in plan, (filter, plan)
                print(f"{filter} {'next' if after else 'first'} page: {seconds * 1000:.1f} ms")
                assert seconds < MAX_STATEMENT_SECONDS, (filter, after)


def best_of_three(client: Client, service: Service, admin: Actor, **variables: Any) -> tuple[float, str, Any]:
    """Return the seconds of the fastest of three executions, the page's statement and its parameters."""
    with StatementRecorder(service.database) as recorder:
        client.execute(PAGE, as_=admin, **variables)
    ((statement, parameters),) = [
        pair for pair in zip(recorder.texts, recorder.parameters, strict=True) if "FROM audit_events" in pair[0]
    ]
    seconds = []
    with service.database.read_engine.connect() as connection:
        for _ in range(3):
            started = time.perf_counter()
            connection.exec_driver_sql(statement, parameters).all()
            seconds.append(time.perf_counter() - started)
    return min(seconds), statement, parameters
