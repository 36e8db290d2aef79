"""Audit log: events, written in the transaction of the change that they record, and never updated."""

from sqlalchemy import insert
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AuditEvent
from lms_graphql.core import clock
from lms_graphql.core.statements import execute_dml

_INSERT = insert(AuditEvent)


def record(
    session: Session,
    action: str,
    *,
    actor: int | None = None,
    subject: int | None = None,
    client_ip: str | None = None,
    **details: object,
) -> None:
    """Add an audit event.

    `action` is `area.happened`, e.g. `account.suspended`. `actor` and `subject` are keys of users. `details` must not
    contain secrets, email addresses or text that a user wrote.
    """
    event = {"happened_at": clock.now(), "action": action, "client_ip": client_ip, "details": details}
    execute_dml(session, _INSERT, {**event, "actor_id": actor, "subject_id": subject})
