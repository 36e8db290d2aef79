"""The races of `tests/learning/test_enrollment_races.py` on three Galera nodes, whose transactions compete."""

from tests.learning.test_enrollment_races import *  # noqa: F403 - its tests and fixtures
