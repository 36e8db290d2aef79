"""Rules for watched ranges, compared with a simple model: a set of seconds."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_graphql.learning import watched_ranges

DURATIONS = st.integers(0, 60)
RANGE = st.tuples(st.integers(-20, 80), st.integers(0, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
REPORT = st.tuples(st.lists(RANGE, max_size=6), st.integers(0, 100))
REPORTS = st.lists(REPORT, max_size=8)


def credited_seconds(report: list[tuple[int, int]], duration: int, limit: int) -> set[int]:
    """Return the seconds that a report may claim, counted one by one."""
    seconds: set[int] = set()
    for start, end in report:
        credited = [second for second in range(start, end) if 0 <= second < duration][:limit]
        limit -= len(credited)
        seconds |= set(credited)
    return seconds


def seconds_in(ranges: list[list[int]]) -> set[int]:
    return {second for start, end in ranges for second in range(start, end)}


@given(DURATIONS, REPORTS)
def test_stored_ranges_are_union_of_credited_seconds(
    duration: int, reports: list[tuple[list[tuple[int, int]], int]]
) -> None:
    stored: list[list[int]] = []
    expected: set[int] = set()
    for report, limit in reports:
        previous = watched_ranges.total_seconds(stored)
        stored = watched_ranges.add_ranges(stored, watched_ranges.clip(report, duration, limit))
        expected |= credited_seconds(report, duration, limit)
        assert seconds_in(stored) == expected
        assert previous <= watched_ranges.total_seconds(stored) == len(expected) <= duration
        assert all(first[1] < second[0] for first, second in pairwise(stored)), "merged and sorted"


@given(DURATIONS, st.lists(RANGE, max_size=6), st.randoms(use_true_random=False))
def test_order_of_reports_does_not_matter(duration: int, ranges: list[tuple[int, int]], random: object) -> None:
    def stored_after(reports: list[tuple[int, int]]) -> list[list[int]]:
        stored: list[list[int]] = []
        for report in reports:
            stored = watched_ranges.add_ranges(stored, watched_ranges.clip([report], duration, 1_000))
        return stored

    shuffled = list(ranges)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert stored_after(shuffled) == stored_after(ranges)


@given(st.lists(RANGE, max_size=6), DURATIONS, st.integers(1, 100))
def test_lecture_is_watched_at_given_percentage(ranges: list[tuple[int, int]], duration: int, percent: int) -> None:
    stored = watched_ranges.merge(watched_ranges.clip(ranges, 60, 1_000))
    watched = len([second for second in seconds_in(stored) if second < duration])
    expected = duration > 0 and watched * 100 >= percent * duration
    assert watched_ranges.is_watched(stored, duration, percent) == expected


@given(st.lists(RANGE, max_size=6), DURATIONS, st.integers(0, 100))
def test_clipped_ranges_do_not_exceed_limit(ranges: list[tuple[int, int]], duration: int, limit: int) -> None:
    assert watched_ranges.total_seconds(watched_ranges.clip(ranges, duration, limit)) <= limit


def test_creditable_seconds_are_twice_elapsed_plus_ten() -> None:
    assert watched_ranges.creditable_seconds(timedelta(seconds=30)) == 70
    assert watched_ranges.creditable_seconds(timedelta(0)) == 10
    assert watched_ranges.creditable_seconds(timedelta(seconds=-5)) == 10, "the clock of this machine is behind"


@pytest.mark.slow
def test_number_of_ranges_is_limited() -> None:
    """A client that claims every other second of a day reaches the limit."""
    stored: list[list[int]] = []
    for first in range(0, 86_400, 200):
        stored = watched_ranges.add_ranges(stored, [[second, second + 1] for second in range(first, first + 200, 2)])
    assert len(stored) == watched_ranges.MAX_RANGES
    merged = watched_ranges.add_ranges(stored, [[0, 86_400]])
    assert merged == [[0, 86_400]], "claims that fill the gaps are accepted"
