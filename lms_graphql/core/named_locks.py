"""What several processes could do, and one does: a row for each such thing, which one of them moves on."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import UniqueConstraint, Update, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms_graphql.core import clock
from lms_graphql.core.orm import TABLE_OPTIONS, TimestampedModel, case_sensitive
from lms_graphql.core.statements import execute_dml, insert_ignore

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NamedLock(TimestampedModel):
    """When a thing was last begun, by whichever process it was."""

    __tablename__ = "named_locks"
    __table_args__ = (UniqueConstraint("name"), TABLE_OPTIONS)

    name: Mapped[str] = mapped_column(case_sensitive(40))
    taken_at: Mapped[datetime]


def is_lease_due(session: Session, name: str, every: timedelta) -> bool:
    """Whether to try for it: a read, so that those who come too early write nothing."""
    taken_at = session.scalar(select(NamedLock.taken_at).where(NamedLock.name == name))
    return taken_at is None or taken_at <= clock.now() - every


def try_lease(session: Session, name: str, every: timedelta) -> bool:
    """
    Whether this process has the turn. An UPDATE that only one can make: a lock with a name is known to one node of a
    cluster alone, while of two nodes' updates of one row the later is undone at COMMIT and run again, in vain.
    """
    now = clock.now()
    moved = update(NamedLock).where(NamedLock.name == name, NamedLock.taken_at <= now - every).values(taken_at=now)
    return _made(session, moved, name)


def lock(session: Session, name: str) -> None:
    """
    From here to the end of the transaction nobody else passes. To be called before anything is read: what was read
    before may be stale by now. On a cluster the later of two fails at its commit, and runs again.
    """
    _made(session, update(NamedLock).where(NamedLock.name == name).values(taken_at=clock.now()), name)


def _made(session: Session, move: Update, name: str) -> bool:
    if execute_dml(session, move) == 1:
        return True
    session.execute(insert_ignore(NamedLock), {"name": name, "taken_at": EPOCH})
    return execute_dml(session, move) == 1


def watermark(session: Session, name: str) -> datetime:
    """The instant up to which a thing is done, where it is one that works its way through time."""
    return session.scalar(select(NamedLock.taken_at).where(NamedLock.name == name)) or EPOCH


def advance_watermark(session: Session, name: str, until: datetime) -> None:
    """Forward only: who was slower than another does not take it back."""
    session.execute(insert_ignore(NamedLock), {"name": name, "taken_at": EPOCH})
    session.execute(
        update(NamedLock).where(NamedLock.name == name, NamedLock.taken_at < until).values(taken_at=until)
    )
