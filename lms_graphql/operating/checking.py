"""`db check`: whether the database is there, migrated, its derived figures right, and mail on its way."""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from lms_graphql import wiring
from lms_graphql.catalog import figures
from lms_graphql.core import clock
from lms_graphql.core.errors import OperatorError
from lms_graphql.discussion import figures as discussion
from lms_graphql.learning.service import mending, rolling_up
from lms_graphql.mail.reads import outbox
from lms_graphql.operating import migrations
from lms_graphql.settings import Settings

FAILED_LATELY = timedelta(days=1)
"""Nobody can mend a mail that failed last month, so it is told, and no longer a fault."""


class Line(NamedTuple):
    ok: bool
    text: str


def check(session: Session, settings: Settings) -> list[Line]:
    wiring.connect()  # what a course requires is told from above
    bind = session.get_bind()
    is_sqlite = bind.dialect.name == "sqlite"
    version = session.scalar(text("SELECT sqlite_version()" if is_sqlite else "SELECT VERSION()"))
    name = "SQLite" if is_sqlite else ("" if "MariaDB" in str(version) else "MySQL")
    lines = [Line(True, f"connection: {bind.engine.url.render_as_string()}")]
    lines.append(Line(True, f"server: {f'{name} {version}'.strip()}"))
    try:
        current, newest = migrations.current(session.connection()), migrations.head()
    except OperatorError as error:
        return [*lines, Line(False, f"migrations: {error}")]
    if current != newest:
        state = "no tables yet" if current is None else f"at {current}, the newest is {newest}"
        return [*lines, Line(False, f"migrations: {state}. Run `lms-graphql db migrate`.")]
    lines.append(Line(True, f"migrations: at {current}, the newest"))
    wrong = [*figures.drift(session), *discussion.drift(session), *mending.drift(session), *rolling_up.wrong(session)]
    if not wrong:
        lines.append(Line(True, "derived figures: right"))
    lines += [Line(False, f"{line}. Run `lms-graphql db repair`.") for line in wrong]
    return [*lines, _counted(session), *_mail(session, settings)]


def _counted(session: Session) -> Line:
    """Not a fault: they wait for as long as nobody sweeps."""
    reached, waiting = rolling_up.state(session)
    when = "never counted" if reached is None else f"as of {reached:%Y-%m-%d %H:%M} UTC"
    return Line(True, f"figures for instructors: {when}, {waiting} courses to be counted by the next sweep")


def _mail(session: Session, settings: Settings) -> list[Line]:
    state = outbox(session)
    tried = f"; the last error: {state.waiting_error}" if state.waiting_error else ""
    waits = f"{state.waiting} waiting, the oldest since {state.oldest:%Y-%m-%d %H:%M} UTC" if state.oldest else "none"
    lines = [Line(True, f"mail in the outbox: {waits}{tried}")]
    if settings.is_production and settings.smtp_url is None:
        lines.append(Line(not state.waiting, "mail: it stays in the outbox, because LMS_SMTP_URL is not set"))
    if state.failed_at is not None:
        is_old = state.failed_at < clock.now() - FAILED_LATELY
        failed = f"{state.failed} given up, the last {state.failed_at:%Y-%m-%d %H:%M} UTC: {state.failed_error}"
        lines.append(Line(is_old, f"mail that could not be sent: {failed}"))
    return lines
