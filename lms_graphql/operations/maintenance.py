"""Maintenance: all periodic tasks, in order. Safe to run at any time, and in several processes at once."""

import time
from collections.abc import Callable
from typing import NamedTuple

import structlog
from sqlalchemy.exc import DBAPIError

from lms_graphql import wiring
from lms_graphql.accounts.services import retention
from lms_graphql.analytics.services import refresh
from lms_graphql.assessment.services import quiz_statistics, regrading, submission
from lms_graphql.billing.services import disputes, reconciliation, refund_calls
from lms_graphql.billing.services import expiration as purchase_expiration
from lms_graphql.billing.services.gateway_calls import PaymentResources
from lms_graphql.core import db_errors, metrics, tracing
from lms_graphql.core.database import Database
from lms_graphql.core.signing import Signer
from lms_graphql.learning.services import expiration, invitations, progress_recount
from lms_graphql.mail.delivery import DeliveryResult, deliver_due
from lms_graphql.mail.templates import SiteUrls
from lms_graphql.mail.transports import Transport, create_transport
from lms_graphql.operations.database_check import CheckResult
from lms_graphql.operations.secret_key import load_secret_key
from lms_graphql.settings import Settings

log = structlog.get_logger("lms_graphql.maintenance")


class TaskContext(NamedTuple):
    """Resources of a task. Without a `transport`, mail cannot be sent."""

    database: Database
    settings: Settings
    transport: Transport | None


Task = Callable[[TaskContext], list[str]]
"""
Does the work that is due and returns a line for each kind of it: none if nothing was due. A task claims its work with
conditional statements, so that the same task in another process finds it done.
"""


def send_mail(context: TaskContext) -> list[str]:
    """Send due mail in rounds, until a round sends nothing."""
    sent = failed = 0
    while (delivered := _deliver_once(context)).sent:
        sent += delivered.sent
        failed += delivered.failed
    failed += delivered.failed
    if not sent and not failed:
        return []
    return [f"mail: {sent} sent" + (f", {failed} failed (see `lms-graphql db check`)" if failed else "")]


def _deliver_once(context: TaskContext) -> DeliveryResult:
    settings = context.settings
    urls = SiteUrls(settings.public_url, settings.service_url)
    return deliver_due(context.database, context.transport, urls, settings.sender, settings.site_name)


def purge_expired(context: TaskContext) -> list[str]:
    minutes = context.settings.login_window_minutes
    number = context.database.write_sync(lambda session: retention.purge_expired(session, minutes))
    return (
        [f"accounts: {number} expired sessions, tokens, rate limits and idempotency keys deleted"] if number else []
    )


def expire_access(context: TaskContext) -> list[str]:
    number = expiration.expire_access(context.database)
    return [f"enrollments: {number} expired"] if number else []


def purge_invitations(context: TaskContext) -> list[str]:
    number = context.database.write_sync(invitations.purge_invitations)
    return [f"invitations: {number} deleted, which ended without being accepted"] if number else []


def recount_progress(context: TaskContext) -> list[str]:
    number = progress_recount.recount_pending(context.database, context.settings)
    return [f"progress: recounted for {number} enrollments"] if number else []


def refresh_analytics(context: TaskContext) -> list[str]:
    number = refresh.refresh_analytics(context.database)
    return [f"analytics: refreshed for {number} courses"] if number else []


def reconcile_payments(context: TaskContext) -> list[str]:
    number = reconciliation.reconcile_checkouts(payment_resources(context))
    return [f"payments: {number} reported by gateways"] if number else []


def cancel_purchases(context: TaskContext) -> list[str]:
    number = purchase_expiration.cancel_overdue(context.database)
    return [f"purchases: {number} cancelled, because they were not paid in time"] if number else []


def apply_disputes(context: TaskContext) -> list[str]:
    number = disputes.apply_stored_disputes(payment_resources(context))
    return [f"disputes: applied to {number} sales"] if number else []


def reconcile_refunds(context: TaskContext) -> list[str]:
    number = refund_calls.reconcile_refunds(payment_resources(context))
    return [f"refunds: {number} completed by gateways"] if number else []


def payment_resources(context: TaskContext) -> PaymentResources:
    signer = Signer(load_secret_key(context.settings))
    return PaymentResources.create(context.database, context.settings, signer)


def submit_attempts(context: TaskContext) -> list[str]:
    number = submission.submit_overdue(context.database, context.settings)
    return [f"attempts: {number} submitted at their deadline"] if number else []


def continue_regrades(context: TaskContext) -> list[str]:
    number = regrading.continue_regrades(context.database, context.settings)
    return [f"attempts: {number} regraded"] if number else []


def refresh_quiz_statistics(context: TaskContext) -> list[str]:
    number = quiz_statistics.refresh_quiz_statistics(context.database)
    return [f"quiz statistics: refreshed for {number} quizzes"] if number else []


MAINTENANCE_TASKS: dict[str, Task] = {
    "accounts": purge_expired,
    "enrollments": expire_access,
    "invitations": purge_invitations,
    "payments": reconcile_payments,  # before purchases are cancelled, so that a lost webhook does not end them
    "purchases": cancel_purchases,
    "disputes": apply_disputes,  # before refunds, because the bank has returned that money already
    "refunds": reconcile_refunds,  # after the tasks that find payments to refund
    "attempts": submit_attempts,
    "regrades": continue_regrades,
    "progress": recount_progress,
    "analytics": refresh_analytics,  # after the tasks that change its sources
    "quiz statistics": refresh_quiz_statistics,
    "mail": send_mail,  # last, because the others enqueue mail and a slow server must not delay them
}


def run_maintenance(database: Database, settings: Settings, transport: Transport | None = None) -> list[CheckResult]:
    """Run all tasks and return a result for each piece of work. A task that fails does not stop the next one.

    Raise DBAPIError if the database cannot be reached.
    """
    wiring.register_hooks()
    context = TaskContext(database, settings, transport or create_transport(settings))
    results = []
    for name, task in MAINTENANCE_TASKS.items():
        started, result = time.monotonic(), "failed"
        try:
            with tracing.span(name):
                results += [CheckResult(True, line) for line in task(context)]
            result = "ok"
        except Exception as error:
            if isinstance(error, DBAPIError) and db_errors.is_connect_error(error):
                raise
            log_failure("maintenance_task_failed", name, error)
            reason = f"{name}: failed with {type(error).__name__}. Look for maintenance_task_failed in the log."
            results.append(CheckResult(False, reason))
        finally:
            metrics.TASK_DURATION_SECONDS.labels(name, result).observe(time.monotonic() - started)
    metrics.LAST_MAINTENANCE.set_to_current_time()
    return results


def log_failure(event: str, task: str, error: Exception) -> None:
    """Log that a task failed: in one line if the database is unavailable, else with the traceback."""
    if db_errors.is_unavailable(error):
        log.warning(event, task=task, error=db_errors.describe(error))
    else:
        log.error(event, task=task, exc_info=error)
