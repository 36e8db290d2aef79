"""Command line as `python -m lms_graphql`, without the installed script."""

from lms_graphql.cli import main

main(prog_name="lms-graphql")
