"""`db check`: whether the database is there, at the newest migration, and its derived figures right."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from lms_graphql.catalog import figures
from lms_graphql.core.errors import OperatorError
from lms_graphql.operating import migrations


class Line(NamedTuple):
    ok: bool
    text: str


def check(session: Session) -> list[Line]:
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
    wrong = figures.drift(session)
    if not wrong:
        lines.append(Line(True, "derived figures: right"))
    lines += [Line(False, f"{line}. Run `lms-graphql db repair`.") for line in wrong]
    return lines
