"""`python -m lms_graphql`: the command line without its script."""

from lms_graphql.cli import main

main(prog_name="lms-graphql")
