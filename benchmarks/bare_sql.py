"""The bare SQL of a mutation: the statements of one request, executed by PyMySQL and nothing else."""

import re
import time
from collections.abc import Awaitable, Callable

import pymysql
from sqlalchemy.engine import make_url

ROUND_SECONDS = 1.0
REQUESTS = 5
"""Requests of which the one with the fewest statements is taken, because maintenance may send some as well."""
TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'")


class BareSql:
    """Statements of one request to the service on this MariaDB. Texts in them are parameters."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._connection = pymysql.connect(
            host=parsed.host or "", port=parsed.port or 0, user=parsed.username, database=parsed.database
        )
        self._statements: list[tuple[str, tuple[str, ...]]] = []

    async def capture(self, send_request: Callable[[], Awaitable[object]]) -> int:
        """Take the statements from the server's log while the request runs. Return their number."""
        logs = []
        with self._connection.cursor() as cursor:
            cursor.execute("SET GLOBAL log_output = 'TABLE'")
            for _ in range(REQUESTS):
                cursor.execute("TRUNCATE mysql.general_log")
                cursor.execute("SET GLOBAL general_log = ON")
                await send_request()
                cursor.execute("SET GLOBAL general_log = OFF")
                own = "thread_id <> CONNECTION_ID() AND command_type = 'Query'"
                cursor.execute(f"SELECT argument FROM mysql.general_log WHERE {own}")
                logs.append([text.decode() if isinstance(text, bytes) else text for (text,) in cursor.fetchall()])
        self._connection.rollback()
        previous = "ROLLBACK"
        for text in min(logs, key=len):
            if text == "ROLLBACK" and previous in ("COMMIT", "ROLLBACK"):
                continue  # there is nothing to roll back
            previous = text
            values = tuple(match.replace("\\", "") for match in TEXT.findall(text))
            self._statements.append((TEXT.sub("%s", text.replace("%", "%%")), values))
        return len(self._statements)

    def cpu_milliseconds(self) -> float:
        """Return the CPU time of this process for all statements once, measured for a while."""
        with self._connection.cursor() as cursor:
            requests, started, cpu_before = 0, time.perf_counter(), time.thread_time()
            while time.perf_counter() - started < ROUND_SECONDS:
                for statement, values in self._statements:
                    cursor.execute(statement, values)
                    cursor.fetchall()
                requests += 1
        self._connection.rollback()
        return (time.thread_time() - cpu_before) / requests * 1000

    def close(self) -> None:
        self._connection.close()
