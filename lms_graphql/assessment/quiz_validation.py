"""Validation of a quiz's settings and of the content of its questions."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from lms_graphql.assessment.models import PartialCredit, QuestionType
from lms_graphql.assessment.question_content import Option, QuestionContent, new_option_id
from lms_graphql.core.errors import ErrorCode
from lms_graphql.core.validation import MAX_TITLE_LENGTH, Validator, exceeded_bound

MAX_TIME_LIMIT_SECONDS = 604_800
MAX_ATTEMPTS = 1_000
MAX_POINTS = Decimal(1_000)
MIN_POINTS = Decimal("0.01")
MIN_OPTIONS, MAX_OPTIONS = 2, 20
MAX_ACCEPTED_ANSWERS = 50
MAX_OPTION_LENGTH = 1_000
MAX_SHORT_ANSWER_LENGTH = 200


def quiz_columns(validator: Validator, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns for those input fields of a quiz that are in `values`."""
    checks: dict[str, Callable[[Any], Any]] = {
        "title": lambda value: validator.single_line("title", value, max_length=MAX_TITLE_LENGTH),
        "description": lambda value: validator.multi_line("description", value),
        "time_limit_seconds": lambda value: _optional(validator, "time_limit_seconds", value, MAX_TIME_LIMIT_SECONDS),
        "max_attempts": lambda value: _optional(validator, "max_attempts", value, MAX_ATTEMPTS),
        "passing_score": lambda value: _passing_score(validator, value),
        "shuffle_questions": lambda value: validator.boolean("shuffle_questions", value),
        "review_policy": lambda value: _required(validator, "review_policy", value),
        "kept_score": lambda value: _required(validator, "kept_score", value),
    }
    columns = {name: check(values[name]) for name, check in checks.items() if name in values}
    if "time_limit_seconds" in columns:
        columns["time_limit"] = columns.pop("time_limit_seconds")
    return columns


def question_content(validator: Validator, kind: QuestionType, values: Mapping[str, Any]) -> QuestionContent:
    """Return the content for the input fields of a question. The validator stands at the member of the input."""
    content = QuestionContent(
        kind,
        validator.multi_line("prompt", values["prompt"], required=True) or "",
        validate_points(validator, "points", values["points"], MIN_POINTS, MAX_POINTS),
        validator.multi_line("explanation", values["explanation"]),
    )
    if kind is QuestionType.MULTIPLE_CHOICE:
        credit = values["partial_credit"] or PartialCredit.ALL_OR_NOTHING
        return content._replace(options=_options(validator, values["options"]), partial_credit=credit)
    if kind is QuestionType.TRUE_FALSE:
        return content._replace(correct_answer=values["correct_answer"])
    if kind is QuestionType.SHORT_ANSWER:
        return content._replace(accepted_answers=_accepted_answers(validator, values["accepted_answers"]))
    return content


def validate_points(
    validator: Validator, name: str, points: Decimal | None, minimum: Decimal, maximum: Decimal
) -> Decimal:
    """Check points with at most two decimals between these bounds, both included."""
    if points is None:
        validator.add_error(ErrorCode.REQUIRED, "This field is required.", name)
        return minimum
    if not minimum <= points <= maximum or points != points.quantize(Decimal("0.01")):
        message = f"Use a number from {minimum} to {maximum}, with at most two decimals."
        limit = exceeded_bound(points, minimum, maximum)
        validator.add_error(ErrorCode.OUT_OF_RANGE, message, name, limit=limit)
        return minimum
    return points


def _options(validator: Validator, inputs: Sequence[Mapping[str, Any]]) -> tuple[Option, ...]:
    if not MIN_OPTIONS <= len(inputs) <= MAX_OPTIONS:
        message = f"Give {MIN_OPTIONS} to {MAX_OPTIONS} options, one of them correct at least."
        validator.add_error(ErrorCode.INVALID, message, "options")
        return ()
    if not any(option["is_correct"] for option in inputs):
        validator.add_error(ErrorCode.INVALID, "Mark at least one option as correct.", "options")
    options: list[Option] = []
    for index, option in enumerate(inputs):
        nested = validator.within("options", str(index))
        text = (nested.multi_line("text", option["text"], max_length=MAX_OPTION_LENGTH, required=True) or "").strip()
        if text and any(previous.text == text for previous in options):
            nested.add_error(ErrorCode.INVALID, "Another option has this text. Make the options different.", "text")
        options.append(Option(new_option_id(), text, option["is_correct"]))
    return tuple(options)


def _accepted_answers(validator: Validator, texts: Sequence[str]) -> tuple[str, ...]:
    if not texts:
        validator.add_error(ErrorCode.REQUIRED, "Give at least one accepted answer.", "accepted_answers")
    if len(texts) > MAX_ACCEPTED_ANSWERS:
        message = f"Give at most {MAX_ACCEPTED_ANSWERS} accepted answers."
        validator.add_error(ErrorCode.LIMIT_REACHED, message, "accepted_answers", limit=MAX_ACCEPTED_ANSWERS)
        return ()
    nested = validator.within("accepted_answers")
    length = MAX_SHORT_ANSWER_LENGTH
    return tuple(nested.single_line(str(index), text, max_length=length) for index, text in enumerate(texts))


def _optional(validator: Validator, name: str, value: int | None, maximum: int) -> int | None:
    return None if value is None else validator.integer(name, value, minimum=1, maximum=maximum)


def _required(validator: Validator, name: str, value: Any) -> Any:
    if value is None:
        validator.add_error(ErrorCode.REQUIRED, "This field is required.", name)
    return value


def _passing_score(validator: Validator, value: float | None) -> Decimal:
    """Return the passing score in percent, from the float that GraphQL's Float gives."""
    try:
        score = None if value is None else Decimal(repr(value))
    except InvalidOperation:
        score = Decimal(-1)
    return validate_points(validator, "passing_score", score, Decimal(0), Decimal(100))
