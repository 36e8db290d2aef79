"""The races of `tests/billing/test_ledger_races.py` on three Galera nodes, whose transactions compete."""

from tests.billing.test_ledger_races import *  # noqa: F403 - its tests and fixtures
