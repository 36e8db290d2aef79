"""How often something may fail, counted in the database, so that it holds across processes.

A try is counted before it is made and given back where it succeeds: counted afterwards, as many as come at once would
slip through.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import BindParameter, bindparam, case, delete, or_, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import RateLimitCounter
from lms_graphql.core import clock
from lms_graphql.core.orm import UtcDateTime
from lms_graphql.core.statements import NOW, execute_dml, insert_ignore


class RateLimit(NamedTuple):
    """At most so many failures of this key within so many minutes of the first."""

    key: str
    limit: int
    minutes: int


_KEY: BindParameter[str] = bindparam("of")
_HORIZON: BindParameter[datetime] = bindparam("horizon", type_=UtcDateTime())
_IS_OVER = RateLimitCounter.since <= _HORIZON
_COUNT = (
    update(RateLimitCounter)
    .where(RateLimitCounter.key == _KEY, or_(_IS_OVER, RateLimitCounter.failures < bindparam("most")))
    # MySQL assigns from left to right and would see a `since` that it has just set: `failures` comes first.
    .ordered_values(
        (RateLimitCounter.failures, case((_IS_OVER, 1), else_=RateLimitCounter.failures + 1)),
        (RateLimitCounter.since, case((_IS_OVER, NOW), else_=RateLimitCounter.since)),
    )
)
_GIVE_BACK = (
    update(RateLimitCounter)
    .where(RateLimitCounter.key == _KEY, RateLimitCounter.failures > 0)
    .values(failures=RateLimitCounter.failures - 1)
)


def consume(session: Session, allowed: RateLimit) -> bool:
    """Counts a try. False, and not counted, where there were too many."""
    if _counted(session, allowed):
        return True
    session.execute(insert_ignore(RateLimitCounter), {"key": allowed.key, "failures": 0, "since": clock.now()})
    return _counted(session, allowed)


def refund(session: Session, key: str) -> None:
    """The try did not fail."""
    execute_dml(session, _GIVE_BACK, {"of": key})


def reset(session: Session, key: str) -> None:
    execute_dml(session, delete(RateLimitCounter).where(RateLimitCounter.key == key))


def _counted(session: Session, allowed: RateLimit) -> bool:
    now = clock.now()
    horizon = now - timedelta(minutes=allowed.minutes)
    binds = {"of": allowed.key, "most": allowed.limit, "now": now, "horizon": horizon}
    return execute_dml(session, _COUNT, binds) == 1
