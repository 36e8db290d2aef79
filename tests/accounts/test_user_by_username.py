"""A user by username: the same rule as for `node`."""

import pytest

from lms_graphql.core.actor import Role
from tests.factories import Factories
from tests.live_service import Client, StatementRecorder

USER = "query U($username: String!) { user(username: $username) { username } }"
TWO_USERS = """{
  exact: user(username: "Ada.Lovelace") { username }
  folded: user(username: "ADA.lovelace") { username }
}"""


@pytest.mark.query_budget
def test_username_is_found_in_any_case_in_one_statement(
    client: Client, make: Factories, statements: StatementRecorder
) -> None:
    actor = make.actor(make.user(username="Ada.Lovelace"))
    with statements:
        data = client.execute(TWO_USERS, as_=actor)
    assert data == {"exact": {"username": "Ada.Lovelace"}, "folded": {"username": "Ada.Lovelace"}}
    assert statements.count == 1
    for username in ("", " ", "ada.lovelace ", "ada%", "nobody", "x" * 10_000):
        assert client.execute(USER, as_=actor, username=username)["user"] is None, username


def test_anonymous_viewers_find_public_instructors_only(client: Client, make: Factories) -> None:
    make.course(instructor=make.user(Role.INSTRUCTOR, username="teacher"))
    make.user(username="learner")
    assert client.execute(USER, username="teacher")["user"] == {"username": "teacher"}
    assert client.execute(USER, username="learner")["user"] is None
