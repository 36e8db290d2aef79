"""`lms-graphql export …`: CSV files for the operator, with the rights of a super admin."""

from typing import BinaryIO

import click

from lms_graphql.billing.reads.exports import START, Batch, ExportKind, Position, read_batch
from lms_graphql.core import clock
from lms_graphql.core.actor import OPERATOR
from lms_graphql.operations.database_access import open_database, require_migrated
from lms_graphql.settings import load_settings


@click.command()
@click.argument("kind", type=click.Choice([kind.value for kind in ExportKind]))
@click.option(
    "--output",
    type=click.File("wb", lazy=True, atomic=True),
    default="-",
    help="File to write. It appears when it is complete.",
)
def export(kind: str, output: BinaryIO) -> None:
    """Print all transactions, earnings or payouts as CSV, in UTF-8."""
    settings = load_settings()
    require_migrated(settings)
    until = clock.now()
    with open_database(settings) as database:

        def read(after: Position) -> Batch:
            return database.read_sync(lambda session: read_batch(session, OPERATOR, ExportKind(kind), until, after))

        batch = read(START)
        output.write(batch.lines)
        while batch.position is not None:
            batch = read(batch.position)
            output.write(batch.lines)
