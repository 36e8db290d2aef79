"""`lms-graphql keys …`: the keys that sign access tokens."""

import click

from lms_graphql.accounts.services.sessions import rotate_keys
from lms_graphql.operations.database_access import open_database, require_migrated
from lms_graphql.settings import load_settings


@click.group()
def keys() -> None:
    """Manage the keys that sign access tokens."""


@keys.command()
def rotate() -> None:
    """Sign with a new key from now on. Tokens of the old key stay valid until they expire."""
    settings = load_settings()
    require_migrated(settings)
    with open_database(settings) as database:
        click.echo(f"signing key: {database.write_sync(rotate_keys)}")
