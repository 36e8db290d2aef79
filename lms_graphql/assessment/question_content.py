"""Content of a question: what is asked and what is right, independent of the database.

- MULTIPLE_CHOICE: `options` has `{"id", "text", "is_correct"}` for each option.
- TRUE_FALSE: `correct_answers` has one boolean.
- SHORT_ANSWER: `correct_answers` has the accepted texts.
- ESSAY: both are empty.
"""

import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from lms_graphql.assessment.models import PartialCredit, QuestionType

OPTION_ID_BYTES = 8


class Option(NamedTuple):
    """An option of a multiple-choice question. The id is unique in the whole service and says nothing."""

    id: str
    text: str
    is_correct: bool


class QuestionContent(NamedTuple):
    """A question with its key. Only the fields of its type are filled."""

    type: QuestionType
    prompt: str
    points: Decimal = Decimal(1)
    explanation: str | None = None
    options: tuple[Option, ...] = ()
    correct_answer: bool | None = None
    accepted_answers: tuple[str, ...] = ()
    partial_credit: PartialCredit = PartialCredit.ALL_OR_NOTHING

    @property
    def allows_several(self) -> bool:
        """True if a learner may select more than one option."""
        return sum(option.is_correct for option in self.options) > 1


class HasContentColumns(Protocol):
    """A row with the columns of `QuestionContentColumns`."""

    @property
    def question_type(self) -> QuestionType: ...
    @property
    def question_text(self) -> str: ...
    @property
    def points(self) -> Decimal: ...
    @property
    def explanation(self) -> str | None: ...
    @property
    def options(self) -> Any: ...
    @property
    def correct_answers(self) -> Any: ...
    @property
    def partial_credit(self) -> PartialCredit: ...


class ContentColumns(NamedTuple):
    """The values of the content columns, in the order in which statements select them."""

    question_type: QuestionType
    question_text: str
    points: Decimal
    explanation: str | None
    options: Any
    correct_answers: Any
    partial_credit: PartialCredit


def new_option_id() -> str:
    return secrets.token_hex(OPTION_ID_BYTES)


def from_columns(row: HasContentColumns) -> QuestionContent:
    """Return the content that a row of `questions` or `question_versions` stores."""
    kind, answers = row.question_type, row.correct_answers
    return QuestionContent(
        kind,
        row.question_text,
        row.points,
        row.explanation,
        tuple(Option(option["id"], option["text"], option["is_correct"]) for option in row.options),
        bool(answers[0]) if kind is QuestionType.TRUE_FALSE else None,
        tuple(answers) if kind is QuestionType.SHORT_ANSWER else (),
        row.partial_credit,
    )


def to_columns(content: QuestionContent) -> dict[str, Any]:
    """Return the values of the columns that store the content."""
    answers: list[Any] = list(content.accepted_answers)
    if content.type is QuestionType.TRUE_FALSE:
        answers = [content.correct_answer]
    return {
        "question_type": content.type,
        "question_text": content.prompt,
        "points": content.points,
        "explanation": content.explanation,
        "options": [option._asdict() for option in content.options],
        "correct_answers": answers,
        "partial_credit": content.partial_credit,
    }


def keep_option_ids(content: QuestionContent, previous: QuestionContent) -> QuestionContent:
    """Return the content with the previous ids of those options whose text is the same."""
    ids: Mapping[str, str] = {option.text: option.id for option in previous.options}
    options = (option._replace(id=ids.get(option.text, option.id)) for option in content.options)
    return content._replace(options=tuple(options))


def with_key_of(shown: QuestionContent, key: QuestionContent) -> QuestionContent:
    """Return what the learner was shown, scored by another key: its right answers, points, credit and explanation.

    Options are matched by their ids. An option that the key does not have is wrong.
    """
    correct = {option.id for option in key.options if option.is_correct}
    options = tuple(option._replace(is_correct=option.id in correct) for option in shown.options)
    return key._replace(prompt=shown.prompt, options=options)
