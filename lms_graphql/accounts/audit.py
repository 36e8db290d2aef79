"""What is kept of who did what: a row in the same transaction, never changed."""

from sqlalchemy import insert
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AuditEvent
from lms_graphql.core import clock
from lms_graphql.core.statements import execute_dml

_INSERT = insert(AuditEvent)


def record(
    session: Session,
    what: str,
    *,
    actor: int | None = None,
    subject: int | None = None,
    origin: str | None = None,
    **details: object,
) -> None:
    """
    `what` is `area.happened`, e.g. `account.suspended`; `actor` and `subject` are users' keys; `origin` is where the
    request came from. Details hold no secret, address or text that a person wrote.
    """
    event = {"happened_at": clock.now(), "what": what, "origin": origin, "details": details}
    execute_dml(session, _INSERT, {**event, "actor_id": actor, "subject_id": subject})
