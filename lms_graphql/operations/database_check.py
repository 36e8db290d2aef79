"""`db check`: whether the database is there, migrated, its derived figures right, and mail on its way."""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from lms_graphql import wiring
from lms_graphql.analytics.services import refresh
from lms_graphql.catalog import counters
from lms_graphql.core import clock
from lms_graphql.core.errors import OperatorError
from lms_graphql.discussion import counters as discussion
from lms_graphql.learning.services import progress_repair
from lms_graphql.mail.outbox_status import outbox_status
from lms_graphql.operations import migrations
from lms_graphql.settings import Settings

RECENT_FAILURE = timedelta(days=1)
"""Nobody can mend a mail that failed last month, so it is told, and no longer a fault."""


class CheckResult(NamedTuple):
    ok: bool
    text: str


def check_database(session: Session, settings: Settings) -> list[CheckResult]:
    wiring.register_hooks()  # what a course requires is told from above
    bind = session.get_bind()
    is_sqlite = bind.dialect.name == "sqlite"
    version = session.scalar(text("SELECT sqlite_version()" if is_sqlite else "SELECT VERSION()"))
    name = "SQLite" if is_sqlite else ("" if "MariaDB" in str(version) else "MySQL")
    lines = [CheckResult(True, f"connection: {bind.engine.url.render_as_string()}")]
    lines.append(CheckResult(True, f"server: {f'{name} {version}'.strip()}"))
    try:
        current, newest = migrations.current(session.connection()), migrations.head()
    except OperatorError as error:
        return [*lines, CheckResult(False, f"migrations: {error}")]
    if current != newest:
        state = "no tables yet" if current is None else f"at {current}, the newest is {newest}"
        return [*lines, CheckResult(False, f"migrations: {state}. Run `lms-graphql db migrate`.")]
    lines.append(CheckResult(True, f"migrations: at {current}, the newest"))
    wrong = [
        *counters.find_counter_drift(session),
        *discussion.find_counter_drift(session),
        *progress_repair.find_progress_drift(session),
        *refresh.find_analytics_drift(session),
    ]
    if not wrong:
        lines.append(CheckResult(True, "derived figures: right"))
    lines += [CheckResult(False, f"{line}. Run `lms-graphql db repair`.") for line in wrong]
    return [*lines, _counted(session), *_mail(session, settings)]


def _counted(session: Session) -> CheckResult:
    """Not a fault: they wait for as long as nobody sweeps."""
    reached, waiting = refresh.analytics_state(session)
    when = "never counted" if reached is None else f"as of {reached:%Y-%m-%d %H:%M} UTC"
    return CheckResult(True, f"figures for instructors: {when}, {waiting} courses to be counted by the next sweep")


def _mail(session: Session, settings: Settings) -> list[CheckResult]:
    state = outbox_status(session)
    tried = f"; the last error: {state.waiting_error}" if state.waiting_error else ""
    waits = f"{state.waiting} waiting, the oldest since {state.oldest:%Y-%m-%d %H:%M} UTC" if state.oldest else "none"
    lines = [CheckResult(True, f"mail in the outbox: {waits}{tried}")]
    if settings.is_production and settings.smtp_url is None:
        lines.append(CheckResult(not state.waiting, "mail: it stays in the outbox, because LMS_SMTP_URL is not set"))
    if state.failed_at is not None:
        is_old = state.failed_at < clock.now() - RECENT_FAILURE
        failed = f"{state.failed} given up, the last {state.failed_at:%Y-%m-%d %H:%M} UTC: {state.failed_error}"
        lines.append(CheckResult(is_old, f"mail that could not be sent: {failed}"))
    return lines
