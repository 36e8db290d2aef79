"""Kinds of the subjects of audit events, indexes of the audit log and of courses, and the table of former instructors.

Events of some actions had the user as their subject, and the object in their details. Their subject becomes the
object, and the user goes into the details. If the object is unknown, the subject is null. Client IPs of deleted users
are erased.

Each step first checks whether it was done already. So a migration that was interrupted on MySQL or MariaDB, whose DDL
is not transactional, can be run again.

Revision ID: 0019
Revises: 0018
"""

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from lms_graphql.core import orm

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
blocks_writes_to = ("audit_events", "users")

BATCH_SIZE = 1_000
EVENTS = sa.table(
    "audit_events",
    sa.column("id", orm.BigIntKey),
    sa.column("action", sa.String),
    sa.column("happened_at", orm.UtcDateTime()),
    sa.column("actor_id", sa.BigInteger),
    sa.column("subject_kind", sa.String),
    sa.column("subject_id", sa.BigInteger),
    sa.column("details", orm.Json),
)
NEW_INDEXES = (
    ("happened_at", "id"),
    ("action", "happened_at", "id"),
    ("actor_id", "happened_at", "id"),
    ("subject_kind", "subject_id", "happened_at", "id"),
)
COURSE_INDEXES = (("created_at", "id"),)
FORMER_INSTRUCTOR_INDEXES = (("course_id",), ("updated_at", "course_id"))
OLD_INDEXES = (("subject_id", "happened_at"), ("action", "happened_at"))
UNCHANGED_SUBJECTS = {
    "User": (
        "account.activated account.created account.deleted account.email_verified account.password_change_failed "
        "account.password_changed account.password_reset account.registered account.role_changed "
        "account.sign_in_failed account.sign_in_while_suspended account.signed_in account.suspended "
        "commission.changed session.ended session.ended_everywhere session.token_reused"
    ),
    "Transaction": (
        "transaction.started transaction.failed transaction.cancelled transaction.confirmed payment.received "
        "payment.promised refund.started refund.failed refund.succeeded dispute.opened dispute.won dispute.lost"
    ),
    "InstructorPayout": "payout.scheduled payout.settled",
    "Course": "course.transferred",
}
SUBJECT_IN_DETAILS = {
    "attempt.graded": ("QuizAttempt", "attempt"),
    "attempt.regraded": ("QuizAttempt", "attempt"),
    "certificate.issued": ("Certificate", "certificate"),
    "enrollment.granted": ("Enrollment", "enrollment"),
    "enrollment.cancelled": ("Enrollment", "enrollment"),
}
"""Kind of the subject, and the name in the details that has its key."""
SUBJECT_TO_FIND = {
    "application.reviewed": "InstructorApplication",
    "certificate.revoked": "Certificate",
    "certificate.reinstated": "Certificate",
    "quiz.accommodation_set": "QuizAccommodation",
}
QUESTION_KINDS = {
    "multiple_choice": "MultipleChoiceQuestion",
    "true_false": "TrueFalseQuestion",
    "short_answer": "ShortAnswerQuestion",
    "essay": "EssayQuestion",
}
MOVED_ACTIONS = (*SUBJECT_IN_DETAILS, *SUBJECT_TO_FIND, "question.regraded")


def upgrade() -> None:
    if "subject_kind" not in _columns("audit_events"):
        op.add_column("audit_events", sa.Column("subject_kind", orm.case_sensitive(40), nullable=True))
    _create_indexes("audit_events", NEW_INDEXES)
    _drop_indexes("audit_events", OLD_INDEXES)
    _create_indexes("courses", COURSE_INDEXES)
    for kind, actions in UNCHANGED_SUBJECTS.items():
        has_no_kind = (EVENTS.c.subject_kind.is_(None), EVENTS.c.subject_id.is_not(None))
        events = sa.update(EVENTS).where(EVENTS.c.action.in_(actions.split()), *has_no_kind)
        op.get_bind().execute(events.values(subject_kind=kind))
    for events in _batches(EVENTS.c.subject_kind.is_(None)):
        _write([changed for event in events if (changed := _upgraded(event)) is not None])
    _erase_client_ips_of_deleted_users()
    if "former_instructors" not in sa.inspect(op.get_bind()).get_table_names():
        _create_former_instructors()
    _create_indexes("former_instructors", FORMER_INSTRUCTOR_INDEXES)


def downgrade() -> None:
    if "former_instructors" in sa.inspect(op.get_bind()).get_table_names():
        op.drop_table("former_instructors")
    if "subject_kind" in _columns("audit_events"):
        # An event that was written back has no kind, so that it is left alone if this runs again.
        for events in _batches(sa.or_(EVENTS.c.subject_kind.is_not(None), EVENTS.c.subject_id.is_(None))):
            _write([_downgraded(event) for event in events])
    _drop_indexes("courses", COURSE_INDEXES)
    _create_indexes("audit_events", OLD_INDEXES)
    _drop_indexes("audit_events", NEW_INDEXES)
    if "subject_kind" in _columns("audit_events"):
        op.drop_column("audit_events", "subject_kind")


def _upgraded(event: sa.Row[Any]) -> dict[str, Any] | None:
    """Return the new values of an event; None if it has them already."""
    details, user = dict(event.details or {}), event.subject_id
    if event.action == "question.regraded":
        version = details.get("version")
        question_type = _find("SELECT question_type FROM question_versions WHERE id = :version", version=version)
        if question_type is None or "question" not in details:
            return None
        return _values(event, QUESTION_KINDS[question_type], details.pop("question"), details)
    if user is None and event.action not in {"attempt.regraded"}:
        return None
    if event.action in SUBJECT_IN_DETAILS:
        kind, name = SUBJECT_IN_DETAILS[event.action]
        key = details.pop(name, None)
    else:
        kind, key = SUBJECT_TO_FIND[event.action], _find_subject(event)
    return _values(event, kind, key, details if user is None else {**details, "user": user})


def _values(event: sa.Row[Any], kind: str | None, key: int | None, details: dict[str, Any]) -> dict[str, Any]:
    is_known = kind is not None and key is not None
    return {
        "event": event.id,
        "subject_kind": kind if is_known else None,
        "subject_id": key if is_known else None,
        "details": details,
    }


def _find_subject(event: sa.Row[Any]) -> int | None:
    """Return the key of the object that an event was about, by its user and its details. None if it is gone."""
    user, details = event.subject_id, event.details or {}
    if event.action == "quiz.accommodation_set":
        statement = "SELECT id FROM quiz_accommodations WHERE user_id = :user AND quiz_id = :quiz"
        return _find(statement, user=user, quiz=details.get("quiz"))
    if event.action == "application.reviewed":
        statement = (
            "SELECT id FROM instructor_applications WHERE user_id = :user AND reviewed_by_id = :actor "
            "AND reviewed_at <= :at ORDER BY reviewed_at DESC, id DESC LIMIT 1"
        )
        return _find(statement, user=user, actor=event.actor_id, at=event.happened_at)
    statement = "SELECT id FROM certificates WHERE user_id = :user AND course_id = :course"
    return _find(statement, user=user, course=details.get("course"))


def _find(statement: str, **parameters: Any) -> Any:
    times = [sa.bindparam("at", type_=orm.UtcDateTime())] if "at" in parameters else []
    return op.get_bind().scalar(sa.text(statement).bindparams(*times), parameters)


def _downgraded(event: sa.Row[Any]) -> dict[str, Any]:
    """Return the values of an event as they were before: its subject is the user."""
    details = dict(event.details or {})
    user = details.pop("user", None)
    if event.action == "question.regraded" and event.subject_id is not None:
        details["question"] = event.subject_id
    elif event.action in SUBJECT_IN_DETAILS and event.subject_id is not None:
        details[SUBJECT_IN_DETAILS[event.action][1]] = event.subject_id
    return {"event": event.id, "subject_kind": None, "subject_id": user, "details": details}


def _batches(condition: sa.ColumnElement[bool]) -> Iterator[list[sa.Row[Any]]]:
    """Yield the events that meet the condition and whose subject is another object than before."""
    last = 0
    events = sa.select(EVENTS).where(condition, EVENTS.c.action.in_(MOVED_ACTIONS)).order_by(EVENTS.c.id)
    while rows := op.get_bind().execute(events.where(EVENTS.c.id > last).limit(BATCH_SIZE)).all():
        last = rows[-1].id
        yield list(rows)


def _write(events: list[dict[str, Any]]) -> None:
    columns = {name: sa.bindparam(name) for name in ("subject_kind", "subject_id")}
    details = sa.bindparam("details", type_=orm.Json)
    statement = sa.update(EVENTS).where(EVENTS.c.id == sa.bindparam("event")).values(**columns, details=details)
    if events:
        op.get_bind().execute(statement, events)


def _erase_client_ips_of_deleted_users() -> None:
    deleted = "(SELECT id FROM users WHERE deleted_at IS NOT NULL)"
    about_account = f"subject_kind = 'User' AND actor_id IS NULL AND subject_id IN {deleted}"
    for condition in (f"actor_id IN {deleted}", about_account):
        op.execute(f"UPDATE audit_events SET client_ip = NULL WHERE client_ip IS NOT NULL AND {condition}")


def _create_former_instructors() -> None:
    op.create_table(
        "former_instructors",
        sa.Column("id", orm.BigIntKey, nullable=False),
        sa.Column("created_at", orm.UtcDateTime(), nullable=False),
        sa.Column("updated_at", orm.UtcDateTime(), nullable=False),
        sa.Column("user_id", orm.BigIntKey, nullable=False),
        sa.Column("course_id", orm.BigIntKey, nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_former_instructors_course_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_former_instructors_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_instructors")),
        sa.UniqueConstraint("user_id", "course_id", name=op.f("uq_former_instructors_user_id_course_id")),
        sqlite_autoincrement=True,
        **orm.TABLE_OPTIONS,
    )


def _columns(table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def _create_indexes(table: str, indexes: Iterable[tuple[str, ...]]) -> None:
    existing = _index_names(table)
    for columns in indexes:
        if (name := _index_name(table, columns)) not in existing:
            op.create_index(op.f(name), table, list(columns), unique=False)


def _drop_indexes(table: str, indexes: Iterable[tuple[str, ...]]) -> None:
    existing = _index_names(table)
    for columns in indexes:
        if (name := _index_name(table, columns)) in existing:
            op.drop_index(op.f(name), table_name=table)


def _index_names(table: str) -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}


def _index_name(table: str, columns: Iterable[str]) -> str:
    return f"ix_{table}_{'_'.join(columns)}"
