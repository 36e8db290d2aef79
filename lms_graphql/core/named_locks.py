"""Named locks: leases, locks and watermarks that several processes share, as one row for each name."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, UniqueConstraint, Update, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms_graphql.core import clock
from lms_graphql.core.database_clock import CLOCK_TOLERANCE, database_now
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
    is_taken = select(NamedLock.id).where(NamedLock.name == name, ~_is_due(database_now(session), interval))
    return session.scalar(is_taken) is None


def try_lease(session: Session, name: str, interval: timedelta) -> bool:
    """Take the lease for this interval if no process has it. Return whether this process got it.

    The database's clock decides. The lease is an UPDATE that only one process can make: an advisory lock would be
    known to one node of a cluster only. If two nodes update the row, the later transaction is rolled back at COMMIT
    and retried, and then changes nothing.
    """
    now = database_now(session)
    statement = update(NamedLock).where(NamedLock.name == name, _is_due(now, interval)).values(taken_at=now)
    return _update_or_insert(session, statement, name)


def renew_lease(session: Session, name: str) -> None:
    """Let the lease begin again. Call it while the work lasts, so that no other process begins the same work."""
    session.execute(update(NamedLock).where(NamedLock.name == name).values(taken_at=database_now(session)))


def _is_due(now: datetime, interval: timedelta) -> ColumnElement[bool]:
    """Return the condition for a lease that has ended. A time in the future is wrong, so it counts as ended, too."""
    return or_(NamedLock.taken_at <= now - interval, NamedLock.taken_at > now + CLOCK_TOLERANCE)


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
    """Return the time up to which the work of this name is done; EPOCH if it never began.

    EPOCH as well if the stored time is in the future: a machine whose clock was ahead has set it, and what changed
    since then is unknown.
    """
    taken_at = session.scalar(select(NamedLock.taken_at).where(NamedLock.name == name))
    return EPOCH if taken_at is None or taken_at > clock.now() + CLOCK_TOLERANCE else taken_at


def advance_watermark(session: Session, name: str, until: datetime) -> None:
    """Move the watermark forward to this time. A slower process cannot move it backward, except from the future."""
    session.execute(insert_ignore(NamedLock), {"name": name, "taken_at": EPOCH})
    is_older = or_(NamedLock.taken_at < until, NamedLock.taken_at > clock.now() + CLOCK_TOLERANCE)
    session.execute(update(NamedLock).where(NamedLock.name == name, is_older).values(taken_at=until))
