"""Lists of earnings and payouts: filters, pages, who sees them, and statement counts."""

from functools import partial
from typing import Any

import pytest

from lms_graphql.billing.services.payouts import run_payouts
from lms_graphql.core import clock
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.billing.ledger_client import PAYOUT, admin_client
from tests.billing.ledger_factories import LedgerFactories
from tests.factories import Factories, global_id
from tests.live_service import Client, StatementRecorder

EARNINGS = """query Q($status: EarningStatus, $first: Int, $after: String) { me { teaching {
  earnings(status: $status, first: $first, after: $after) {
    nodes { netAmount { amount } } totalCount pageInfo { endCursor hasNextPage }
  }
} } }"""
PAYOUTS = """query Q($filter: PayoutFilter) { payouts(filter: $filter) { nodes { reference } totalCount } }"""
DETAILS = f"""query Q {{
  payouts {{ nodes {{ {PAYOUT} earnings(first: 5) {{ totalCount nodes {{ id status }} }} }} }}
  me {{ commissionRate teaching {{
    balances {{ currency available {{ amount }} }}
    earnings(first: 50) {{ nodes {{
      status amount {{ amount }} course {{ title }} payout {{ reference }}
      transaction {{ reference user {{ fullName }} }}
    }} }}
    payouts {{ nodes {{ reference }} }}
  }} }}
}}"""


def earnings(client: Client, actor: Actor, **variables: Any) -> Any:
    return client.execute(EARNINGS, as_=actor, **variables)["me"]["teaching"]["earnings"]


def test_earnings_are_listed_by_status_and_page(client: Client, make: Factories, ledger: LedgerFactories) -> None:
    user, admin = make.user(Role.INSTRUCTOR), admin_client(client, make)
    instructor = make.actor(user)
    for amount, days_ago in (("100", 40), ("90", 1), ("80", 40), ("70", 40)):
        sale = ledger.sale(amount, instructor=user, days_ago=days_ago)
    admin.refund(sale)  # the last one
    by_status = {
        "PENDING": ["90.00"],
        "AVAILABLE": ["80.00", "100.00"],
        "PAID": [],
        "REVERSED": ["0.00"],
        None: ["0.00", "80.00", "90.00", "100.00"],
    }

    def listed(status: str | None) -> list[str]:
        page = earnings(client, instructor, status=status)
        assert page["totalCount"] == len(page["nodes"])
        return [node["netAmount"]["amount"] for node in page["nodes"]]

    assert {status: listed(status) for status in by_status} == by_status
    admin.run_payouts(clock.now())
    assert listed("AVAILABLE") == ["80.00", "100.00"], "they are in a payout that is not settled"
    admin.ok("settlePayout", payoutId=global_id("InstructorPayout", ledger.payouts()[0]), outcome="PAID")
    assert (listed("AVAILABLE"), listed("PAID")) == ([], ["80.00", "100.00"])
    first = earnings(client, instructor, first=3)
    second = earnings(client, instructor, first=3, after=first["pageInfo"]["endCursor"])
    nodes = [node["netAmount"]["amount"] for node in first["nodes"] + second["nodes"]]
    assert (nodes, second["pageInfo"]["hasNextPage"]) == (by_status[None], False)


def test_payouts_are_listed_for_instructors_and_super_admins(
    client: Client, make: Factories, ledger: LedgerFactories
) -> None:
    first, second = make.user(Role.INSTRUCTOR), make.user(Role.INSTRUCTOR)
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    for instructor in (first, second):
        ledger.sale("100", instructor=instructor, days_ago=40)
    ledger.write(lambda session: run_payouts(session, admin, clock.now(), "a key"))
    newest, oldest = (payout.payout_id for payout in reversed(ledger.payouts()))

    def listed(actor: Actor, **conditions: Any) -> list[str]:
        page = client.execute(PAYOUTS, as_=actor, filter=conditions or None)["payouts"]
        assert page["totalCount"] == len(page["nodes"])
        return [node["reference"] for node in page["nodes"]]

    assert [listed(actor) for actor in (admin, make.actor(first), make.actor(second))] == [
        [newest, oldest],
        [oldest],
        [newest],
    ]
    id = global_id("User", second)
    assert listed(admin, instructorId=id, status="SCHEDULED") == [newest]
    assert listed(admin, instructorId="nonsense") == listed(admin, status="PAID") == []
    assert listed(make.actor(first), instructorId=id) == []
    assert client.error_codes(PAYOUTS, as_=make.actor(make.user())) == ["FORBIDDEN"]
    assert client.error_codes(PAYOUTS, as_=ANONYMOUS) == ["UNAUTHENTICATED"]


@pytest.mark.query_budget
def test_statements_do_not_depend_on_the_number_of_earnings_and_payouts(
    client: Client, make: Factories, ledger: LedgerFactories, statements: StatementRecorder
) -> None:
    user, admin = make.user(Role.INSTRUCTOR), make.actor(make.user(Role.SUPER_ADMIN))

    def count(sales: int) -> int:
        for index in range(sales):
            ledger.sale("100", instructor=user, days_ago=40)
            key = f"{sales} {index}"
            ledger.write(partial(run_payouts, actor=admin, period_end=clock.now(), idempotency_key=key))
        with statements:
            client.execute(DETAILS, as_=make.actor(user))
        return statements.count

    assert count(1) == count(8) == 14


@pytest.mark.query_budget
def test_payouts_of_a_run_are_loaded_with_one_statement(
    client: Client, make: Factories, ledger: LedgerFactories, statements: StatementRecorder
) -> None:
    admin = admin_client(client, make)
    for _ in range(3):
        ledger.sale("100", days_ago=40)
    with statements:
        payouts = admin.run_payouts(clock.now())
    assert len(payouts) == 3
    reads = [text for text in statements.texts if text.lstrip().startswith("SELECT instructor_payouts.id")]
    assert len(reads) == 1
