"""`db check`: connection, server, clocks, migrations, derived columns, analytics and mail."""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from lms_graphql import wiring
from lms_graphql.accounts import search_index
from lms_graphql.analytics.services import refresh
from lms_graphql.assessment.services import results_repair
from lms_graphql.billing.services import ledger_repair
from lms_graphql.catalog import counters
from lms_graphql.core import clock, database_clock
from lms_graphql.core.errors import OperatorError
from lms_graphql.discussion import counters as discussion_counters
from lms_graphql.learning.services import progress_repair
from lms_graphql.mail.outbox_status import outbox_status
from lms_graphql.operations import migrations, stored_times
from lms_graphql.settings import Settings

RECENT_FAILURE = timedelta(days=1)
"""An older failure is reported but does not fail the check, because operators can no longer repair it."""


class CheckResult(NamedTuple):
    ok: bool
    text: str


def check_database(session: Session, settings: Settings) -> list[CheckResult]:
    """Return one result for each thing that was checked. Without all migrations, nothing after them is checked."""
    wiring.register_hooks()  # upper packages add what a course requires
    results = [*_server(session), _clocks(session)]
    migration = _migration(session)
    results.append(migration)
    if not migration.ok:
        return results
    drift = [
        *search_index.find_term_drift(session),
        *counters.find_counter_drift(session),
        *discussion_counters.find_counter_drift(session),
        *progress_repair.find_progress_drift(session),
        *results_repair.find_result_drift(session),
        *refresh.find_analytics_drift(session),
        *ledger_repair.find_ledger_drift(session),
    ]
    if not drift:
        results.append(CheckResult(True, "derived columns: correct"))
    drift += stored_times.find_future_times(session)
    results += [CheckResult(False, f"{line}. Run `lms-graphql db repair`.") for line in drift]
    results += _ledger(session)
    return [*results, _analytics(session), *_mail(session, settings)]


def _server(session: Session) -> list[CheckResult]:
    bind = session.get_bind()
    is_sqlite = bind.dialect.name == "sqlite"
    version = session.scalar(text("SELECT sqlite_version()" if is_sqlite else "SELECT VERSION()"))
    name = "SQLite" if is_sqlite else ("" if "MariaDB" in str(version) else "MySQL")
    return [
        CheckResult(True, f"connection: {bind.engine.url.render_as_string()}"),
        CheckResult(True, f"server: {f'{name} {version}'.strip()}"),
    ]


def _clocks(session: Session) -> CheckResult:
    seconds = database_clock.seconds_ahead(session)
    if not database_clock.differs(seconds):
        return CheckResult(True, "clocks: this machine and the database agree")
    direction = "ahead of" if seconds > 0 else "behind"
    advice = "Synchronize both, for example with NTP."
    return CheckResult(False, f"clocks: this machine is {abs(seconds):,.0f} s {direction} the database. {advice}")


def _migration(session: Session) -> CheckResult:
    try:
        current, newest = migrations.current(session.connection()), migrations.head()
    except OperatorError as error:
        return CheckResult(False, f"migrations: {error}")
    if current != newest:
        state = "no tables yet" if current is None else f"at {current}, the newest is {newest}"
        return CheckResult(False, f"migrations: {state}. Run `lms-graphql db migrate`.")
    return CheckResult(True, f"migrations: at {current}, the newest")


def _ledger(session: Session) -> list[CheckResult]:
    """Return each broken rule of the ledger. It is not repaired, because that would invent money."""
    advice = "Compare them with `audit_events`: `db repair` does not change them."
    errors = [CheckResult(False, f"{line}. {advice}") for line in ledger_repair.find_ledger_errors(session)]
    return errors or [CheckResult(True, "ledger: sales, refunds, earnings and payouts agree")]


def _analytics(session: Session) -> CheckResult:
    """Return the state of analytics, which is never a failure: courses wait until the next maintenance."""
    as_of, waiting = refresh.analytics_state(session)
    state = "not computed yet" if as_of is None else f"complete up to {as_of:%Y-%m-%d %H:%M} UTC"
    return CheckResult(True, f"analytics: {state}, {waiting} courses to refresh")


def _mail(session: Session, settings: Settings) -> list[CheckResult]:
    status = outbox_status(session)
    waiting = "none waiting"
    if status.oldest:
        waiting = f"{status.waiting} waiting, the oldest since {status.oldest:%Y-%m-%d %H:%M} UTC"
    error = f"; the last error: {status.waiting_error}" if status.waiting_error else ""
    results = [CheckResult(True, f"mail: {waiting}{error}")]
    if settings.is_production and settings.smtp_url is None:
        results.append(CheckResult(not status.waiting, "mail: stays in the outbox. Set LMS_SMTP_URL to send it."))
    if status.failed_at is not None:
        is_old = status.failed_at < clock.now() - RECENT_FAILURE
        last = f"the last at {status.failed_at:%Y-%m-%d %H:%M} UTC: {status.failed_error}"
        advice = "Check the mail server: failed mails are not sent again."
        results.append(CheckResult(is_old, f"mail: {status.failed} failed, {last}. {advice}"))
    return results
