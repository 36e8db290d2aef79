"""What is to be done from time to time: all of it in one list. As often as wanted, and twice at once."""

from collections.abc import Callable
from typing import NamedTuple

import structlog
from sqlalchemy.exc import DBAPIError

from lms_graphql import wiring
from lms_graphql.accounts.services import retention
from lms_graphql.analytics.services import refresh
from lms_graphql.core import db_errors
from lms_graphql.core.database import Database
from lms_graphql.learning.services import expiration, progress_recount
from lms_graphql.mail.delivery import DeliveryResult, deliver_due
from lms_graphql.mail.templates import FrontendUrls
from lms_graphql.mail.transports import Transport, create_transport
from lms_graphql.operations.database_check import CheckResult
from lms_graphql.settings import Settings

log = structlog.get_logger("lms_graphql.sweep")


class TaskContext(NamedTuple):
    """What a task works with. `carrier` is None where mail cannot leave."""

    database: Database
    settings: Settings
    carrier: Transport | None


Task = Callable[[TaskContext], list[str]]
"""
Does what is due, and tells it in lines; none where there was nothing. It takes each thing by a conditional UPDATE, so
that another process with the same task finds it taken.
"""


def send_mail(means: TaskContext) -> list[str]:
    all_sent = all_failed = 0
    while (delivered := deliver_once(means)).sent:
        all_sent += delivered.sent
        all_failed += delivered.failed
    all_failed += delivered.failed
    if not all_sent and not all_failed:
        return []
    return [f"mail: {all_sent} sent" + (f", {all_failed} not sent, to be tried again" if all_failed else "")]


def deliver_once(means: TaskContext) -> DeliveryResult:
    settings = means.settings
    return deliver_due(means.database, means.carrier, FrontendUrls(settings.public_url), settings.mail_from)


def purge_expired(means: TaskContext) -> list[str]:
    minutes = means.settings.login_window_minutes
    number = means.database.write_sync(lambda session: retention.purge_expired(session, minutes))
    return [f"accounts: {number} rows forgotten that were of no more use"] if number else []


def expire_access(means: TaskContext) -> list[str]:
    number = expiration.expire_access(means.database)
    return [f"enrollments: {number} whose access has run out"] if number else []


def recount_progress(means: TaskContext) -> list[str]:
    number = progress_recount.recount_pending(means.database, means.settings)
    return [f"progress: counted anew for {number} enrollments"] if number else []


def refresh_analytics(means: TaskContext) -> list[str]:
    number = refresh.refresh_analytics(means.database)
    return [f"figures for instructors: counted anew for {number} courses"] if number else []


MAINTENANCE_TASKS: dict[str, Task] = {
    "accounts": purge_expired,
    "access": expire_access,
    "progress": recount_progress,
    "figures": refresh_analytics,  # after what changes them
    "mail": send_mail,  # the last: it sends what the others cause, and a slow server delays none of them
}


def run_maintenance(database: Database, settings: Settings, carrier: Transport | None = None) -> list[CheckResult]:
    """A line for each thing that was done, or went wrong: then the next task has its turn all the same."""
    wiring.register_hooks()
    means = TaskContext(database, settings, carrier or create_transport(settings))
    lines = []
    for name, task in MAINTENANCE_TASKS.items():
        try:
            lines += [CheckResult(True, line) for line in task(means)]
        except Exception as error:
            if isinstance(error, DBAPIError) and db_errors.is_connect_error(error):
                raise
            log.exception("sweep_task_failed", task=name)
            lines.append(CheckResult(False, f"{name}: {type(error).__name__}. The log says more."))
    return lines
