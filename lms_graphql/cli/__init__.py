"""The command line, on top of `operations` and `demo`."""

import gc
import sys
from importlib import import_module
from typing import NoReturn

import click

from lms_graphql.core.errors import OperatorError

COMMANDS = {
    "db": "database:db",
    "documents": "documents:documents",
    "export": "export:export",
    "keys": "signing_keys:keys",
    "quiz": "quiz:quiz",
    "schema": "schema:schema",
    "serve": "serve:serve",
    "sweep": "maintenance:sweep",
}
"""Module and function of each command."""


class CommandGroup(click.Group):
    """A group whose commands are imported when they are needed, and print an OperatorError in one line.

    Importing all of them took 1.7 s of CPU, and those without the GraphQL schema take 1.0 s.
    """

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, function = COMMANDS[name].split(":")
        gc.disable()  # because the imported objects stay: collections find nothing, and took a fifth of the time
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), function)
        gc.freeze()
        gc.enable()
        return command

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except OperatorError as error:
            fail(str(error), error.exit_code)


def fail(message: str, code: int = 1) -> NoReturn:
    click.echo(f"lms-graphql: {message}", err=True)
    sys.exit(code)


@click.group(cls=CommandGroup, help="A learning platform's back end as one GraphQL API.")
@click.version_option(package_name="lms-graphql")
def main() -> None:
    """Group the commands of the program."""
