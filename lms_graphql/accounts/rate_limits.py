"""Rate limits on failures, counted in the database so that they hold across processes.

An attempt is consumed before it is made and refunded if it succeeds. If it were counted afterwards, all concurrent
attempts would pass the limit.
"""

from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from sqlalchemy import BindParameter, bindparam, case, delete, or_, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import RateLimitCounter
from lms_graphql.core import clock
from lms_graphql.core.orm import UtcDateTime
from lms_graphql.core.statements import NOW, execute_dml, insert_ignore

NETWORK_PREFIXES = {4: 24, 6: 64}
"""Bits of an address that identify a client's network, by IP version. Clients can change the other bits freely."""


class RateLimit(NamedTuple):
    """At most `limit` failures of this key within `minutes` minutes of the first one."""

    key: str
    limit: int
    minutes: int


_KEY: BindParameter[str] = bindparam("counter_key")
_WINDOW_START: BindParameter[datetime] = bindparam("window_start", type_=UtcDateTime())
_HAS_EXPIRED = RateLimitCounter.since <= _WINDOW_START
_CONSUME = (
    update(RateLimitCounter)
    .where(RateLimitCounter.key == _KEY, or_(_HAS_EXPIRED, RateLimitCounter.failures < bindparam("max_failures")))
    # `failures` comes first, because MySQL assigns from left to right and would see the new value of `since`.
    .ordered_values(
        (RateLimitCounter.failures, case((_HAS_EXPIRED, 1), else_=RateLimitCounter.failures + 1)),
        (RateLimitCounter.since, case((_HAS_EXPIRED, NOW), else_=RateLimitCounter.since)),
    )
)
_REFUND = (
    update(RateLimitCounter)
    .where(RateLimitCounter.key == _KEY, RateLimitCounter.failures > 0)
    .values(failures=RateLimitCounter.failures - 1)
)


def client_network(client_ip: str) -> str:
    """Return the network of a client: /24 of an IPv4 address, /64 of an IPv6 address, else the text itself."""
    try:
        ip = ip_address(client_ip)
    except ValueError:  # a Unix socket has no address
        return client_ip
    return str(ip_network((ip, NETWORK_PREFIXES[ip.version]), strict=False))


def consume(session: Session, rate_limit: RateLimit) -> bool:
    """Count an attempt and return True. Return False, without counting it, if the limit is reached."""
    if _consume_existing(session, rate_limit):
        return True
    session.execute(insert_ignore(RateLimitCounter), {"key": rate_limit.key, "failures": 0, "since": clock.now()})
    return _consume_existing(session, rate_limit)


def refund(session: Session, key: str) -> None:
    """Uncount an attempt that did not fail."""
    execute_dml(session, _REFUND, {"counter_key": key})


def reset(session: Session, key: str) -> None:
    execute_dml(session, delete(RateLimitCounter).where(RateLimitCounter.key == key))


def _consume_existing(session: Session, rate_limit: RateLimit) -> bool:
    now = clock.now()
    binds = {
        "counter_key": rate_limit.key,
        "max_failures": rate_limit.limit,
        "now": now,
        "window_start": now - timedelta(minutes=rate_limit.minutes),
    }
    return execute_dml(session, _CONSUME, binds) == 1
