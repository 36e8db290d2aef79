"""`lms-graphql sweep`: maintenance, once."""

import click

from lms_graphql.cli.database import print_results
from lms_graphql.json_logging import configure_logging
from lms_graphql.operations import maintenance
from lms_graphql.operations.database_access import open_database, require_migrated
from lms_graphql.operations.database_check import CheckResult
from lms_graphql.settings import load_settings


@click.command()
def sweep() -> None:
    """Run maintenance: expire access, recount progress, refresh analytics, send mail.

    It is safe at any time, and twice at once. `serve` runs it every minute.
    """
    configure_logging()
    settings = load_settings()
    require_migrated(settings)
    with open_database(settings) as database:
        print_results(maintenance.run_maintenance(database, settings) or [CheckResult(True, "Nothing to do.")])
