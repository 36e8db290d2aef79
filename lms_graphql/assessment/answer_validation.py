"""Validation of a learner's answer, and the ids of options within an attempt."""

from collections.abc import Mapping, Sequence
from typing import Any

from lms_graphql.assessment import attempt_rules
from lms_graphql.assessment.models import QuestionType
from lms_graphql.assessment.question_content import Option, QuestionContent
from lms_graphql.assessment.quiz_validation import MAX_OPTIONS
from lms_graphql.core import global_ids
from lms_graphql.core.errors import ErrorCode
from lms_graphql.core.validation import MAX_BODY_LENGTH, Validator

MAX_SHORT_ANSWER_LENGTH = 1_000
OPTION_SLOTS = 32
"""Keys of options within an attempt: 32 for each question, of which at most `MAX_OPTIONS` are used."""
assert MAX_OPTIONS <= OPTION_SLOTS

ANSWER_FIELDS = {
    QuestionType.MULTIPLE_CHOICE: "option_ids",
    QuestionType.TRUE_FALSE: "boolean",
    QuestionType.SHORT_ANSWER: "text",
    QuestionType.ESSAY: "text",
}


def shown_options(content: QuestionContent, question_key: int, shuffle_seed: str | None) -> list[Option]:
    """Return the options of a question of an attempt in the order that the learner sees."""
    return attempt_rules.shuffled(content.options, shuffle_seed, lambda option: (question_key, option.id))


def shown_options_by_id(content: QuestionContent, question_key: int, shuffle_seed: str | None) -> dict[str, Option]:
    """Return the options by their ids in the attempt, in the order that the learner sees."""
    options = shown_options(content, question_key, shuffle_seed)
    return {shown_option_id(question_key, index): option for index, option in enumerate(options)}


def shown_option_id(question_key: int, index: int) -> str:
    """Return the global id of the option at this place. It is unique to the attempt and says nothing else."""
    return global_ids.encode("AttemptOption", question_key * OPTION_SLOTS + index)


def answer_columns(
    validator: Validator, content: QuestionContent, options: Mapping[str, Option], answer: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the columns that store the answer; all null for None.

    `options` are those of the question by their ids in the attempt. `answer` has one field. Add INVALID for a field
    of another type of question, or NOT_FOUND for an unknown option.
    """
    columns: dict[str, Any] = {"selected_options": None, "answer_boolean": None, "answer_text": None}
    if answer is None:
        return columns
    kind, (name, value), nested = content.type, next(iter(answer.items())), validator.within("answer")
    if name != ANSWER_FIELDS[kind]:
        nested.add_error(ErrorCode.INVALID, "This question needs another kind of answer. See its type.", name)
    elif name == "option_ids":
        columns["selected_options"] = _selected_options(nested, content, options, value) or None
    elif name == "boolean":
        columns["answer_boolean"] = value
    else:
        length = MAX_BODY_LENGTH if kind is QuestionType.ESSAY else MAX_SHORT_ANSWER_LENGTH
        columns["answer_text"] = nested.multi_line("text", value, max_length=length)
    return columns


def _selected_options(
    validator: Validator, content: QuestionContent, options: Mapping[str, Option], ids: Sequence[str]
) -> str:
    if len(ids) > MAX_OPTIONS:
        message = f"Select at most {MAX_OPTIONS} options, each once."
        validator.add_error(ErrorCode.LIMIT_REACHED, message, "option_ids", limit=MAX_OPTIONS)
    selected = set()
    for index, id in enumerate(ids[:MAX_OPTIONS]):
        if id in options:
            selected.add(options[id].id)
        else:
            message = "This question of the attempt has no such option. Load the attempt again."
            validator.add_error(ErrorCode.NOT_FOUND, message, "option_ids", str(index))
    if len(selected) > 1 and not content.allows_several:
        validator.add_error(ErrorCode.INVALID, "Only one option may be selected.", "option_ids")
    return ",".join(sorted(selected))
