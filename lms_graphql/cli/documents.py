"""`lms-graphql documents …`: stored documents of front ends."""

from typing import BinaryIO

import click

from lms_graphql.app import document_limits
from lms_graphql.core.errors import OperatorError
from lms_graphql.graph.documents import DocumentCache
from lms_graphql.operations.database_access import open_database, require_migrated
from lms_graphql.operations.setup_lock import setup_lock
from lms_graphql.schema import schema
from lms_graphql.settings import load_settings
from lms_graphql.stored_documents.manifests import read_manifest
from lms_graphql.stored_documents.models import MAX_CLIENT_LENGTH
from lms_graphql.stored_documents.reads.texts import document_counts
from lms_graphql.stored_documents.services import loading

MAX_MANIFEST_BYTES = 50_000_000
MAX_PROBLEMS = 20


@click.group()
def documents() -> None:
    """Store GraphQL documents of front ends, which clients request by their ids."""


@documents.command()
@click.argument("file", type=click.File("rb"))
@click.option("--client", default="default", show_default=True, help="Name of the front end.")
def load(file: BinaryIO, client: str) -> None:
    """Store the documents of the manifest FILE ("-" is standard input).

    FILE is a manifest of Apollo's, Relay's or graphql-codegen's tools. If a document is invalid, none is stored.
    """
    content = file.read(MAX_MANIFEST_BYTES + 1)
    if len(content) > MAX_MANIFEST_BYTES:
        raise OperatorError(f"The manifest has more than {MAX_MANIFEST_BYTES} bytes.")
    if not 0 < len(client) <= MAX_CLIENT_LENGTH:
        raise OperatorError(f"The name of the client must have 1 to {MAX_CLIENT_LENGTH} characters.")
    texts = read_manifest(content)
    settings = load_settings()
    require_migrated(settings)
    cache = DocumentCache(schema.graphql_schema, document_limits(settings), introspection=True, suggestions=True)
    problems = [
        f"{document_id}: {error['message']}"
        for document_id, text in texts.items()
        for error in cache.parse_and_validate(text).errors
    ]
    if problems:
        for problem in problems[:MAX_PROBLEMS]:
            click.echo(problem, err=True)
        raise OperatorError(f"{len(problems)} problems, nothing was stored.")
    with open_database(settings) as database, setup_lock(database.engine):
        stored = database.write_sync(lambda session: loading.store_documents(session, client, texts))
    click.echo(f"{stored} documents stored, {len(texts) - stored} were stored before.")


@documents.command("list")
def list_command() -> None:
    """Print the number of documents of each client."""
    settings = load_settings()
    require_migrated(settings)
    with open_database(settings) as database:
        counts = database.read_sync(document_counts)
    for client, count in counts:
        click.echo(f"{client}: {count} documents")
    if not counts:
        click.echo("No documents are stored.")


@documents.command()
@click.option("--client", required=True, help="Name of the front end.")
def remove(client: str) -> None:
    """Remove all documents of a client. Processes forget them within a minute."""
    settings = load_settings()
    require_migrated(settings)
    with open_database(settings) as database:
        removed = database.write_sync(lambda session: loading.remove_documents(session, client))
    click.echo(f"{removed} documents removed.")
