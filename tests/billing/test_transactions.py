"""Reads of transactions: who sees which, filters and pages, amounts in each currency, and statement counts."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.accounts.models import User
from lms_graphql.billing.models import FakePayment, TransactionStatus
from lms_graphql.core.actor import Actor
from tests.billing.billing_client import TRANSACTION, BillingClient
from tests.billing.conftest import Shop
from tests.factories import CourseTree, global_id
from tests.live_service import StatementRecorder
from tests.row_writer import START

LIST = """query Q($filter: TransactionFilter, $first: Int, $after: String) {
  transactions(filter: $filter, first: $first, after: $after) {
    nodes { reference } totalCount pageInfo { endCursor hasNextPage }
  }
}"""
OF_USER = "query Q($id: ID!) { node(id: $id) { ... on User { transactions { nodes { reference } } } } }"
WITH_DETAILS = f"{{ transactions {{ nodes {{ {TRANSACTION[13:-1]} }} }} }}"
REFUND = "mutation M($input: RefundTransactionInput!) { refundTransaction(input: $input) { errors { code } } }"


@pytest.mark.parametrize(
    ("currency", "units", "text", "zero"),
    [
        ("JPY", 1500, "1500", "0"),
        ("KRW", 29000, "29000", "0"),
        ("BHD", 1234, "1.234", "0.000"),
        ("USD", 1999, "19.99", "0.00"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(
    shop: Shop, currency: str, units: int, text: str, zero: str
) -> None:
    course = shop.make.course(price=units, currency=currency)
    purchase = shop.buyer.purchase(course, expectedPrice=text)
    handed_over = shop.service.database.read_sync(
        lambda session: session.execute(select(FakePayment.amount, FakePayment.currency)).one()
    )
    assert tuple(handed_over) == (units, currency)
    shop.gateway.settle(purchase["checkoutUrl"])
    id = purchase["transaction"]["id"]
    assert amounts(shop.buyer.transaction(id)) == ("COMPLETED", text, zero, text)
    refund = {"transactionId": id, "reason": "Why not", "idempotencyKey": "refund"}
    assert shop.client.execute(REFUND, as_=shop.admin.actor, input=refund)["refundTransaction"]["errors"] == []
    refunded = shop.buyer.transaction(id)
    assert amounts(refunded) == ("REFUNDED", text, text, zero)
    assert [refund["amount"] for refund in refunded["refunds"]] == [{"amount": text, "currency": currency}]


def amounts(transaction: Any) -> tuple[str, str, str, str]:
    texts = [transaction[name]["amount"] for name in ("amount", "refundedAmount", "netAmount")]
    return transaction["status"], *texts


class Sales:
    """Four transactions of two buyers and two courses, from the oldest to the newest."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.other: User = shop.make.user()
        self.other_course: CourseTree = shop.make.course(price=1)
        self.buyer = shop.buyer_user
        self._add("a", self.buyer, shop.course, TransactionStatus.FAILED, 1)
        self._add("b", self.other, shop.course, TransactionStatus.COMPLETED, 2)
        self._add("c", self.buyer, self.other_course, TransactionStatus.COMPLETED, 3)
        self._add("d", self.buyer, shop.course, TransactionStatus.COMPLETED, 4)

    def _add(self, reference: str, user: User, course: CourseTree, status: TransactionStatus, day: int) -> None:
        values = {"transaction_id": reference, "created_at": START + timedelta(days=day)}
        self.shop.make.transaction(user, course, status, **values)

    def references(self, actor: Actor, **conditions: Any) -> str:
        """Return the references of the listed transactions as one text."""
        page = self.shop.client.execute(LIST, as_=actor, filter=conditions or None)["transactions"]
        assert page["totalCount"] == len(page["nodes"])
        return "".join(node["reference"] for node in page["nodes"])


def test_lists_have_own_transactions_or_all_for_super_admins(shop: Shop) -> None:
    sales = Sales(shop)
    admin, buyer, other = shop.admin.actor, shop.buyer.actor, shop.make.actor(sales.other)
    assert [sales.references(actor) for actor in (admin, buyer, other)] == ["dcba", "dca", "b"]
    assert sales.references(shop.instructor.actor) == ""  # instructors list what they have bought
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"userId": global_id("User", sales.other)}, "b", ""),
        ({"userId": global_id("User", sales.buyer)}, "dca", "dca"),
        ({"courseId": shop.course.global_id}, "dba", "da"),
        ({"status": "FAILED"}, "a", "a"),
        ({"createdAfter": "2026-01-03T12:00:00Z", "createdBefore": "2026-01-05T12:00:00Z"}, "c", "c"),
        ({"userId": shop.course.global_id}, "", ""),
        ({"courseId": "nonsense"}, "", ""),
    ]
    for conditions, of_admin, of_buyer in cases:
        assert sales.references(admin, **conditions) == of_admin, conditions
        assert sales.references(buyer, **conditions) == of_buyer, conditions
    page = shop.client.execute(LIST, as_=admin, first=3)["transactions"]
    after = page["pageInfo"]["endCursor"]
    rest = shop.client.execute(LIST, as_=admin, first=3, after=after)["transactions"]
    assert [node["reference"] for node in page["nodes"] + rest["nodes"]] == list("dcba")
    assert shop.client.error_codes(LIST) == ["UNAUTHENTICATED"]


def test_transactions_of_a_user_are_for_the_user_and_super_admins(shop: Shop) -> None:
    sales = Sales(shop)
    id = global_id("User", sales.buyer)
    for actor in (shop.buyer.actor, shop.admin.actor):
        nodes = shop.client.execute(OF_USER, as_=actor, id=id)["node"]["transactions"]["nodes"]
        assert [node["reference"] for node in nodes] == list("dca")
    assert shop.client.error_codes(OF_USER, as_=shop.instructor.actor, id=id) == ["FORBIDDEN"]


@pytest.mark.query_budget
def test_statements_do_not_depend_on_the_number_of_transactions(shop: Shop, statements: StatementRecorder) -> None:
    """Transactions, buyers, courses and refunds are one statement each."""

    def count() -> int:
        with statements:
            shop.client.execute(WITH_DETAILS, as_=shop.buyer.actor)
        return statements.count

    for index in range(2):
        shop.make.transaction(shop.buyer_user, shop.make.course(price=1), transaction_id=f"first {index}")
    few = count()
    for index in range(10):
        shop.make.transaction(shop.buyer_user, shop.make.course(price=1), transaction_id=f"second {index}")
    assert count() == few == 4


def test_purchase_is_visible_to_the_buyer_the_instructor_and_super_admins(shop: Shop) -> None:
    id = shop.buyer.purchase(shop.course)["transaction"]["id"]
    stranger = shop.other_buyer()
    other_instructor = BillingClient(shop.client, shop.make.actor(shop.make.course().instructor))
    sees = [client.transaction(id) is not None for client in (shop.buyer, shop.instructor, shop.admin)]
    assert sees == [True, True, True]
    assert (stranger.transaction(id), other_instructor.transaction(id)) == (None, None)
