"""The races of starts in `tests/assessment/test_attempt_races.py` on three Galera nodes, whose transactions compete.

Without the retry of an unexpected duplicate, some starts fail on the unique key.
"""

from tests.assessment.test_attempt_races import (  # noqa: F401 - pytest finds them here
    race,
    test_concurrent_starts_never_exceed_the_limit,
    test_starts_and_submissions_leave_no_gap_and_one_open_attempt,
)
