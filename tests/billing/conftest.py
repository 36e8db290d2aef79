"""Sales for tests of refunds, earnings and payouts."""

import pytest

from tests.billing.ledger_factories import LedgerFactories
from tests.factories import Factories
from tests.live_service import Service


@pytest.fixture
def ledger(service: Service, make: Factories) -> LedgerFactories:
    return LedgerFactories(make, service.database)
