"""Named locks: leases, locks and watermarks that several processes share, as one row for each name."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import UniqueConstraint, Update, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms_graphql.core import clock
from lms_graphql.core.orm import TABLE_OPTIONS, TimestampedModel, case_sensitive
from lms_graphql.core.statements import execute_dml, insert_ignore

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NamedLock(TimestampedModel):
    """A name with the time at which a process last took it. For a watermark: the time that it has reached."""

    __tablename__ = "named_locks"
    __table_args__ = (UniqueConstraint("name"), TABLE_OPTIONS)

    name: Mapped[str] = mapped_column(case_sensitive(40))
    taken_at: Mapped[datetime]


def is_lease_due(session: Session, name: str, interval: timedelta) -> bool:
    """Return whether the lease can be tried. This only reads, so that processes that come too early write nothing."""
    taken_at = session.scalar(select(NamedLock.taken_at).where(NamedLock.name == name))
    return taken_at is None or taken_at <= clock.now() - interval


def try_lease(session: Session, name: str, interval: timedelta) -> bool:
    """Take the lease for this interval if no process has it. Return whether this process got it.

    It is an UPDATE that only one process can make. An advisory lock would be known to one node of a cluster only. If
    two nodes update the row, the later transaction is rolled back at COMMIT and retried, and then changes nothing.
    """
    now = clock.now()
    statement = (
        update(NamedLock).where(NamedLock.name == name, NamedLock.taken_at <= now - interval).values(taken_at=now)
    )
    return _update_or_insert(session, statement, name)


def lock(session: Session, name: str) -> None:
    """Lock the name until the end of the transaction.

    Call it before anything is read, because what was read before may be stale. On a cluster, the later of two
    transactions fails at its commit and is retried.
    """
    statement = update(NamedLock).where(NamedLock.name == name).values(taken_at=clock.now())
    _update_or_insert(session, statement, name)


def _update_or_insert(session: Session, statement: Update, name: str) -> bool:
    """Run the UPDATE, and if it changes nothing, once more after creating a missing row. Return whether it did."""
    if execute_dml(session, statement) == 1:
        return True
    session.execute(insert_ignore(NamedLock), {"name": name, "taken_at": EPOCH})
    return execute_dml(session, statement) == 1


def watermark(session: Session, name: str) -> datetime:
    """Return the time up to which the work of this name is done; EPOCH if it never began."""
    return session.scalar(select(NamedLock.taken_at).where(NamedLock.name == name)) or EPOCH


def advance_watermark(session: Session, name: str, until: datetime) -> None:
    """Move the watermark forward to this time. A slower process cannot move it backward."""
    session.execute(insert_ignore(NamedLock), {"name": name, "taken_at": EPOCH})
    session.execute(
        update(NamedLock).where(NamedLock.name == name, NamedLock.taken_at < until).values(taken_at=until)
    )
