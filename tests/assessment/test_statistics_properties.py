"""Statistics of quizzes compared with a computation that is simple and slow."""

import statistics
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_graphql.assessment.result_tokens import QuestionResult, parse_token, result_tokens, split_versions
from lms_graphql.assessment.statistics import (
    QuestionStatistics,
    QuizStatistics,
    ShownVersion,
    SubmittedAttempt,
    compute_statistics,
)

pytestmark = pytest.mark.slow

VERSIONS = {key: ShownVersion(key % 3, [f"{key % 3}{letter}" for letter in "abcd"]) for key in range(1, 7)}
"""Two versions of each of three questions, 0 to 2. Options of both have the same ids."""
HUNDREDTHS = st.integers(0, 300).map(lambda number: Decimal(number).scaleb(-2))


@st.composite
def question_results(draw: st.DrawFn, version_key: int) -> QuestionResult:
    option_ids = VERSIONS[version_key].option_ids if version_key in VERSIONS else ["x", "y"]
    selected = draw(st.frozensets(st.sampled_from(option_ids)))
    points = draw(st.sampled_from([Decimal(1), Decimal("2.5"), Decimal(3)]))
    earned = draw(st.none() | HUNDREDTHS.map(lambda earned: min(earned, points)))
    return QuestionResult(version_key, option_ids, selected, bool(selected) or draw(st.booleans()), earned, points)


@st.composite
def attempts(draw: st.DrawFn) -> list[QuestionResult]:
    """Return the results of an attempt that has some of the questions, and perhaps a deleted one."""
    versions = draw(st.lists(st.sampled_from([*VERSIONS, 99]), unique_by=lambda key: key % 3 + key // 99, min_size=1))
    return [draw(question_results(version)) for version in versions]


def submitted(number: int, results: list[QuestionResult]) -> SubmittedAttempt:
    earned = int(sum((result.earned_points or Decimal(0)).scaleb(2) for result in results))
    total = int(sum(result.points.scaleb(2) for result in results))
    is_graded = all(result.earned_points is not None for result in results)
    return SubmittedAttempt(1, number % 3, number, is_graded, None, earned, total, result_tokens(results))


@given(st.lists(attempts(), min_size=1, max_size=12))
def test_statistics_equal_those_of_a_simple_computation(all_results: list[list[QuestionResult]]) -> None:
    rows = [submitted(number, results) for number, results in enumerate(all_results)]
    computed = compute_statistics(rows, 2, 30, VERSIONS)
    scores = [Fraction(row.earned_points * 100, row.total_points) for row in rows if row.is_graded]
    assert (computed.attempt_count, computed.learner_count) == (len(rows), min(3, len(rows)))
    assert computed.mean_score_percent == (rounded(statistics.mean(scores)) if scores else None)
    assert computed.median_score_percent == (rounded(statistics.median(scores)) if scores else None)
    for key in range(3):
        expected = simple_statistics(key, list(zip(rows, all_results, strict=True)))
        assert_equal(computed.questions.get(key, QuestionStatistics()), expected)
    assert set(computed.questions) <= {0, 1, 2}
    assert QuizStatistics.from_json(computed.to_json()) == computed


def assert_equal(computed: QuestionStatistics, expected: QuestionStatistics) -> None:
    assert computed._replace(discrimination=None) == expected._replace(discrimination=None)
    assert computed.discrimination == pytest.approx(expected.discrimination, abs=1e-4)


def simple_statistics(key: int, attempts: list[tuple[SubmittedAttempt, list[QuestionResult]]]) -> QuestionStatistics:
    """Return the statistics of a question, from lists of what each attempt has."""
    pairs = [
        (row, result)
        for row, results in attempts
        for result in results
        if result.version_key in VERSIONS and VERSIONS[result.version_key].question_key == key
    ]
    results = [result for _, result in pairs]
    scored = [(result.earned_points, result.points) for result in results if result.earned_points is not None]
    shares = [Fraction(earned) * 100 / Fraction(points) for earned, points in scored]
    graded = [(row, int((result.earned_points or 0) * 100)) for row, result in pairs if row.is_graded]
    own, others = [earned for _, earned in graded], [row.earned_points - earned for row, earned in graded]
    return QuestionStatistics(
        sum(result.is_answered for result in results),
        sum(not result.is_answered for result in results),
        sum(0 < points == earned for earned, points in scored),
        sum(0 < earned < points for earned, points in scored),
        sum(earned == 0 for earned, _ in scored),
        rounded(statistics.mean(shares)) if shares else None,
        correlation(own, others),
        Counter(id for result in results if result.is_answered for id in result.selected),
    )


def correlation(first: list[int], second: list[int]) -> float | None:
    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return statistics.correlation(first, second)


def rounded(exact: Any) -> float:
    """Return the number with two decimals, rounded half up."""
    return int(Fraction(exact) * 100 + Fraction(1, 2)) / 100


@given(attempts())
def test_tokens_say_what_the_results_say(results: list[QuestionResult]) -> None:
    versions, tokens = split_versions(result_tokens(results))
    ordered = sorted(results, key=lambda result: result.version_key)
    assert versions.split() == [str(result.version_key) for result in ordered]
    for result, text in zip(ordered, tokens.split(), strict=True):
        token = parse_token(text)
        assert {result.option_ids[index] for index in token.selected} == result.selected
        assert token.is_answered == result.is_answered
        assert (None if token.earned is None else Decimal(token.earned).scaleb(-2)) == result.earned_points
        assert Decimal(token.points).scaleb(-2) == result.points
