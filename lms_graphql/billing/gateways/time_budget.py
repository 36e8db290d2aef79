"""Time that an operation at a gateway may take, over all of its HTTP calls."""

import time
from typing import NamedTuple

from lms_graphql.billing.gateways.interface import GatewayUnavailableError

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 7.0
"""A request to our API has ten seconds, and the database needs some of them."""
MIN_SECONDS = 0.1
"""Less time is not worth a call."""


class CallTimeouts(NamedTuple):
    """Seconds that a call may take to connect, and then to wait for its response."""

    connect: float
    read: float


class TimeBudget:
    """Time that is left for an operation. It starts when the budget is created."""

    def __init__(self, seconds: float = TOTAL_SECONDS) -> None:
        self._ends_at = time.monotonic() + seconds

    def timeouts(self) -> CallTimeouts:
        """Return the timeouts of the next call. Raise GatewayUnavailableError if no time is left."""
        remaining = self._ends_at - time.monotonic()
        if remaining < MIN_SECONDS:
            raise GatewayUnavailableError("The time for this operation is over.")
        connect = min(CONNECT_SECONDS, remaining / 2)
        return CallTimeouts(connect, remaining - connect)
