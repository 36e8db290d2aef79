"""Sales for tests of refunds, earnings and payouts."""

import pytest

from lms_graphql.accounts.models import User
from lms_graphql.core.actor import Role
from tests.billing.billing_client import BillingClient, FakeGatewayClient
from tests.billing.ledger_client import Refunds
from tests.billing.ledger_factories import LedgerFactories
from tests.factories import Factories
from tests.live_service import Service


@pytest.fixture
def ledger(service: Service, make: Factories) -> LedgerFactories:
    return LedgerFactories(make, service.database)


@pytest.fixture
def refunds(client: Client, make: Factories, ledger: LedgerFactories) -> Refunds:
    return Refunds(client, make, ledger)
