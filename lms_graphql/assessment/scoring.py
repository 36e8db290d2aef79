"""Scoring: points for answers, scores of attempts, and passing. Pure, and exact with `Decimal` and `Fraction`."""

import unicodedata
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import NamedTuple

from lms_graphql.assessment.models import AttemptStatus, PartialCredit, QuestionType
from lms_graphql.assessment.question_content import QuestionContent

HUNDREDTH = Decimal("0.01")
NO_POINTS = Decimal("0.00")
MAX_SCORE_DECIMALS = 12


class Answer(NamedTuple):
    """A learner's answer. Only the field of the question's type is filled."""

    selected: frozenset[str] = frozenset()
    boolean: bool | None = None
    text: str | None = None

    @property
    def is_blank(self) -> bool:
        """True if nothing was answered."""
        return not self.selected and self.boolean is None and not (self.text or "").strip()


NO_ANSWER = Answer()


def earned_points(content: QuestionContent, answer: Answer) -> Decimal | None:
    """Return the points for an answer: 0 to the question's, two decimals, half up. None if a person must grade it."""
    if answer.is_blank:
        return NO_POINTS
    if content.type is QuestionType.ESSAY:
        return None
    share = _earned_share(content, answer)
    exact = Fraction(content.points) * share
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(HUNDREDTH, ROUND_HALF_UP)


def _earned_share(content: QuestionContent, answer: Answer) -> Fraction:
    match content.type:
        case QuestionType.TRUE_FALSE:
            return Fraction(answer.boolean is content.correct_answer)
        case QuestionType.SHORT_ANSWER:
            accepted = {normalize_short_answer(text) for text in content.accepted_answers}
            return Fraction(normalize_short_answer(answer.text or "") in accepted)
        case _:
            return _choice_share(content, answer.selected)


def _choice_share(content: QuestionContent, selected: frozenset[str]) -> Fraction:
    correct = {option.id for option in content.options if option.is_correct}
    right, wrong = len(selected & correct), len(selected - correct)
    if content.partial_credit is PartialCredit.ALL_OR_NOTHING or len(correct) < 2:
        return Fraction(selected == correct)
    if content.partial_credit is PartialCredit.RIGHT_MINUS_WRONG:
        return max(Fraction(0), Fraction(right - wrong, len(correct)))
    has_selected_all = len(selected) == len(content.options) > len(correct)
    return Fraction(0) if has_selected_all else Fraction(right, len(correct))


def normalize_short_answer(text: str) -> str:
    """Return the form in which short answers are compared: NFKC, trimmed, single-spaced, without case."""
    normalized = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(normalized.split())


def total_earned(points: Iterable[Decimal | None]) -> Decimal:
    """Return the sum of the points that are known."""
    return sum((value for value in points if value is not None), NO_POINTS)


class AttemptResult(NamedTuple):
    """Result of a submitted attempt. `passed` is None while a person has to grade an answer."""

    status: AttemptStatus
    earned_points: Decimal
    passed: bool | None


def attempt_result(points: Sequence[Decimal | None], total: Decimal, passing_score: Decimal) -> AttemptResult:
    """Return the result that follows from the points of all questions. None is an answer that waits for a grade."""
    earned = total_earned(points)
    if None in points:
        return AttemptResult(AttemptStatus.GRADING, earned, None)
    return AttemptResult(AttemptStatus.GRADED, earned, has_passing_score(earned, total, passing_score))


def has_passing_score(earned: Decimal, total: Decimal, passing_score: Decimal) -> bool:
    """Return whether earned points are at least the passing score in percent, compared exactly."""
    return Fraction(earned) * 100 >= Fraction(passing_score) * Fraction(total)


def score_percent(earned: Decimal, total: Decimal) -> Decimal:
    """Return the score in percent: two decimals, half up, and 100 only for all points."""
    exact = _exact_percent(earned, total)
    rounded = _round(exact, 2)
    return Decimal("99.99") if rounded == 100 and exact < 100 else rounded


def displayed_percent(earned: Decimal, total: Decimal, passing_score: Decimal) -> Decimal:
    """Return the score in percent as learners see it: two decimals, or more if it looked like a pass that it is not.

    For example 69.995 if 70 is the passing score, instead of 70.00.
    """
    exact, decimals = _exact_percent(earned, total), 2
    shown = score_percent(earned, total)
    while shown >= passing_score and exact < Fraction(passing_score) and decimals < MAX_SCORE_DECIMALS:
        decimals += 1
        shown = _round(exact, decimals)
    return shown


def _exact_percent(earned: Decimal, total: Decimal) -> Fraction:
    return Fraction(earned) * 100 / Fraction(total) if total else Fraction(0)


def _round(exact: Fraction, decimals: int) -> Decimal:
    scaled = exact * 10**decimals
    return Decimal(int(scaled + Fraction(1, 2))).scaleb(-decimals)
