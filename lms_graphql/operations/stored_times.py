"""Stored times in the future, which a machine with a wrong clock has left behind: how to find and repair them.

Leases, watermarks and mails with such a time count as due, so that maintenance goes on. Everything else that compares
times waits until they have passed.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import RateLimitCounter
from lms_graphql.analytics.models import CourseAnalytics, InstructorAnalytics
from lms_graphql.catalog.counters import raise_course_versions
from lms_graphql.catalog.models import Lecture, Section
from lms_graphql.core.database_clock import CLOCK_TOLERANCE, database_now
from lms_graphql.core.named_locks import EPOCH, NamedLock
from lms_graphql.core.orm import Model, TimestampedModel
from lms_graphql.core.statements import execute_dml
from lms_graphql.mail.delivery import RETRY_DELAYS
from lms_graphql.mail.models import Mail


class StoredTime(NamedTuple):
    """A column of a model with times that are at most `max_lead` after now. `repaired` replaces later ones."""

    column: Any
    max_lead: timedelta = timedelta(0)
    repaired: datetime | None = None

    @property
    def label(self) -> str:
        return f"{self.column.class_.__tablename__}.{self.column.key}"

    def is_future(self, now: datetime) -> ColumnElement[bool]:
        condition: ColumnElement[bool] = self.column > now + self.max_lead + CLOCK_TOLERANCE
        return condition


def find_future_times(session: Session) -> list[str]:
    """Return a line for each column that has times in the future."""
    now = database_now(session)
    counts = {
        stored_time.label: session.scalar(select(func.count()).where(stored_time.is_future(now)))
        for stored_time in _stored_times()
    }
    return [f"{label}: {number} times in the future" for label, number in counts.items() if number]


def repair_future_times(session: Session) -> list[str]:
    """Replace times in the future, and return a line for each column that had any."""
    now, lines = database_now(session), []
    for stored_time in _stored_times():
        model = stored_time.column.class_
        if model in (Section, Lecture):
            raise_course_versions(session, model, stored_time.is_future(now))
        values: dict[str, Any] = {"updated_at": now} if issubclass(model, TimestampedModel) else {}
        values[stored_time.column.key] = stored_time.repaired or now
        if number := execute_dml(session, update(model).where(stored_time.is_future(now)).values(values)):
            lines.append(f"{stored_time.label}: {number} times in the future, repaired")
    return lines


def _stored_times() -> Iterator[StoredTime]:
    yield StoredTime(NamedLock.taken_at, repaired=EPOCH)  # a watermark of now would skip changes
    yield StoredTime(Mail.next_attempt_at, max_lead=RETRY_DELAYS[-1])
    yield StoredTime(RateLimitCounter.since)
    yield StoredTime(CourseAnalytics.as_of, repaired=EPOCH)
    yield StoredTime(InstructorAnalytics.as_of, repaired=EPOCH)
    for mapper in sorted(Model.registry.mappers, key=lambda mapper: mapper.class_.__name__):
        if issubclass(mapper.class_, TimestampedModel):
            yield StoredTime(mapper.class_.updated_at)
