"""A database in memory and a gateway, for random sequences of money operations that call the services directly."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from lms_graphql.accounts.models import User
from lms_graphql.all_models import metadata
from lms_graphql.billing.gateways.interface import (
    Event,
    EventKind,
    GatewayRejectedError,
    GatewayUnavailableError,
    RefundResult,
)
from lms_graphql.billing.models import RefundStatus
from lms_graphql.billing.reads.processing_refunds import RefundCall
from lms_graphql.catalog.models import Course, CourseStatus
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.money import Money
from lms_graphql.settings import SESSION_SETTINGS_KEY, Settings
from tests.row_writer import START

P = ParamSpec("P")
T = TypeVar("T")

PRICE = 645
SETTINGS = Settings(payout_minimum=Decimal("1.00"))


class MemoryDatabase:
    """A SQLite database in memory with a course, two buyers, an instructor and a super admin. `reset` is quick."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._template = sqlite3.connect(":memory:", check_same_thread=False)
        self.engine = self._engine()
        metadata.create_all(self.engine)
        self.run(_add_people)
        self._connection.backup(self._template)

    def reset(self) -> None:
        self._template.backup(self._connection)

    def run(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a service in a transaction."""
        with Session(self.engine, expire_on_commit=False) as session:
            session.info[SESSION_SETTINGS_KEY] = SETTINGS
            result = work(session, *args, **kwargs)
            session.commit()
            return result

    @property
    def change_count(self) -> int:
        """Number of rows that were written so far."""
        return self._connection.total_changes

    def rows(self, statement: str) -> list[Any]:
        return self._connection.execute(statement).fetchall()

    def close(self) -> None:
        self.engine.dispose()
        self._connection.close()
        self._template.close()

    def _engine(self) -> Engine:
        self._connection.execute("PRAGMA foreign_keys = ON")
        engine = create_engine("sqlite://", creator=lambda: self._connection, poolclass=StaticPool)

        @event.listens_for(engine, "begin")
        def begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN")

        return engine


ADMIN, INSTRUCTOR = Actor(1, Role.SUPER_ADMIN), Actor(2, Role.INSTRUCTOR)
BUYERS = (Actor(3, Role.LEARNER), Actor(4, Role.LEARNER))
COURSE_KEY = 1


def _add_people(session: Session) -> None:
    for actor in (ADMIN, INSTRUCTOR, *BUYERS):
        names = {"first_name": "Ada", "last_name": f"Number{actor.key}", "username": f"person{actor.key}"}
        email = f"person{actor.key}@example.com"
        session.add(User(id=actor.key, role=actor.role, email=email, password_hash="x", **names))
    session.flush()
    values = {"title": "A course", "slug": "a-course", "price": PRICE, "currency": "USD", "published_at": START}
    state = {"description": "Words.", "status": CourseStatus.PUBLISHED}
    session.add(Course(id=COURSE_KEY, instructor_id=INSTRUCTOR.key, **state, **values))


class Clock:
    """The time of a sequence. It never stands still, so that no two rows have the same time."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now

    def advance(self, days: int) -> None:
        self._now += timedelta(days=days)


class Behavior(StrEnum):
    """Answer of the gateway to a refund."""

    SUCCESS = "success"
    PROCESSING = "processing"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    """It makes the refund, but its answer is lost."""


@dataclass
class ModelRefund:
    payment_id: str
    units: int
    status: RefundStatus


@dataclass
class ModelGateway:
    """A gateway with its own books. Its events can be delivered late, again and in any order."""

    paid: dict[str, int] = field(default_factory=dict)
    """Amount by payment id."""
    refunds: dict[str, ModelRefund] = field(default_factory=dict)
    """Refunds by their reference."""
    disputed: dict[str, int] = field(default_factory=dict)
    """Amount that a lost dispute has returned, by payment id."""
    events: list[Event] = field(default_factory=list)
    _reference_by_payment: dict[str, str] = field(default_factory=dict)

    def pay(self, reference: str, units: int) -> None:
        id = f"payment {len(self.paid)}"
        self.paid[id], self._reference_by_payment[id] = units, reference
        self._add_event(EventKind.PAYMENT_RECEIVED, reference, payment_id=id, amount=Money(units, "USD"))

    def decline(self, reference: str) -> None:
        self._add_event(EventKind.PAYMENT_FAILED, reference)

    def dispute(self, payment_id: str, kind: EventKind) -> None:
        if kind is EventKind.DISPUTE_LOST:
            self.disputed[payment_id] = self.disputed.get(payment_id, 0) + self.left(payment_id)
        ids = {"payment_id": payment_id, "dispute_id": f"dispute of {payment_id}"}
        self._add_event(kind, self._reference_by_payment[payment_id], **ids)

    def left(self, payment_id: str) -> int:
        refunded = sum(
            refund.units
            for refund in self.refunds.values()
            if refund.payment_id == payment_id and refund.status is not RefundStatus.FAILED
        )
        return self.paid[payment_id] - refunded - self.disputed.get(payment_id, 0)

    def refund(self, call: RefundCall, behavior: Behavior) -> RefundResult:
        """Make a refund, or return the state of the one with this reference."""
        if behavior is Behavior.UNAVAILABLE:
            raise GatewayUnavailableError
        if call.reference not in self.refunds:
            if behavior is Behavior.REJECTED:
                raise GatewayRejectedError
            if call.amount.units > self.left(call.payment_id):
                assert call.payment_id in self.disputed, "More than what was paid is refunded."
                raise GatewayRejectedError
            is_processing = behavior is Behavior.PROCESSING
            status = RefundStatus.PROCESSING if is_processing else RefundStatus.SUCCEEDED
            self.refunds[call.reference] = ModelRefund(call.payment_id, call.amount.units, status)
        if behavior is Behavior.TIMEOUT:
            raise GatewayUnavailableError
        return self._result(call.reference)

    def finish_refund(self, reference: str, *, succeeds: bool) -> None:
        refund = self.refunds[reference]
        if refund.status is RefundStatus.PROCESSING:
            refund.status = RefundStatus.SUCCEEDED if succeeds else RefundStatus.FAILED
            self._add_event(
                EventKind.REFUND_CHANGED, None, refund_reference=reference, refund=self._result(reference)
            )

    def _result(self, reference: str) -> RefundResult:
        return RefundResult(self.refunds[reference].status, f"refund of {reference}")

    def _add_event(self, kind: EventKind, reference: str | None, **facts: Any) -> None:
        self.events.append(Event(f"event {len(self.events)}", kind, reference=reference, **facts))
