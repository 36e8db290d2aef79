"""The rules for what was watched, held against the plainest way to count: a set of seconds."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_graphql.learning import watched_ranges

LENGTHS = st.integers(0, 60)
STRETCH = st.tuples(st.integers(-20, 80), st.integers(0, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
REPORT = st.tuples(st.lists(STRETCH, max_size=6), st.integers(0, 100))
REPORTS = st.lists(REPORT, max_size=8)


def claimed_plainly(report: list[tuple[int, int]], length: int, most: int) -> set[int]:
    found: set[int] = set()
    for start, end in report:
        here = [second for second in range(start, end) if 0 <= second < length][:most]
        most -= len(here)
        found |= set(here)
    return found


def seconds_in(stretches: list[list[int]]) -> set[int]:
    return {second for start, end in stretches for second in range(start, end)}


@given(LENGTHS, REPORTS)
def test_any_reports_leave_the_union_of_what_they_may_claim(
    length: int, reports: list[tuple[list[tuple[int, int]], int]]
) -> None:
    kept: list[list[int]] = []
    plainly: set[int] = set()
    for report, most in reports:
        before = watched_ranges.total_seconds(kept)
        kept = watched_ranges.add_ranges(kept, watched_ranges.clip(report, length, most))
        plainly |= claimed_plainly(report, length, most)
        assert seconds_in(kept) == plainly
        assert before <= watched_ranges.total_seconds(kept) == len(plainly) <= length
        assert all(one[1] < other[0] for one, other in pairwise(kept)), "merged and in order"


@given(LENGTHS, st.lists(STRETCH, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_reports_makes_no_difference(
    length: int, stretches: list[tuple[int, int]], random: object
) -> None:
    def watched(several: list[tuple[int, int]]) -> list[list[int]]:
        kept: list[list[int]] = []
        for stretch in several:
            kept = watched_ranges.add_ranges(kept, watched_ranges.clip([stretch], length, 1_000))
        return kept

    turned = list(stretches)
    random.shuffle(turned)  # type: ignore[attr-defined]
    assert watched(turned) == watched(stretches)


@given(st.lists(STRETCH, max_size=6), LENGTHS, st.integers(1, 100))
def test_a_lecture_is_watched_when_so_much_of_it_is(
    stretches: list[tuple[int, int]], length: int, percent: int
) -> None:
    kept = watched_ranges.merge(watched_ranges.clip(stretches, 60, 1_000))
    share = len([second for second in seconds_in(kept) if second < length])
    assert watched_ranges.is_watched(kept, length, percent) == (length > 0 and share * 100 >= percent * length)


@given(st.lists(STRETCH, max_size=6), LENGTHS, st.integers(0, 100))
def test_no_report_claims_more_than_it_may(stretches: list[tuple[int, int]], length: int, most: int) -> None:
    assert watched_ranges.total_seconds(watched_ranges.clip(stretches, length, most)) <= most


def test_twice_the_time_and_ten_seconds_may_be_claimed() -> None:
    assert watched_ranges.creditable_seconds(timedelta(seconds=30)) == 70
    assert watched_ranges.creditable_seconds(timedelta(0)) == 10
    assert watched_ranges.creditable_seconds(timedelta(seconds=-5)) == 10, "of two machines' clocks one is behind"


@pytest.mark.slow
def test_whoever_claims_every_other_second_of_a_day_leaves_no_more_than_so_many_pieces() -> None:
    kept: list[list[int]] = []
    for first in range(0, 86_400, 200):
        kept = watched_ranges.add_ranges(kept, [[second, second + 1] for second in range(first, first + 200, 2)])
    assert len(kept) == watched_ranges.MAX_RANGES
    whole = watched_ranges.add_ranges(kept, [[0, 86_400]])
    assert whole == [[0, 86_400]], "who fills the gaps is heard"
