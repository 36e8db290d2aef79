"""Pure rules of attempts: time limits, attempts left, order of questions, review."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_graphql.assessment import attempt_rules
from lms_graphql.assessment.attempt_rules import ReviewFacts
from lms_graphql.assessment.models import AttemptStatus, ReviewPolicy

START = datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)
"""Half a minute before clocks in Europe are put forward."""


@pytest.mark.parametrize(
    ("limit", "percent", "seconds"), [(None, 50, None), (60, 0, 60), (101, 50, 152), (10, 33, 14), (1, 400, 5)]
)
def test_extra_time_is_rounded_up(limit: int | None, percent: int, seconds: int | None) -> None:
    assert attempt_rules.time_limit_seconds(limit, percent) == seconds
    expected = None if seconds is None else START + timedelta(seconds=seconds)
    assert attempt_rules.deadline(START, limit, percent) == expected


def test_remaining_seconds_are_rounded_down_and_never_negative() -> None:
    deadline = START + timedelta(seconds=10)
    assert attempt_rules.remaining_seconds(None, START) is None
    assert attempt_rules.remaining_seconds(deadline, START) == 10
    assert attempt_rules.remaining_seconds(deadline, START + timedelta(milliseconds=1)) == 9
    assert attempt_rules.remaining_seconds(deadline, deadline + timedelta(seconds=1)) == 0


def test_attempts_left() -> None:
    assert attempt_rules.attempts_left(None, 5, 9) is None
    assert attempt_rules.attempts_left(1, 0, 0) == 1
    assert attempt_rules.attempts_left(1, 2, 3) == 0
    assert attempt_rules.attempts_left(1, 0, 7) == 0


@given(items=st.lists(st.integers(), unique=True), seed=st.text(min_size=1))
def test_shuffle_keeps_all_items_and_repeats(items: list[int], seed: str) -> None:
    shuffled = attempt_rules.shuffled(items, seed, lambda item: item)
    assert sorted(shuffled) == sorted(items)
    assert attempt_rules.shuffled(list(reversed(items)), seed, lambda item: item) == shuffled
    assert attempt_rules.shuffled(items, None, lambda item: item) == items


SUBMITTED_ONCE = ReviewFacts(attempts_left=1, has_open_attempt=False, has_passed=False)


@pytest.mark.parametrize(
    ("policy", "facts", "visible"),
    [
        (ReviewPolicy.NEVER, SUBMITTED_ONCE._replace(has_passed=True, attempts_left=0), False),
        (ReviewPolicy.AFTER_SUBMIT, SUBMITTED_ONCE, True),
        (ReviewPolicy.AFTER_LAST_ATTEMPT, SUBMITTED_ONCE, False),
        (ReviewPolicy.AFTER_LAST_ATTEMPT, SUBMITTED_ONCE._replace(attempts_left=0), True),
        (ReviewPolicy.AFTER_LAST_ATTEMPT, SUBMITTED_ONCE._replace(attempts_left=0, has_open_attempt=True), False),
        (ReviewPolicy.AFTER_LAST_ATTEMPT, SUBMITTED_ONCE._replace(attempts_left=None), True),
        (ReviewPolicy.AFTER_PASS, SUBMITTED_ONCE, False),
        (ReviewPolicy.AFTER_PASS, SUBMITTED_ONCE._replace(has_passed=True), True),
    ],
)
def test_review_policy(policy: ReviewPolicy, facts: ReviewFacts, visible: bool) -> None:
    assert attempt_rules.may_review(policy, AttemptStatus.GRADED, facts) is visible
    assert attempt_rules.may_review(policy, AttemptStatus.GRADING, facts) is visible
    assert not attempt_rules.may_review(policy, AttemptStatus.IN_PROGRESS, facts)
    assert not attempt_rules.may_review(policy, AttemptStatus.VOIDED, facts)
