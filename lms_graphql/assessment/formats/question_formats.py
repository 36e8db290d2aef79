"""Formats of question files, each with its reader and its writer."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from lms_graphql.assessment.formats.aiken import read_aiken, write_aiken
from lms_graphql.assessment.formats.draft_validation import validate_drafts
from lms_graphql.assessment.formats.gift_reader import read_gift
from lms_graphql.assessment.formats.gift_writer import write_gift
from lms_graphql.assessment.formats.json_format import read_json, write_json
from lms_graphql.assessment.formats.moodle_xml_reader import read_moodle_xml
from lms_graphql.assessment.formats.moodle_xml_writer import write_moodle_xml
from lms_graphql.assessment.formats.parsed_questions import ParsedQuestions, Problem
from lms_graphql.assessment.question_content import QuestionContent


class QuestionFormat(StrEnum):
    GIFT = "gift"
    AIKEN = "aiken"
    MOODLE_XML = "moodle_xml"
    JSON = "json"


READERS: dict[QuestionFormat, Callable[[str], ParsedQuestions]] = {
    QuestionFormat.GIFT: read_gift,
    QuestionFormat.AIKEN: read_aiken,
    QuestionFormat.MOODLE_XML: read_moodle_xml,
    QuestionFormat.JSON: read_json,
}
WRITERS: dict[QuestionFormat, Callable[[Sequence[QuestionContent]], str]] = {
    QuestionFormat.GIFT: write_gift,
    QuestionFormat.AIKEN: write_aiken,
    QuestionFormat.MOODLE_XML: write_moodle_xml,
    QuestionFormat.JSON: write_json,
}


def read_questions(file_format: QuestionFormat, text: str) -> tuple[list[QuestionContent], list[Problem]]:
    """Return the valid questions of a file in their order, and its problems in the order of their lines.

    Raise QuestionFileError if the file cannot be read at all.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return validate_drafts(READERS[file_format](lines))


def write_questions(file_format: QuestionFormat, questions: Sequence[QuestionContent]) -> str:
    return WRITERS[file_format](questions)
