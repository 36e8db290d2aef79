"""Mutations of accounts whose COMMIT succeeds but whose answer is lost. The client repeats them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

from tests.accounts.session_client import ME, REFRESH, new_session, refresh
from tests.accounts.test_credentials import NEW_PASSWORD, RESET_PASSWORD, new_session_with, reset, reset_token
from tests.factories import Factories
from tests.live_service import Client, Service
from tests.mail_servers import Mailbox
from tests.statement_events import listen_to_statements


@contextmanager
def lost_commit(engine: Engine, statement: str) -> Iterator[None]:
    """Commit the next transaction with a statement that begins like this, and then lose its connection."""

    was_lost = False

    def mark(connection: Connection, text: str, _parameters: object) -> None:
        if text.startswith(statement) and not was_lost:
            connection.info["is_to_be_lost"] = True

    def lose(connection: Connection) -> None:
        nonlocal was_lost
        if connection.info.pop("is_to_be_lost", False):
            was_lost = True
            connection.connection.commit()
            lost = pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query")
            raise OperationalError("COMMIT", None, lost)

    event.listen(engine, "commit", lose)
    try:
        with listen_to_statements([engine], mark):
            yield
    finally:
        event.remove(engine, "commit", lose)


def failed_body(client: Client, document: str, **variables: Any) -> Any:
    body = client.graphql(document, **variables)
    assert "errors" in body
    return body


def test_refresh_after_unknown_commit_continues_session(client: Client, make: Factories, service: Service) -> None:
    first = new_session(client, make.user_with_password())
    with lost_commit(service.engine, "INSERT INTO refresh_tokens"):
        failed_body(client, REFRESH, token=first["refreshToken"])
    second = refresh(client, first["refreshToken"])["session"]
    assert client.execute(ME, bearer=second["accessToken"])["me"] is not None
    assert refresh(client, second["refreshToken"])["session"] is not None


def test_password_reset_after_unknown_commit_succeeds(
    client: Client, make: Factories, service: Service, mailbox: Mailbox
) -> None:
    user = make.user_with_password(email="unknown.commit@example.com")
    token = reset_token(client, mailbox, user)
    with lost_commit(service.engine, "UPDATE account_tokens"):
        failed_body(client, RESET_PASSWORD, token=token, new=NEW_PASSWORD)
    assert reset(client, token) == {"ok": True, "errors": []}
    assert new_session_with(client, user, NEW_PASSWORD)
