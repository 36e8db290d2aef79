"""Audit events as rows. Super admins alone see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import AuditEvent
from lms_graphql.accounts.policies import audit_events_visible_to
from lms_graphql.core import global_ids
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows

DETAIL_KINDS = {
    "certificate": "Certificate",
    "course": "Course",
    "enrollment": "Enrollment",
    "former_instructor": "User",
    "instructor": "User",
    "invitations": "Invitation",
    "quiz": "Quiz",
    "refund": "Refund",
    "user": "User",
}
"""Kinds of the objects whose keys are in details, by the name of the detail. Clients get their global ids."""
ESSAY_QUESTION_ACTION = "attempt.graded"
"""Action whose detail `question` is a key. People grade essays only, so it is the key of an essay question."""


class AuditDetailRow(NamedTuple):
    name: str
    value: str


@with_global_id("AuditEvent")
class AuditEventRow(NamedTuple):
    key: int
    action: str
    actor_key: int | None
    subject_kind: str | None
    subject_key: int | None
    client_ip: str | None
    raw_details: Mapping[str, Any]
    created_at: datetime

    @property
    def subject_id(self) -> str | None:
        if self.subject_kind is None or self.subject_key is None:
            return None
        return global_ids.encode(self.subject_kind, self.subject_key)

    @property
    def details(self) -> list[AuditDetailRow]:
        details = (self.raw_details or {}).items()
        return [AuditDetailRow(name, self._text(name, value)) for name, value in details if value is not None]

    def _text(self, name: str, value: object) -> str:
        """Return a detail as text: the id of an object, a number or a word, or several with commas between them."""
        if isinstance(value, list):
            return ", ".join(self._text(name, item) for item in value)
        if isinstance(value, bool):
            return "true" if value else "false"
        is_essay = name == "question" and self.action == ESSAY_QUESTION_ACTION
        kind = "EssayQuestion" if is_essay else DETAIL_KINDS.get(name)
        return global_ids.encode(kind, value) if isinstance(value, int) and kind is not None else str(value)


EVENTS = select(
    AuditEvent.id,
    AuditEvent.action,
    AuditEvent.actor_id,
    AuditEvent.subject_kind,
    AuditEvent.subject_id,
    AuditEvent.client_ip,
    AuditEvent.details,
    AuditEvent.happened_at,
)
_NEWEST = SortOrder(
    "auditEvents:newest",
    (
        SortKey(AuditEvent.happened_at, lambda row: row.created_at, datetime),
        SortKey(AuditEvent.id, lambda row: row.key, int),
    ),
    descending=True,
)


@dataclass(frozen=True, slots=True)
class AuditEventFilter:
    """Conditions on audit events. None means no condition. `subject` is a kind and a key."""

    action: str | None = None
    actor_key: int | None = None
    subject: tuple[str, int] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@cache
def _events_by_key(access_level: AccessLevel) -> RowSelect:
    return EVENTS.where(AuditEvent.id.in_(KEYS), audit_events_visible_to(access_level))


def audit_events_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, AuditEventRow]:
    rows = fetch_rows(session, _events_by_key(actor.access_level), {"keys": keys})
    return {row[0]: AuditEventRow._make(row) for row in rows}


@lru_cache(maxsize=64)
def audit_events(conditions: AuditEventFilter) -> ListQuery:
    """Return the events that match, newest first, for any actor: the field requires a super admin."""
    return ListQuery(EVENTS.where(*_clauses(conditions)), AuditEventRow._make, _NEWEST)


def _clauses(conditions: AuditEventFilter) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if conditions.action is not None:
        clauses.append(AuditEvent.action == conditions.action)
    if conditions.actor_key is not None:
        clauses.append(AuditEvent.actor_id == conditions.actor_key)
    if conditions.subject is not None:
        kind, key = conditions.subject
        clauses += [AuditEvent.subject_kind == kind, AuditEvent.subject_id == key]
    if conditions.created_after is not None:
        clauses.append(AuditEvent.happened_at > conditions.created_after)
    if conditions.created_before is not None:
        clauses.append(AuditEvent.happened_at < conditions.created_before)
    return clauses
