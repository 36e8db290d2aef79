"""`db init --new-seed-password`: a new password for the seed users, whose first one is shown only once."""

import re
from secrets import token_urlsafe

import pytest
from click.testing import Result
from sqlalchemy import select

from lms_graphql.accounts.models import AuditEvent, User, UserSession
from lms_graphql.core.password_hashing import verify_password
from lms_graphql.operations.database_access import open_database
from lms_graphql.settings import load_settings
from tests.cli import RunCli, execute_sql, row_count

pytestmark = pytest.mark.slow

START_SESSION = (
    "INSERT INTO sessions (created_at, updated_at, user_id, expires_at) "
    "SELECT created_at, created_at, id, '2100-01-01 00:00:00' FROM users WHERE username = 'admin'"
)


def printed_password(result: Result) -> str:
    assert result.exit_code == 0, result.stderr
    (password,) = re.findall(r"password of these users: (\S+) ", result.stdout)
    assert isinstance(password, str)
    return password


def test_new_seed_password_replaces_the_first_and_ends_sessions(run: RunCli, empty_database: str) -> None:
    first = printed_password(run("db", "init"))
    execute_sql(empty_database, START_SESSION)
    second = printed_password(run("db", "init", "--new-seed-password"))
    with open_database(load_settings({"LMS_DATABASE_URL": empty_database})) as database:
        hashes = database.read_sync(lambda session: session.scalars(select(User.password_hash)).all())
        ended = database.read_sync(lambda session: session.scalars(select(UserSession.ended_at)).all())
        actions = database.read_sync(lambda session: session.scalars(select(AuditEvent.action)).all())
    assert len(hashes) == 3
    assert all(stored and verify_password(stored, second) and not verify_password(stored, first) for stored in hashes)
    assert ended != [None]
    assert len(ended) == 1
    assert actions == ["account.password_reset"] * 3


@pytest.mark.parametrize("column", ["email", "username"])
def test_seed_user_with_new_name_is_not_created_again(run: RunCli, empty_database: str, column: str) -> None:
    run("db", "init", LMS_SEED_PASSWORD="correct horse battery")
    value = "new@b.example" if column == "email" else "new"
    rename = f"UPDATE users SET {column} = '{value}', {column}_key = '{value}' WHERE username = 'admin'"
    execute_sql(empty_database, rename)
    assert "seed data: complete" in run("db", "init").stdout
    assert row_count(empty_database, "users") == 3
    production = {
        "LMS_ENV": "production",
        "LMS_SECRET_KEY": token_urlsafe(48),
        "LMS_SEED_PASSWORD": "correct horse battery",
    }
    execute_sql(empty_database, "UPDATE users SET password_hash = NULL WHERE role <> 'super_admin'")
    result = run("serve", **production)
    assert result.exit_code == 3
    assert "still has the password in LMS_SEED_PASSWORD" in result.stderr


@pytest.mark.slow
def test_new_seed_password_from_settings_leaves_other_users_alone(run: RunCli, empty_database: str) -> None:
    first = printed_password(run("db", "init"))
    rename = "email = 'a@b.example', email_key = 'a@b.example', username = 'other', username_key = 'other'"
    execute_sql(empty_database, f"UPDATE users SET {rename} WHERE username = 'admin'")
    result = run("db", "init", "--new-seed-password", LMS_SEED_PASSWORD="correct horse battery")
    assert result.exit_code == 0, result.stderr
    assert "correct horse battery" not in result.stdout
    assert "password of these users: the value of LMS_SEED_PASSWORD" in result.stdout
    with open_database(load_settings({"LMS_DATABASE_URL": empty_database})) as database:
        users = database.read_sync(lambda session: session.execute(select(User.username, User.password_hash)).all())
    assert {name for name, stored in users if verify_password(stored or "", first)} == {"other"}
    assert len(users) == 4
