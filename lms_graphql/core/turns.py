"""What several processes could do, and one does: a row for each such thing, which one of them moves on."""

from datetime import datetime, timedelta

from sqlalchemy import UniqueConstraint, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms_graphql.core import clock
from lms_graphql.core.orm import EVERYWHERE, Table, exact


class Turn(Table):
    """When a thing was last begun, by whichever process it was."""

    __tablename__ = "turns"
    __table_args__ = (UniqueConstraint("name"), EVERYWHERE)

    name: Mapped[str] = mapped_column(exact(40))
    taken_at: Mapped[datetime]


def is_due(session: Session, name: str, every: timedelta) -> bool:
    """Whether to try for it: a read, so that those who come too early write nothing."""
    taken_at = session.scalar(select(Turn.taken_at).where(Turn.name == name))
    return taken_at is None or taken_at <= clock.now() - every


def take(session: Session, name: str, every: timedelta) -> bool:
    """
    Whether this process has the turn. An UPDATE that only one can make: a lock with a name is known to one node of a
    cluster alone, while of two nodes' updates of one row the later is undone at COMMIT and run again, in vain.
    """
    now = clock.now()
    moved = update(Turn).where(Turn.name == name, Turn.taken_at <= now - every).values(taken_at=now)
    if session.connection().execute(moved).rowcount == 1:
        return True
    if session.scalar(select(Turn.id).where(Turn.name == name)) is not None:
        return False
    try:
        session.execute(insert(Turn).values(name=name, taken_at=now))
    except IntegrityError:  # another process was first, ever
        session.rollback()
        return False
    return True
