"""Questions and problems that a reader finds in a file, independent of its format."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from lms_graphql.assessment.models import QuestionType

MAX_QUOTED_LENGTH = 60
MAX_FINDINGS = 5_000
"""Questions and problems of a file. Without the limit, a file of tiny questions would take seconds."""
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class ImportSeverity(StrEnum):
    NOTE = "note"
    SKIPPED = "skipped"


class Problem(NamedTuple):
    """A part of a file that is not imported, or not exactly. Lines are counted from 1."""

    line: int
    severity: ImportSeverity
    message: str


class QuestionDraft(NamedTuple):
    """A question as the file has it, before validation. `values` are the fields of its member of QuestionInput."""

    line: int
    type: QuestionType
    values: dict[str, Any]
    name: str = ""
    notes: tuple[str, ...] = ()


@dataclass
class ParsedQuestions:
    """The questions of a file in their order, and what is wrong with the rest."""

    drafts: list[QuestionDraft] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, draft: QuestionDraft) -> None:
        self.drafts.append(draft)
        self._require_few()

    def note(self, line: int, message: str) -> None:
        self.problems.append(Problem(line, ImportSeverity.NOTE, message))
        self._require_few()

    def skip(self, line: int, message: str, name: str = "") -> None:
        self.problems.append(Problem(line, ImportSeverity.SKIPPED, about(name, message)))
        self._require_few()

    def _require_few(self) -> None:
        """Raise QuestionFileError for a file of which only a small part could be imported."""
        if len(self.drafts) + len(self.problems) > MAX_FINDINGS:
            raise QuestionFileError(f"The file has more than {MAX_FINDINGS:,} questions and problems. Divide it.")


class QuestionFileError(Exception):
    """A file that cannot be read at all. The message has the line and the column if they are known."""


class UnsupportedQuestionError(Exception):
    """A question that cannot be imported. The message is the reason."""


def question_values(prompt: str, *, explanation: str | None = None) -> dict[str, Any]:
    """Return the fields of a question of any type, with nothing in those that say what is right."""
    return {
        "prompt": prompt,
        "points": Decimal(1),
        "explanation": explanation or None,
        "options": [],
        "partial_credit": None,
        "correct_answer": None,
        "accepted_answers": [],
    }


def about(name: str, message: str) -> str:
    """Return the message, with the name of the question in front if it has one."""
    return f"{quoted(name)}: {message}" if name else message


def quoted(text: str) -> str:
    """Return the beginning of a foreign text in quotes, on one line."""
    shown = _UNPRINTABLE.sub(" ", text[: 4 * MAX_QUOTED_LENGTH]).strip()
    return f"“{shown}”" if len(shown) <= MAX_QUOTED_LENGTH else f"“{shown[:MAX_QUOTED_LENGTH]}…”"


def listed(texts: Iterable[str], maximum: int = 20) -> str:
    """Return the texts separated by commas, at most so many of them."""
    items = list(texts)
    return ", ".join(items[:maximum] + ([f"and {len(items) - maximum} more"] if len(items) > maximum else []))
