"""Statistics of a quiz, counted from its submitted attempts. Pure, and exact until the last rounding."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from operator import mul
from typing import Any, NamedTuple

from lms_graphql.assessment.result_tokens import parse_token, split_versions

PERCENT_DECIMALS, CORRELATION_DECIMALS = 2, 4
CHUNK_SIZE = 100
"""Attempts whose tokens are counted at once. With 2,000, which the processor's cache does not hold, it takes twice
as long."""


class SubmittedAttempt(NamedTuple):
    """A submitted attempt. Points are in hundredths."""

    quiz_key: int
    user_key: int
    number: int
    is_graded: bool
    is_passed: bool | None
    earned_points: int
    total_points: int
    result_tokens: str | None


class ShownVersion(NamedTuple):
    """A version of a question, as the tokens name it: its question and the ids of its options, in order."""

    question_key: int
    option_ids: Sequence[str]


class QuestionStatistics(NamedTuple):
    """Statistics of a question over the submitted attempts that have it.

    An answer that waits for its grade has no points yet, so none of the three counts of points includes it.
    `chosen_counts` has the number of attempts by the id of the selected option. Options never chosen are left out.
    """

    answered_count: int = 0
    unanswered_count: int = 0
    full_points_count: int = 0
    partial_points_count: int = 0
    no_points_count: int = 0
    mean_points_percent: float | None = None
    discrimination: float | None = None
    chosen_counts: Mapping[str, int] = {}


class QuizStatistics(NamedTuple):
    """Statistics of a quiz over its submitted attempts. Scores are those of graded attempts, in percent."""

    attempt_count: int
    learner_count: int
    passed_learner_count: int
    mean_score_percent: float | None
    median_score_percent: float | None
    mean_duration_seconds: int | None
    questions: Mapping[int, QuestionStatistics]

    def to_json(self) -> dict[str, Any]:
        """Return the statistics as JSON can store them: keys are texts, and questions are lists."""
        return {**self._asdict(), "questions": {str(key): list(row) for key, row in self.questions.items()}}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "QuizStatistics":
        """Return the statistics that `to_json` returned."""
        questions = {int(key): QuestionStatistics._make(row) for key, row in stored["questions"].items()}
        return cls(**{**stored, "questions": questions})


def compute_statistics(
    attempts: Sequence[SubmittedAttempt],
    passed_learner_count: int,
    mean_duration_seconds: int | None,
    versions: Mapping[int, ShownVersion],
) -> QuizStatistics:
    """Return the statistics of a quiz with at least one submitted attempt.

    Versions that are not in `versions` belong to deleted questions and are left out.
    """
    mean, median = _mean_and_median(
        Counter((row.earned_points, row.total_points) for row in attempts if row.is_graded)
    )
    return QuizStatistics(
        len(attempts),
        len({attempt.user_key for attempt in attempts}),
        passed_learner_count,
        mean,
        median,
        mean_duration_seconds,
        _question_statistics(attempts, versions),
    )


def _mean_and_median(scores: Mapping[tuple[int, int], int]) -> tuple[float | None, float | None]:
    """Return mean and median of scores in percent. `scores` has the number of attempts by earned and total points."""
    if not scores:
        return None, None
    denominator = math.lcm(*(total or 1 for _, total in scores))
    scaled = sorted((earned * 100 * denominator // total if total else 0, n) for (earned, total), n in scores.items())
    number = sum(n for _, n in scaled)
    mean = Fraction(sum(score * n for score, n in scaled), number * denominator)
    median = Fraction(_nth(scaled, (number - 1) // 2) + _nth(scaled, number // 2), 2 * denominator)
    return _rounded(mean, PERCENT_DECIMALS), _rounded(median, PERCENT_DECIMALS)


def _nth(scores: Iterable[tuple[int, int]], index: int) -> int:
    """Return the score at this index of the sorted scores, each of which occurs so many times."""
    for score, number in scores:
        if index < number:
            return score
        index -= number
    raise IndexError(index)


class _Group:
    """Attempts at the same versions of questions, in the order of `versions`: all are graded, or none is."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.totals: list[int] = []

    def count(self) -> list["_Column"]:
        """Count the tokens of each question. The loops run in C, because there are millions of tokens."""
        columns: list[_Column] = []
        earned = _EarnedByToken().__getitem__
        for start in range(0, len(self.tokens), CHUNK_SIZE):
            rows, totals = self.tokens[start : start + CHUNK_SIZE], self.totals[start : start + CHUNK_SIZE]
            for index, tokens in enumerate(zip(*map(str.split, rows), strict=True)):
                if index == len(columns):
                    columns.append(_Column())
                columns[index].counts.update(tokens)
                columns[index].earned_times_total += sum(map(mul, map(earned, tokens), totals))
        return columns


class _Column:
    """Number of attempts by token of one question, and the sum of its points times the attempt's total."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.earned_times_total = 0


class _EarnedByToken(dict[str, int]):
    """Points in hundredths by token. Points that are not known yet are 0."""

    def __missing__(self, token: str) -> int:
        self[token] = earned = parse_token(token).earned or 0
        return earned


class _QuestionSums:
    """Sums of a question. Points are in hundredths: x for the question, t for all questions."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.chosen_counts: Counter[str] = Counter()
        self.earned_by_points: Counter[int] = Counter()
        self.n = self.x = self.xx = self.t = self.tt = self.xt = 0

    def add_counts(self, counts: Mapping[str, int], option_ids: Sequence[str]) -> None:
        for text, number in counts.items():
            token = parse_token(text)
            self.counts["answered" if token.is_answered else "unanswered"] += number
            for index in token.selected:
                self.chosen_counts[option_ids[index]] += number
            if token.earned is not None:
                credit = "none" if token.earned == 0 else "full" if token.earned >= token.points else "partial"
                self.counts[credit] += number
                self.counts["scored"] += number
                self.earned_by_points[token.points] += number * token.earned

    def add_correlation(self, column: _Column, totals: Sequence[int]) -> None:
        """Add the sums for the correlation. `totals` are those of the attempts, all of which are graded."""
        for text, number in column.counts.items():
            earned = parse_token(text).earned or 0
            self.x += number * earned
            self.xx += number * earned * earned
        self.n += len(totals)
        self.t += sum(totals)
        self.tt += sum(map(mul, totals, totals))
        self.xt += column.earned_times_total

    def statistics(self) -> QuestionStatistics:
        counts = self.counts
        return QuestionStatistics(
            counts["answered"],
            counts["unanswered"],
            counts["full"],
            counts["partial"],
            counts["none"],
            self._mean_percent(),
            self._discrimination(),
            dict(self.chosen_counts),
        )

    def _mean_percent(self) -> float | None:
        if not self.counts["scored"]:
            return None
        shares = sum((Fraction(earned, points) for points, earned in self.earned_by_points.items()), Fraction(0))
        return _rounded(shares * 100 / self.counts["scored"], PERCENT_DECIMALS)

    def _discrimination(self) -> float | None:
        """Return Pearson's correlation of the points for the question (x) with those for all others (y = t - x)."""
        y, yy, xy = self.t - self.x, self.tt - 2 * self.xt + self.xx, self.xt - self.xx
        variance_x, variance_y = self.n * self.xx - self.x**2, self.n * yy - y**2
        if variance_x == 0 or variance_y == 0:
            return None
        correlation = (self.n * xy - self.x * y) / math.sqrt(variance_x * variance_y)
        return round(max(-1.0, min(1.0, correlation)), CORRELATION_DECIMALS)


def _question_statistics(
    attempts: Iterable[SubmittedAttempt], versions: Mapping[int, ShownVersion]
) -> dict[int, QuestionStatistics]:
    groups: dict[tuple[str, bool], _Group] = {}
    for attempt in attempts:
        version_keys, tokens = split_versions(attempt.result_tokens or "")
        group = groups.setdefault((version_keys, attempt.is_graded), _Group())
        group.tokens.append(tokens)
        group.totals.append(attempt.earned_points)
    questions: dict[int, _QuestionSums] = {}
    for (version_keys, is_graded), group in groups.items():
        for version_key, column in zip(version_keys.split(), group.count(), strict=True):
            version = versions.get(int(version_key))
            if version is not None:
                question = questions.setdefault(version.question_key, _QuestionSums())
                question.add_counts(column.counts, version.option_ids)
                if is_graded:
                    question.add_correlation(column, group.totals)
    return {key: sums.statistics() for key, sums in questions.items()}


def _rounded(exact: Fraction, decimals: int) -> float:
    """Return the number, which is not negative, rounded half up."""
    return float(Decimal(math.floor(exact * 10**decimals + Fraction(1, 2))).scaleb(-decimals))
