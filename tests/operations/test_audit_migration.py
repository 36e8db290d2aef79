"""Migration 0019, which gives the subjects of audit events a kind and moves them from the user to the object."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from alembic import command
from lms_graphql.core.engines import make_engine
from lms_graphql.operations import migrations
from tests.operations.test_migrations import insert

pytestmark = pytest.mark.slow

TIMES = {"created_at": "2026-01-01", "updated_at": "2026-01-01"}
USER = {**TIMES, "first_name": "", "last_name": "", "role": "learner"}
LEARNER, ADMIN, DELETED = 41, 42, 43
ROWS: list[tuple[str, Mapping[str, object]]] = [
    ("users", {**USER, "id": LEARNER, "username": "a", "username_key": "a"}),
    ("users", {**USER, "id": ADMIN, "username": "b", "username_key": "b"}),
    ("users", {**USER, "id": DELETED, "username": "c", "username_key": "c", "deleted_at": "2026-01-02"}),
    (
        "courses",
        {**TIMES, "id": 5, "title": "Go", "title_key": "go", "slug": "go", "description": "", "instructor_id": ADMIN}
        | {"currency": "USD", "status": "draft", "difficulty_level": "beginner", "language": "en"}
        | {"primary_language": "en"},
    ),
    (
        "certificates",
        {**TIMES, "id": 6, "user_id": LEARNER, "course_id": 5, "serial": "s", "verification_code": "c"}
        | {"title": "", "learner_name": "", "course_title": "", "instructor_name": "", "issued_at": "2026-01-01"},
    ),
    *(
        (
            "instructor_applications",
            {**TIMES, "id": key, "user_id": LEARNER, "motivation": "", "experience": "", "status": "rejected"}
            | {"reviewed_by_id": ADMIN, "reviewed_at": f"2026-01-0{key}"},
        )
        for key in (7, 8)
    ),
    ("quizzes", {**TIMES, "id": 9, "course_id": 5, "title": "", "review_policy": "never", "kept_score": "highest"}),
    ("quiz_accommodations", {**TIMES, "id": 10, "quiz_id": 9, "user_id": LEARNER, "extra_attempts": 1}),
    (
        "question_versions",
        {
            **TIMES,
            "id": 11,
            "question_id": 12,
            "question_type": "essay",
            "question_text": "",
            "points": 100,
            "options": "[]",
        }
        | {"correct_answers": "[]", "partial_credit": "all_or_nothing"},
    ),
]
EVENTS: list[tuple[str, int | None, str, tuple[str | None, int | None, str]]] = [
    ("account.role_changed", LEARNER, '{"old":"a"}', ("User", LEARNER, '{"old":"a"}')),
    ("account.sign_in_failed", None, "{}", (None, None, "{}")),
    ("keys.rotated", None, '{"key":"k"}', (None, None, '{"key":"k"}')),
    ("payment.received", 3, '{"payment":4}', ("Transaction", 3, '{"payment":4}')),
    ("payout.settled", 3, "{}", ("InstructorPayout", 3, "{}")),
    ("attempt.graded", LEARNER, '{"attempt":2}', ("QuizAttempt", 2, f'{{"user":{LEARNER}}}')),
    ("enrollment.granted", LEARNER, '{"enrollment":2}', ("Enrollment", 2, f'{{"user":{LEARNER}}}')),
    ("certificate.issued", LEARNER, '{"certificate":6}', ("Certificate", 6, f'{{"user":{LEARNER}}}')),
    ("certificate.revoked", LEARNER, '{"course":5}', ("Certificate", 6, f'{{"course":5,"user":{LEARNER}}}')),
    ("certificate.revoked", ADMIN, '{"course":5}', (None, None, f'{{"course":5,"user":{ADMIN}}}')),
    ("application.reviewed", LEARNER, "{}", ("InstructorApplication", 7, f'{{"user":{LEARNER}}}')),
    ("quiz.accommodation_set", LEARNER, '{"quiz":9}', ("QuizAccommodation", 10, f'{{"quiz":9,"user":{LEARNER}}}')),
    ("quiz.accommodation_set", ADMIN, '{"quiz":9}', (None, None, f'{{"quiz":9,"user":{ADMIN}}}')),
    ("question.regraded", None, '{"question":12,"version":11}', ("EssayQuestion", 12, '{"version":11}')),
    ("question.regraded", None, '{"question":12,"version":99}', (None, None, '{"question":12,"version":99}')),
    ("unknown.action", 3, "{}", (None, 3, "{}")),
]
"""Action, subject and details as they were, then kind, key and details of the subject after the migration."""


def events(connection: Connection, columns: str) -> list[tuple[Any, ...]]:
    statement = f"SELECT action, {columns}, details FROM audit_events WHERE id <= {len(EVENTS)} ORDER BY id"
    return [tuple(row) for row in connection.execute(text(statement))]


def parsed(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [(*values, json.loads(details)) for *values, details in rows]


def test_existing_events_get_their_objects_as_subjects(empty_database: str) -> None:
    engine = make_engine(make_url(empty_database), pool_size=2)
    with engine.begin() as connection:
        command.upgrade(migrations.alembic_config(connection), "0013")
    with engine.begin() as connection:
        for table, values in ROWS:
            insert(connection, table, values)
        for action, subject, details, _ in EVENTS:
            event = {"happened_at": "2026-01-07 12:00:00", "action": action, "actor_id": ADMIN}
            insert(connection, "audit_events", {**event, "subject_id": subject, "details": details})
        before = events(connection, "subject_id")
        for actor, subject in ((DELETED, ADMIN), (None, DELETED), (ADMIN, DELETED)):
            event = {"happened_at": "2026-01-01", "action": "account.created", "client_ip": "192.0.2.7"}
            insert(connection, "audit_events", {**event, "actor_id": actor, "subject_id": subject, "details": "{}"})
    for _ in range(2):
        migrations.migrate(engine)
        with engine.begin() as connection:
            assert events(connection, "subject_kind, subject_id") == [(row[0], *row[3]) for row in EVENTS]
            ips = connection.scalars(text("SELECT client_ip FROM audit_events WHERE action = 'account.created'"))
            assert list(ips) == [None, None, "192.0.2.7"], "the last one is that of a super admin"
            assert migrations.schema_drift(connection) == []
            command.downgrade(migrations.alembic_config(connection), "0013")
        with engine.begin() as connection:
            assert parsed(events(connection, "subject_id")) == parsed(before)
    engine.dispose()
