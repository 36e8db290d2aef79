"""`lms-graphql quiz …`: import and export of the questions of a quiz, with the rights of a super admin."""

import codecs
from typing import BinaryIO, TextIO

import click
from sqlalchemy.orm import Session

from lms_graphql.assessment.formats.parsed_questions import ImportSeverity, Problem
from lms_graphql.assessment.formats.question_formats import QuestionFormat
from lms_graphql.assessment.reads.question_export import question_files_by_quiz
from lms_graphql.assessment.reads.quizzes import quizzes_by_key
from lms_graphql.assessment.services import question_import
from lms_graphql.core import global_ids
from lms_graphql.core.actor import OPERATOR
from lms_graphql.core.errors import DomainError, OperatorError
from lms_graphql.operations.database_access import open_database, require_migrated
from lms_graphql.settings import load_settings

MAX_FILE_BYTES = 10_000_000
FORMATS = [file_format.value.replace("_", "-") for file_format in QuestionFormat]
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
NOT_UTF_8 = "The file is not in UTF-8. It was read as Windows-1252 (Latin-1). Check accents and quotes."

format_option = click.option(
    "--format", "format_name", type=click.Choice(FORMATS), required=True, help="Format of the file."
)


@click.group()
def quiz() -> None:
    """Import and export the questions of a quiz."""


@quiz.command("import")
@click.argument("quiz_id")
@click.argument("file", type=click.File("rb"))
@format_option
@click.option("--dry-run", is_flag=True, help="Check the file and write nothing.")
def import_command(quiz_id: str, file: BinaryIO, format_name: str, dry_run: bool) -> None:
    """Add the questions of FILE ("-" is standard input) to a quiz, and print the problems of the file.

    QUIZ_ID is the id that the API returns. Exits with 1 if no question can be imported.
    """
    text, problems = _decode(file.read(MAX_FILE_BYTES + 1))
    settings = load_settings()
    require_migrated(settings)
    try:
        question_file = question_import.parse_question_file(_format(format_name), text)
        with open_database(settings) as database:
            database.write_sync(
                lambda session: question_import.import_questions(
                    session, OPERATOR, quiz_id, question_file.questions, dry_run
                )
            )
    except DomainError as error:
        raise OperatorError(error.message) from None
    problems += question_file.problems
    for problem in problems:
        click.echo(f"line {problem.line}: {problem.severity.value}: {problem.message}", err=True)
    skipped = sum(problem.severity is ImportSeverity.SKIPPED for problem in problems)
    verb = "can be imported" if dry_run else "imported"
    click.echo(f"{len(question_file.questions)} questions {verb}, {skipped} left out")
    if not question_file.questions:
        raise OperatorError("The file has no question that can be imported.")


@quiz.command("export")
@click.argument("quiz_id")
@format_option
@click.option("--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", help="File to write.")
def export_command(quiz_id: str, format_name: str, output: TextIO) -> None:
    """Print the questions of a quiz, with their answer keys, in UTF-8."""
    settings = load_settings()
    require_migrated(settings)
    with open_database(settings) as database:
        text = database.read_sync(lambda session: _export(session, quiz_id, _format(format_name)))
    output.write(text)


def _export(session: Session, quiz_id: str, file_format: QuestionFormat) -> str:
    key = global_ids.decode_key("Quiz", quiz_id)
    if key is None or not quizzes_by_key(session, OPERATOR, [key]):
        raise OperatorError("There is no quiz with this id.")
    return question_files_by_quiz(session, OPERATOR, [(key, file_format)])[key, file_format]


def _format(name: str) -> QuestionFormat:
    return QuestionFormat(name.replace("-", "_"))


def _decode(content: bytes) -> tuple[str, list[Problem]]:
    """Return the text of a file, and a note if its encoding had to be guessed."""
    if len(content) > MAX_FILE_BYTES:
        raise OperatorError(f"The file has more than {MAX_FILE_BYTES:,} bytes. Divide it.")
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding), []
    except UnicodeDecodeError:
        note = Problem(1, ImportSeverity.NOTE, NOT_UTF_8)
    try:
        return content.decode("cp1252"), [note]
    except UnicodeDecodeError:
        return content.decode("latin-1"), [note]
