"""Races of webhook, return page and reconciliation, on two processes of the service and one that reconciles."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.billing.remote_gateways.process_shop import (
    COMPLETED,
    ProcessShop,
    ReconciliationWorker,
    run_reconciliation_worker,
)
from tests.concurrency import race_rounds, run_at_once
from tests.processes import Cluster

pytestmark = pytest.mark.slow

ROUNDS = race_rounds(5)
"""Run 300 rounds after a change of payments or reconciliation."""
SUCCESS, REDIRECT, BUSY = 200, 303, 503


@pytest.fixture(scope="module")
def worker(gateway_cluster: Cluster) -> Iterator[ReconciliationWorker]:
    with run_reconciliation_worker(gateway_cluster) as worker:
        yield worker


def test_payment_is_captured_once_by_several_processes(
    process_shop: ProcessShop, worker: ReconciliationWorker
) -> None:
    """A webhook that arrives while the gateway is busy with the same order is sent again."""
    shop = process_shop
    for _ in range(ROUNDS):
        purchase = shop.purchase(shop.course())
        webhook = shop.gateway.pay(purchase.checkout_id)
        shop.let_reconciliation_be_due(purchase)
        *sent, first_page, second_page, _ = run_at_once(
            partial(shop.send, webhook, 0),
            partial(shop.send, webhook, 1),
            partial(shop.come_back, purchase.checkout_id, 0),
            partial(shop.come_back, purchase.checkout_id, 1),
            worker.reconcile,
        )
        assert set(sent) <= {SUCCESS, BUSY}
        assert (first_page, second_page) == (REDIRECT, REDIRECT)
        assert [shop.send(webhook, number) for number in range(2)] == [SUCCESS, SUCCESS]
        assert shop.gateway.payment_count(purchase.checkout_id) == 1
        assert shop.state(purchase) == COMPLETED
    assert shop.ledger.problems() == []
