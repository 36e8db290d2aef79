"""Write health: whether recent failures show that this process cannot write to its database."""

import time

from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

from lms_graphql.core import db_errors

PROBLEM_SECONDS = 10.0
"""How long a failed write counts. It is longer than the time between two checks of most load balancers."""


class WriteHealth:
    """The last problem that prevented a write with this engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._problem: str | None = None
        self._failed_at = float("-inf")

    def record_failure(self, error: Exception) -> None:
        """Record the error of a write, if other writes would fail for the same reason."""
        problem = db_errors.write_problem(error)
        if problem is not None:
            self._problem, self._failed_at = problem, time.monotonic()

    def problem(self) -> str | None:
        """Return why writes have failed in the last seconds; None if none has.

        An exhausted pool stays a problem for as long as no connection comes back.
        """
        is_recent = time.monotonic() - self._failed_at <= PROBLEM_SECONDS
        if is_recent or (self._problem == db_errors.POOL_EXHAUSTED and self._is_exhausted()):
            return self._problem
        self._problem = None
        return None

    def _is_exhausted(self) -> bool:
        pool = self._engine.pool
        return isinstance(pool, QueuePool) and pool.checkedout() >= pool.size()
