"""Weights of answers in percent, as Moodle has them, and the partial credit that is nearest to them."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from lms_graphql.assessment.formats.parsed_questions import UnsupportedQuestionError, listed, quoted
from lms_graphql.assessment.models import PartialCredit
from lms_graphql.assessment.question_content import QuestionContent
from lms_graphql.core.validation import MAX_TEXT_LENGTH

ALL, NOTHING = Decimal(100), Decimal(0)
MAX_ANSWERS = 200
"""Answers of a question that are read. Validation allows fewer, and names the limit of the type."""
TOO_MANY_ANSWERS = f"The question has more than {MAX_ANSWERS} answers."
TOLERANCE = Decimal("0.5")
"""Difference in percent that is only rounding: 33 and 33.33333 are a third."""
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:[.,]\d{0,20})?")
_WILD_CARD = re.compile(r"(?<!\\)\*")


class WeightedAnswer(NamedTuple):
    """An option or an accepted answer, with its weight in percent of the points."""

    text: str
    weight: Decimal
    feedback: str = ""


class ChoiceKey(NamedTuple):
    """The correct options, and how they give points. The note says how this differs from the weights."""

    is_correct: list[bool]
    partial_credit: PartialCredit
    note: str | None = None


def parse_number(text: str) -> Decimal | None:
    """Return a number with a point or a comma; None if the text is no number."""
    text = text.strip()
    return Decimal(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def parse_weight(text: str) -> Decimal:
    """Return a weight. Raise UnsupportedQuestionError if it is no number from −100 to 100."""
    weight = parse_number(text)
    if weight is None or abs(weight) > ALL:
        raise UnsupportedQuestionError(f"The weight {quoted(text)} is not a percentage from −100 to 100.")
    return weight


def choice_key(weights: Sequence[Decimal], is_single: bool) -> ChoiceKey:
    """Return the key that is nearest to the weights. If `is_single`, a learner selects exactly one option."""
    correct = [weight >= ALL if is_single else weight > 0 for weight in weights]
    count = sum(correct)
    others = [weight for weight, is_correct in zip(weights, correct, strict=True) if not is_correct]
    if is_single and count > 1:
        note = f"In the file each of the {count} correct options alone gives all points. Here it gives a part."
        return ChoiceKey(correct, PartialCredit.RIGHT_ONLY, note)
    if count < 2:
        is_exact = not any(others) and all(weight in (ALL, NOTHING) for weight in weights)
        note = f"The weights {_weights_text(weights)} are left out: only the correct option gives points here."
        return ChoiceKey(correct, PartialCredit.ALL_OR_NOTHING, None if is_exact else note)
    share = ALL / count
    is_even = all(abs(weight - share) <= TOLERANCE for weight in weights if weight > 0)
    if not any(others):
        note = f"The weights {_weights_text(weights)} are read as equal shares of the points."
        return ChoiceKey(correct, PartialCredit.RIGHT_ONLY, None if is_even else note)
    is_exact = is_even and all(abs(weight + share) <= TOLERANCE for weight in others)
    note = (
        f"The weights {_weights_text(weights)} are read as: each correct option gives {_percent(share)}, "
        "each wrong one takes the same away."
    )
    return ChoiceKey(correct, PartialCredit.RIGHT_MINUS_WRONG, None if is_exact else note)


def choice_weights(content: QuestionContent) -> list[Decimal]:
    """Return the weights with which Moodle scores the options most nearly like us. They sum up to 100."""
    count = sum(option.is_correct for option in content.options)
    share = round(ALL / count, 5)
    wrong = {
        PartialCredit.ALL_OR_NOTHING: -ALL if count > 1 else NOTHING,
        PartialCredit.RIGHT_MINUS_WRONG: -share if count > 1 else NOTHING,
        PartialCredit.RIGHT_ONLY: NOTHING,
    }[content.partial_credit]
    return [share if option.is_correct else wrong for option in content.options]


def accepted_answers(answers: Iterable[WeightedAnswer]) -> tuple[list[str], list[str]]:
    """Return the texts that give all points, and notes about the others.

    Raise UnsupportedQuestionError if no exact text gives all points.
    """
    texts: list[str] = []
    notes: list[str] = []
    for answer in answers:
        if _WILD_CARD.search(answer.text):
            notes.append(f"The answer {quoted(answer.text)} is left out: wild cards are no exact answers.")
        elif answer.weight < ALL:
            weight = _percent(answer.weight)
            notes.append(f"The answer {quoted(answer.text)} is left out: it gives only {weight} of the points.")
        else:
            texts.append(answer.text.replace(r"\*", "*"))
    if not texts:
        raise UnsupportedQuestionError(" ".join([*notes[:5], "No exact answer gives all points."]))
    return texts, notes


def escape_wild_cards(text: str) -> str:
    """Return an accepted answer for Moodle, where a star alone is a wild card."""
    return text.replace("*", r"\*")


def explanation_with_feedback(
    explanation: str | None, answers: Iterable[WeightedAnswer]
) -> tuple[str | None, list[str]]:
    """Return the explanation with the feedback of the answers below it, and notes about that."""
    lines = [f"- {answer.text}: {answer.feedback}" for answer in answers if answer.feedback]
    if not lines:
        return explanation, []
    text = "\n\n".join(filter(None, [explanation, "\n".join(lines)]))
    if len(text) > MAX_TEXT_LENGTH:
        return explanation, ["The feedback of the answers is left out, because it is too long for an explanation."]
    return text, ["The feedback of the answers became a part of the explanation."]


def format_weight(weight: Decimal) -> str:
    """Return the weight without zeros at its end, for example 33.33333, 50 or -100."""
    text = f"{weight:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _weights_text(weights: Sequence[Decimal]) -> str:
    return listed(_percent(weight) for weight in weights)


def _percent(weight: Decimal) -> str:
    return format_weight(round(weight, 2)).replace("-", "−") + " %"
