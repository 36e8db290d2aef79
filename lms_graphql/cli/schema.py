"""`lms-graphql schema`: the GraphQL schema."""

import click

from lms_graphql.graph.schema.builder import print_sdl
from lms_graphql.schema import schema as graphql_schema


@click.command()
def schema() -> None:
    """Print the GraphQL schema in its schema language (SDL)."""
    click.echo(print_sdl(graphql_schema), nl=False)
