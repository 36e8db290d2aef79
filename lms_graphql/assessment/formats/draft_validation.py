"""Validation of the questions of a file, by the rules of QuestionInput."""

from lms_graphql.assessment.formats.parsed_questions import (
    ImportSeverity,
    ParsedQuestions,
    Problem,
    QuestionDraft,
    about,
)
from lms_graphql.assessment.question_content import QuestionContent
from lms_graphql.assessment.quiz_validation import question_content
from lms_graphql.core.errors import DomainError, DomainErrors
from lms_graphql.core.validation import Validator

LABELS = {
    "prompt": "Text of the question",
    "points": "Points",
    "explanation": "Explanation",
    "options": "Options",
    "accepted_answers": "Accepted answers",
}


def validate_drafts(parsed: ParsedQuestions) -> tuple[list[QuestionContent], list[Problem]]:
    """Return the valid questions, and all problems in the order of their lines.

    A question with an error becomes a SKIPPED problem, which replaces its notes.
    """
    contents: list[QuestionContent] = []
    problems = list(parsed.problems)
    named_lines: list[int] = []
    for draft in parsed.drafts:
        try:
            contents.append(_validated(draft))
        except DomainErrors as errors:
            reasons = " ".join(dict.fromkeys(map(_reason, errors.errors)))
            problems.append(Problem(draft.line, ImportSeverity.SKIPPED, about(draft.name, reasons)))
            continue
        notes = (about(draft.name, note) for note in dict.fromkeys(draft.notes))
        problems += [Problem(draft.line, ImportSeverity.NOTE, note) for note in notes]
        if draft.name:
            named_lines.append(draft.line)
    return contents, sorted([*_name_notes(named_lines), *problems], key=lambda problem: problem.line)


def _name_notes(lines: list[int]) -> list[Problem]:
    """Return one note for all questions whose name is left out, because most questions of a file have one."""
    if not lines:
        return []
    count = "The name of 1 question is" if len(lines) == 1 else f"The names of {len(lines)} questions are"
    return [Problem(lines[0], ImportSeverity.NOTE, f"{count} left out, because questions here have no name.")]


def _validated(draft: QuestionDraft) -> QuestionContent:
    validator = Validator()
    content = question_content(validator, draft.type, draft.values)
    validator.raise_errors()
    return content


def _reason(error: DomainError) -> str:
    """Return the error with the name of the field, for example "Option 2: This field is required."."""
    name, *rest = error.path
    label = LABELS.get(name, name)
    if rest:
        label = f"{'Option' if name == 'options' else 'Accepted answer'} {int(rest[0]) + 1}"
    return f"{label}: {error.message}"
