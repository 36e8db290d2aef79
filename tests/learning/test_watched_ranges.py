"""Rules for watched ranges, compared with a simple model: a set of seconds."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_graphql.learning import watched_ranges
from tests.row_writer import START

DURATIONS = st.integers(0, 60)
RANGE = st.tuples(st.integers(-20, 80), st.integers(0, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
REPORT = st.tuples(st.lists(RANGE, max_size=6), st.integers(0, 100))
REPORTS = st.lists(REPORT, max_size=8)


def credited_seconds(report: list[tuple[int, int]], known: set[int], duration: int, credit: int) -> set[int]:
    """Return the seconds that a report adds to those already known, counted one by one."""
    claimed = {second for start, end in report for second in range(start, end) if 0 <= second < duration}
    return set(sorted(claimed - known)[:credit])


def seconds_in(ranges: list[list[int]]) -> set[int]:
    return {second for start, end in ranges for second in range(start, end)}


@given(DURATIONS, REPORTS)
def test_stored_ranges_are_union_of_credited_seconds(
    duration: int, reports: list[tuple[list[tuple[int, int]], int]]
) -> None:
    stored: list[list[int]] = []
    expected: set[int] = set()
    for report, credit in reports:
        previous = watched_ranges.total_seconds(stored)
        stored = watched_ranges.add_ranges(stored, watched_ranges.clip(report, duration), credit)
        expected |= credited_seconds(report, expected, duration, credit)
        assert seconds_in(stored) == expected
        assert previous <= watched_ranges.total_seconds(stored) == len(expected) <= duration
        assert all(first[1] < second[0] for first, second in pairwise(stored)), "merged and sorted"


@given(DURATIONS, st.lists(RANGE, max_size=6), st.randoms(use_true_random=False))
def test_order_of_reports_does_not_matter(duration: int, ranges: list[tuple[int, int]], random: object) -> None:
    def stored_after(reports: list[tuple[int, int]]) -> list[list[int]]:
        stored: list[list[int]] = []
        for report in reports:
            stored = watched_ranges.add_ranges(stored, watched_ranges.clip([report], duration), 1_000)
        return stored

    shuffled = list(ranges)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert stored_after(shuffled) == stored_after(ranges)


@given(st.lists(RANGE, max_size=6), DURATIONS, st.integers(1, 100))
def test_lecture_is_watched_at_given_percentage(ranges: list[tuple[int, int]], duration: int, percent: int) -> None:
    stored = watched_ranges.merge(watched_ranges.clip(ranges, 60))
    watched = len([second for second in seconds_in(stored) if second < duration])
    expected = duration > 0 and watched * 100 >= percent * duration
    assert watched_ranges.is_watched(stored, duration, percent) == expected


@given(st.lists(RANGE, max_size=6))
def test_ranges_without_known_duration_begin_at_zero(ranges: list[tuple[int, int]]) -> None:
    assert watched_ranges.clip(ranges, None) == watched_ranges.clip(ranges, 10**9)


@given(st.lists(st.floats(0, 60), min_size=2, max_size=8).map(sorted))
def test_played_range_may_be_cut_at_any_instant(instants: list[float]) -> None:
    """A cut inside a second neither loses the second nor counts it twice."""
    first, last = instants[0], instants[-1]
    whole = watched_ranges.merge(watched_ranges.whole_seconds([(first, last)]))
    assert watched_ranges.merge(watched_ranges.whole_seconds(pairwise(instants))) == whole
    assert abs(watched_ranges.total_seconds(whole) - (last - first)) <= 1


@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 100)), max_size=20))
def test_reports_never_exceed_twice_elapsed_time_plus_ten(reports: list[tuple[int, int]]) -> None:
    """Each report comes some milliseconds after the last one, and claims some seconds."""
    now, since, total = START, watched_ranges.first_credit_since(START), 0
    for milliseconds, claimed in reports:
        now += timedelta(milliseconds=milliseconds)
        credit = watched_ranges.available_credit(since, now)
        added = min(claimed, credit)
        total, since = total + added, watched_ranges.credit_since_after(since, now, added)
        unused = watched_ranges.available_credit(since, now)
        assert max(0, min(10, credit - added)) <= unused + 1e-6 <= 10 + 1e-6
    assert total <= 10 + 2 * (now - START).total_seconds()


def test_credit_of_viewer_at_double_speed_never_ends() -> None:
    """Reports come 9.98 seconds after each other, so that fractions of seconds must not be lost."""
    now, since, played, stored = START, START, 0.0, 0
    for _ in range(1_000):
        now, played = now + timedelta(seconds=9.98), played + 2 * 9.98
        added = min(int(played) - stored, watched_ranges.available_credit(since, now))
        stored, since = stored + added, watched_ranges.credit_since_after(since, now, added)
    assert stored >= int(played) - 1


@pytest.mark.slow
def test_number_of_ranges_is_limited() -> None:
    """A client that claims every other second of a day reaches the limit."""
    stored: list[list[int]] = []
    for first in range(0, 86_400, 1_000):
        claimed = [[second, second + 1] for second in range(first, first + 1_000, 2)]
        stored = watched_ranges.add_ranges(stored, claimed, 500)
    assert len(stored) == watched_ranges.MAX_RANGES
    merged = watched_ranges.add_ranges(stored, [[0, 86_400]], 86_400)
    assert merged == [[0, 86_400]], "claims that fill the gaps are accepted"
