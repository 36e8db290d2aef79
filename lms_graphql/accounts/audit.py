"""Audit log: events, written in the transaction of the change that they record.

Events are never updated, except that deleting a user erases the client IPs of their requests.
"""

from collections.abc import Mapping

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AuditEvent
from lms_graphql.core import clock, metrics
from lms_graphql.core.statements import execute_dml

_INSERT = insert(AuditEvent)

RECORDED_EVENTS = "recorded_events"
"""Key in `Session.info` of the actions and outcomes of events that are not committed yet."""
USER, TRANSACTION, PAYOUT = "User", "Transaction", "InstructorPayout"
SUBJECT_KINDS: dict[str, str | None] = {
    "account.activated": USER,
    "account.created": USER,
    "account.deleted": USER,
    "account.email_change_failed": USER,
    "account.email_change_requested": USER,
    "account.email_changed": USER,
    "account.email_verified": USER,
    "account.password_change_failed": USER,
    "account.password_changed": USER,
    "account.password_reset": USER,
    "account.registered": USER,
    "account.role_changed": USER,
    "account.sign_in_failed": USER,
    "account.sign_in_while_suspended": USER,
    "account.signed_in": USER,
    "account.suspended": USER,
    "account.username_changed": USER,
    "application.reviewed": "InstructorApplication",
    "attempt.graded": "QuizAttempt",
    "attempt.regraded": "QuizAttempt",
    "certificate.issued": "Certificate",
    "certificate.reinstated": "Certificate",
    "certificate.revoked": "Certificate",
    "commission.changed": USER,
    "course.learners_invited": "Course",
    "course.transferred": "Course",
    "dispute.contradicted": TRANSACTION,
    "dispute.lost": TRANSACTION,
    "dispute.opened": TRANSACTION,
    "dispute.won": TRANSACTION,
    "enrollment.cancelled": "Enrollment",
    "enrollment.granted": "Enrollment",
    "invitation.accepted": "Invitation",
    "invitation.cancelled": "Invitation",
    "keys.rotated": None,
    "payment.promised": TRANSACTION,
    "payment.received": TRANSACTION,
    "payout.scheduled": PAYOUT,
    "payout.settled": PAYOUT,
    "question.regraded": None,
    "quiz.accommodation_set": "QuizAccommodation",
    "refund.contradicted": TRANSACTION,
    "refund.failed": TRANSACTION,
    "refund.started": TRANSACTION,
    "refund.succeeded": TRANSACTION,
    "session.ended": USER,
    "session.ended_everywhere": USER,
    "session.token_reused": USER,
    "transaction.cancelled": TRANSACTION,
    "transaction.confirmed": TRANSACTION,
    "transaction.failed": TRANSACTION,
    "transaction.started": TRANSACTION,
}
"""Kind of the object that each action is done to, as in global ids.

A new action needs a line. None stands for an action without an object, or with one of several kinds.
"""


def record(
    session: Session,
    action: str,
    *,
    actor: int | None = None,
    subject: int | None = None,
    subject_kind: str | None = None,
    client_ip: str | None = None,
    **details: object,
) -> None:
    """Add an audit event.

    `action` is `area.happened`, e.g. `account.suspended`, and has a line in `SUBJECT_KINDS`. `actor` is the key of a
    user, `subject` the key of the object. `subject_kind` is given if `SUBJECT_KINDS` has no kind.

    `details` must not contain secrets, email addresses, names or text that a user wrote. A key in them has a name of
    `DETAIL_KINDS` in `reads/audit_events.py`.
    """
    event = _event(action, actor, subject, subject_kind, client_ip, details)
    execute_dml(session, _INSERT, event)
    _note_for_metrics(session, action, details)


def record_each(
    session: Session, action: str, details_by_subject: Mapping[int, Mapping[str, object]], *, actor: int | None
) -> None:
    """Add an audit event for each subject, with its details, in one statement. Without subjects, do nothing."""
    if details_by_subject:
        events = [
            _event(action, actor, subject, None, None, details) for subject, details in details_by_subject.items()
        ]
        session.flush()
        session.connection().execute(_INSERT, events)
        for details in details_by_subject.values():
            _note_for_metrics(session, action, details)


def count_committed_events(session: Session) -> None:
    """Count the events of a committed session in the metrics."""
    for action, outcome in session.info.pop(RECORDED_EVENTS, ()):
        metrics.AUDIT_EVENTS.labels(action, outcome).inc()


def _note_for_metrics(session: Session, action: str, details: Mapping[str, object]) -> None:
    session.info.setdefault(RECORDED_EVENTS, []).append((action, str(details.get("outcome", ""))))


def _event(
    action: str,
    actor: int | None,
    subject: int | None,
    subject_kind: str | None,
    client_ip: str | None,
    details: Mapping[str, object],
) -> dict[str, object]:
    kind = None if subject is None else SUBJECT_KINDS.get(action) or subject_kind
    if action not in SUBJECT_KINDS or (kind is None) != (subject is None):
        raise ValueError(f"The kind of the subject of {action} is unknown. Add the action to SUBJECT_KINDS.")
    return {
        "happened_at": clock.now(),
        "action": action,
        "actor_id": actor,
        "subject_kind": kind,
        "subject_id": subject,
        "client_ip": client_ip,
        "details": details,
    }


def erase_client_ips(session: Session, user_key: int) -> None:
    """Erase the client IPs of a user's requests, because they are personal data.

    These are the requests that the user made as an actor, and those without an actor that were about the account.
    Client IPs from which super admins changed the account belong to the super admins, so they stay.
    """
    is_actor = AuditEvent.actor_id == user_key
    is_subject = (AuditEvent.subject_kind == USER, AuditEvent.subject_id == user_key, AuditEvent.actor_id.is_(None))
    for clauses in ((is_actor,), is_subject):
        has_ip = AuditEvent.client_ip.is_not(None)
        execute_dml(session, update(AuditEvent).where(*clauses, has_ip).values(client_ip=None))
