"""The races of `tests/billing/test_purchase_races.py` on three Galera nodes, whose transactions compete."""

from tests.billing.test_purchase_races import *  # noqa: F403 - its tests and fixtures

del test_course_is_not_unpublished_while_it_is_bought  # noqa: F821 - the lock of a course protects on one node only
