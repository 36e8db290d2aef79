"""What is to be done from time to time: all of it in one list. As often as wanted, and twice at once."""

from collections.abc import Callable
from typing import NamedTuple

import structlog
from sqlalchemy.exc import DBAPIError

from lms_graphql import wiring
from lms_graphql.accounts.service import forgetting
from lms_graphql.core import faults
from lms_graphql.core.database import Database
from lms_graphql.learning.service import expiring, recounting, rolling_up
from lms_graphql.mail.carriers import Carrier, carrier_of
from lms_graphql.mail.delivery import Delivered, deliver
from lms_graphql.mail.openings import Links
from lms_graphql.operating.checking import Line
from lms_graphql.settings import Settings

log = structlog.get_logger("lms_graphql.sweep")


class Means(NamedTuple):
    """What a task works with. `carrier` is None where mail cannot leave."""

    database: Database
    settings: Settings
    carrier: Carrier | None


Task = Callable[[Means], list[str]]
"""
Does what is due, and tells it in lines; none where there was nothing. It takes each thing by a conditional UPDATE, so
that another process with the same task finds it taken.
"""


def send_mail(means: Means) -> list[str]:
    all_sent = all_failed = 0
    while (delivered := deliver_once(means)).sent:
        all_sent += delivered.sent
        all_failed += delivered.failed
    all_failed += delivered.failed
    if not all_sent and not all_failed:
        return []
    return [f"mail: {all_sent} sent" + (f", {all_failed} not sent, to be tried again" if all_failed else "")]


def deliver_once(means: Means) -> Delivered:
    settings = means.settings
    return deliver(means.database, means.carrier, Links(settings.public_url), settings.mail_from)


def forget_stale(means: Means) -> list[str]:
    minutes = means.settings.login_window_minutes
    number = means.database.write_now(lambda session: forgetting.forget_stale(session, minutes))
    return [f"accounts: {number} rows forgotten that were of no more use"] if number else []


def expire_access(means: Means) -> list[str]:
    number = expiring.expire_access(means.database)
    return [f"enrollments: {number} whose access has run out"] if number else []


def recount_progress(means: Means) -> list[str]:
    number = recounting.recount_marked(means.database, means.settings)
    return [f"progress: counted anew for {number} enrollments"] if number else []


def count_figures(means: Means) -> list[str]:
    number = rolling_up.roll_up(means.database)
    return [f"figures for instructors: counted anew for {number} courses"] if number else []


TASKS: dict[str, Task] = {
    "accounts": forget_stale,
    "access": expire_access,
    "progress": recount_progress,
    "figures": count_figures,  # after what changes them
    "mail": send_mail,  # the last: it sends what the others cause, and a slow server delays none of them
}


def sweep(database: Database, settings: Settings, carrier: Carrier | None = None) -> list[Line]:
    """A line for each thing that was done, or went wrong: then the next task has its turn all the same."""
    wiring.connect()
    means = Means(database, settings, carrier or carrier_of(settings))
    lines = []
    for name, task in TASKS.items():
        try:
            lines += [Line(True, line) for line in task(means)]
        except Exception as error:
            if isinstance(error, DBAPIError) and faults.cannot_connect(error):
                raise
            log.exception("sweep_task_failed", task=name)
            lines.append(Line(False, f"{name}: {type(error).__name__}. The log says more."))
    return lines
