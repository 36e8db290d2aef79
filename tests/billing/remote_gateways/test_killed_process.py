"""A service process is killed (SIGKILL) after the gateway has acted, or before COMMIT. The change happens once.

The client repeats its request at the process that follows, or maintenance continues.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from lms_graphql.accounts.models import User
from lms_graphql.billing.models import Refund, RefundStatus, Transaction, TransactionStatus
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.core.global_ids import encode
from tests.billing.doubles.http_double import LONGER_THAN_ANY_TIMEOUT, Fault
from tests.billing.doubles.paypal_double import PayPalDouble
from tests.billing.remote_gateways.process_shop import AMOUNT, COMPLETED, ProcessShop
from tests.concurrency import RaceRequest
from tests.mariadb import MariaDB

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("remote_gateway", ["paypal"], indirect=True)]

WAIT_SECONDS = 60
SUCCESS, REDIRECT = 200, 303
LOCK_WAITS = "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
REFUND = """mutation M($input: RefundTransactionInput!) { refundTransaction(input: $input) {
  transaction { status refundedAmount { amount } refunds { status } } errors { code path } } }"""
RUN_PAYOUTS = """mutation M($input: RunPayoutsInput!) { runPayouts(input: $input) {
  payouts { id amount { amount } } errors { code path } } }"""
REFUNDED = {"status": "REFUNDED", "refundedAmount": {"amount": AMOUNT}, "refunds": [{"status": "SUCCEEDED"}]}


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def killed_during(shop: ProcessShop, send: Callable[[], Any], is_reached: Callable[[], Any]) -> Iterator[None]:
    """Send a request, and kill its process at a point. Start another process after the block."""
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(send)
        wait_until(is_reached)
        assert not answer.done()
        shop.cluster.kill()
        with pytest.raises(httpx.TransportError):
            answer.result(WAIT_SECONDS)
    yield
    shop.cluster.restart()


def hold_answers(shop: ProcessShop, path: str) -> PayPalDouble:
    """Let the gateway act on the next call of a path, and not answer it."""
    shop.gateway.double.faults = [Fault(acts=True, drops=True, delay_seconds=LONGER_THAN_ANY_TIMEOUT, path=path)]
    assert isinstance(shop.gateway.double, PayPalDouble)
    return shop.gateway.double


def test_purchase_is_continued_after_the_checkout_was_opened(process_shop: ProcessShop) -> None:
    shop, course = process_shop, process_shop.course()
    request = shop.purchase_request(course)
    paypal = hold_answers(shop, "/v2/checkout/orders")
    number = len(paypal.orders)
    with killed_during(shop, partial(shop.execute, request), lambda: len(paypal.orders) > number):
        assert shop.scalars(select(Transaction.status)) == [TransactionStatus.PENDING]
    answer = shop.execute(request)
    assert (answer.code, answer.payload["checkoutUrl"]) == (None, checkout_url(paypal))
    assert shop.execute(request) == answer
    assert (len(paypal.orders), shop.count(select(func.count()).select_from(Transaction))) == (number + 1, 1)


def test_payment_is_booked_after_it_was_captured(process_shop: ProcessShop) -> None:
    shop = process_shop
    purchase = shop.purchase(shop.course())
    paypal = hold_answers(shop, "/capture")
    shop.gateway.pay(purchase.checkout_id)
    come_back = partial(shop.come_back, purchase.checkout_id)
    with killed_during(shop, come_back, lambda: shop.gateway.payment_count(purchase.checkout_id)):
        assert shop.state(purchase).payments == []
    assert come_back() == REDIRECT
    assert shop.state(purchase) == COMPLETED
    assert len(paypal.calls("POST", f"{purchase.checkout_id}/capture")) == 1


def test_refund_is_booked_after_the_money_was_returned(process_shop: ProcessShop) -> None:
    shop = process_shop
    purchase = shop.purchase(shop.course())
    assert shop.send(shop.gateway.pay(purchase.checkout_id)) == SUCCESS
    input = {"transactionId": encode("Transaction", purchase.key), "reason": "Goodwill", "idempotencyKey": "a key"}
    request = RaceRequest(REFUND, {"input": input}, shop.admin_token)
    hold_answers(shop, "/refund")
    with killed_during(shop, partial(shop.execute, request), shop.gateway.refunded):
        assert shop.scalars(select(Refund.status)) == [RefundStatus.PROCESSING]
    answer = shop.execute(request)
    assert answer.payload == {"transaction": REFUNDED, "errors": []}
    assert shop.execute(request) == answer
    assert shop.gateway.refunded() == [AMOUNT]
    assert shop.scalars(select(Refund.status)) == [RefundStatus.SUCCEEDED]
    assert shop.ledger.problems() == []


def test_payout_run_that_did_not_commit_pays_once(process_shop: ProcessShop, mariadb_server: MariaDB) -> None:
    """The run waits for the row of the instructor, to which the payout refers."""
    shop, instructor = process_shop, process_shop.make.user(Role.INSTRUCTOR)
    shop.ledger.sale("100.00", instructor=instructor, days_ago=31)
    input = {"periodEnd": clock.now().isoformat(), "idempotencyKey": "a key"}
    request = RaceRequest(RUN_PAYOUTS, {"input": input}, shop.admin_token)

    def waits() -> bool:
        with mariadb_server.connect_as_root() as connection, connection.cursor() as cursor:
            cursor.execute(LOCK_WAITS)
            return cursor.fetchone() != (0,)

    with shop.cluster.database.engine.begin() as connection:
        connection.execute(select(User.id).where(User.id == instructor.id).with_for_update())
        with killed_during(shop, partial(shop.execute, request), waits):
            assert shop.ledger.payouts() == []
            connection.rollback()
    answer = shop.execute(request)
    assert [payout["amount"]["amount"] for payout in answer.payload["payouts"]] == ["70.00"]
    assert shop.execute(request) == answer
    assert [payout.amount for payout in shop.ledger.payouts()] == [7000]
    assert shop.ledger.problems() == []


def checkout_url(paypal: PayPalDouble) -> str:
    """Return the page of the latest order."""
    return str([*paypal.orders.values()][-1]["links"][0]["href"])
