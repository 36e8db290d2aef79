"""CSV exports: rows and columns for each role, batches, and the command of the operator."""

import csv
import io
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from lms_graphql import export_endpoint
from lms_graphql.accounts.models import User
from lms_graphql.billing.ledger_models import PayoutStatus
from lms_graphql.billing.models import Transaction, TransactionStatus
from lms_graphql.billing.reads.exports import BATCH_SIZE
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from tests.billing.row_factories import RowFactories
from tests.cli import RunCli
from tests.factories import Factories, global_id
from tests.live_service import ACTOR_HEADER, Client, LogCapture, Service, StatementRecorder
from tests.row_writer import START

KINDS = ("transactions", "earnings", "payouts")
ADMIN_COLUMNS = {"buyer_email", "instructor_email", "gateway_reference"}


def get(client: Client, kind: str, user: User | None) -> httpx.Response:
    headers = {} if user is None else {ACTOR_HEADER: f"{user.id}:{user.role}"}
    return client.get(f"/exports/{kind}.csv", headers=headers)


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def exported(client: Client, kind: str, user: User) -> list[dict[str, str]]:
    response = get(client, kind, user)
    assert response.status_code == 200, response.text
    return rows_of(response.content)


def copy_transaction(service: Service, transaction: Transaction, changes: Sequence[Mapping[str, Any]]) -> None:
    """Insert many transactions at once."""
    columns = [column.name for column in Transaction.__table__.columns if column.name != "id"]
    values = {name: getattr(transaction, name) for name in columns}
    rows = [{**values, **change} for change in changes]
    service.database.write_sync(lambda session: session.execute(insert(Transaction), rows) and None)


class Books:
    """A sale with a refund after its payout, a sale of another instructor, and an unpaid purchase."""

    def __init__(self, make: Factories, service: Service) -> None:
        make_row = RowFactories(service.database)
        self.admin = make.user(Role.SUPER_ADMIN)
        self.instructor = make.user(Role.INSTRUCTOR, first_name="=Ina")
        self.buyer, self.other_buyer = make.user(), make.user()
        self.course = make.course('+Rust, "fearlessly"', instructor=self.instructor)
        self.other_course = make.course()
        refunded = {"refunded_amount": 500, "completed_at": START, "gateway_transaction_id": "checkout-1"}
        status = TransactionStatus.PARTIALLY_REFUNDED
        self.sale = make.transaction(self.buyer, self.course, status, created_at=START, **refunded)
        self.other_sale = make.transaction(self.other_buyer, self.other_course, created_at=START)
        self.unpaid = make.transaction(self.other_buyer, self.course, TransactionStatus.PENDING)
        sold = make_row.earning(self.sale, self.instructor)
        self.payout = make_row.payout(self.instructor, [sold], external_payout_id="-17")
        later = START + timedelta(days=1)
        make_row.earning(self.sale, self.instructor, -500, sequence=1, created_at=later, available_at=later)
        self.other_earning = make_row.earning(self.other_sale, self.other_course.instructor)
        failed = {"status": PayoutStatus.FAILED, "created_at": later}
        self.other_payout = make_row.payout(self.other_course.instructor, [], **failed)


@pytest.fixture
def books(make: Factories, service: Service) -> Books:
    return Books(make, service)


def test_super_admins_export_everything(client: Client, books: Books) -> None:
    (sale, other_sale, unpaid) = exported(client, "transactions", books.admin)
    assert sale == {
        "reference": books.sale.transaction_id,
        "created_at": "2026-01-01T12:00:00Z",
        "completed_at": "2026-01-01T12:00:00Z",
        "status": "PARTIALLY_REFUNDED",
        "payment_method": "FAKE",
        "gateway_reference": "checkout-1",
        "course_id": books.course.global_id,
        "course": '\'+Rust, "fearlessly"',
        "buyer_id": global_id("User", books.buyer),
        "buyer": books.buyer.full_name,
        "buyer_email": books.buyer.email,
        "currency": "USD",
        "amount": "19.99",
        "refunded_amount": "5.00",
        "net_amount": "14.99",
    }
    assert [other_sale["reference"], unpaid["status"], unpaid["completed_at"]] == [
        books.other_sale.transaction_id,
        "PENDING",
        "",
    ]
    (earning, other_earning, reversal) = exported(client, "earnings", books.admin)
    assert earning == {
        "sale_reference": books.sale.transaction_id,
        "created_at": "2026-01-01T12:00:00Z",
        "available_at": "2026-01-01T12:00:00Z",
        "status": "PAID",
        "course_id": books.course.global_id,
        "course": '\'+Rust, "fearlessly"',
        "instructor_id": global_id("User", books.instructor),
        "instructor": f"'{books.instructor.full_name}",
        "instructor_email": books.instructor.email,
        "currency": "USD",
        "net_amount": "19.99",
        "commission_rate": "70.00",
        "amount": "13.99",
        "platform_amount": "6.00",
        "payout_reference": books.payout.payout_id,
    }
    assert other_earning["payout_reference"] == ""
    assert [reversal[name] for name in ("status", "net_amount", "amount")] == ["AVAILABLE", "-5.00", "-3.50"]
    (payout, other_payout) = exported(client, "payouts", books.admin)
    assert payout == {
        "reference": books.payout.payout_id,
        "created_at": "2026-01-01T12:00:00Z",
        "processed_at": "2026-01-01T12:00:00Z",
        "status": "PAID",
        "instructor_id": global_id("User", books.instructor),
        "instructor": f"'{books.instructor.full_name}",
        "instructor_email": books.instructor.email,
        "period_start": "2026-01-01T12:00:00Z",
        "period_end": "2026-01-01T12:00:00Z",
        "currency": "USD",
        "amount": "13.99",
        "commission_rate": "70.00",
        "transfer_reference": "'-17",
    }
    assert other_payout["status"] == "FAILED"


def test_others_export_what_is_theirs(client: Client, make: Factories, books: Books) -> None:
    """A status is that of the response; a list has the references of the exported rows."""
    sale, other_sale, unpaid = (row.transaction_id for row in (books.sale, books.other_sale, books.unpaid))
    expected: dict[User | None, tuple[Any, Any, Any]] = {
        None: (401, 401, 401),
        books.buyer: ([sale], 403, 403),
        books.other_buyer: ([other_sale, unpaid], 403, 403),
        make.user(): ([], 403, 403),
        books.instructor: ([sale], [sale, sale], [books.payout.payout_id]),
        books.other_course.instructor: ([other_sale], [other_sale], [books.other_payout.payout_id]),
        make.user(Role.INSTRUCTOR): ([], [], []),
    }
    for user, results in expected.items():
        for kind, result in zip(KINDS, results, strict=True):
            response = get(client, kind, user)
            if isinstance(result, int):
                assert (response.status_code, kind) == (result, kind)
                continue
            rows = rows_of(response.content)
            assert [row.get("reference") or row["sale_reference"] for row in rows] == result
            header = set(response.text.partition("\r\n")[0].split(","))
            assert header > {"currency", "amount"}
            assert not header & ADMIN_COLUMNS
            assert "@example.com" not in response.text


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_export_needs_a_valid_token_in_the_header(client: Client, books: Books) -> None:
    bad = {"authorization": "Bearer wrong"}
    for response in (client.get("/exports/payouts.csv"), client.get("/exports/payouts.csv", headers=bad)):
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert client.get("/exports/payouts.csv?access_token=x&token=y").status_code == 401
    assert client.get("/exports/payouts.csv", headers={"cookie": "token=x"}).status_code == 401
    assert get(client, "users", books.admin).status_code == 404
    assert client.send("POST", "/exports/payouts.csv").status_code == 405
    response = get(client, "payouts", books.admin)
    assert response.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert response.headers["content-disposition"] == 'attachment; filename="payouts.csv"'
    assert response.headers["cache-control"] == "no-store"
    assert client.send("HEAD", "/exports/payouts.csv").status_code == 401


@pytest.mark.query_budget
def test_export_reads_batches_with_one_statement_each(
    client: Client, make: Factories, service: Service, statements: StatementRecorder
) -> None:
    first = make.transaction(make.user(), make.course(), created_at=START)
    numbers = range(2 * BATCH_SIZE + 100)
    copy_transaction(service, first, [{"transaction_id": f"N{number}"} for number in numbers])
    copy_transaction(service, first, [{"transaction_id": "future", "created_at": clock.now() + timedelta(hours=1)}])
    admin = make.user(Role.SUPER_ADMIN)
    with statements:
        references = [row["reference"] for row in exported(client, "transactions", admin)]
    assert references == [first.transaction_id, *(f"N{number}" for number in numbers)]
    assert statements.count == 3


@pytest.mark.slow
def test_simultaneous_exports_of_one_user_are_complete_or_refused(client: Client, books: Books) -> None:
    expected = get(client, "earnings", books.admin).content
    with ThreadPoolExecutor(10) as threads:
        responses = list(threads.map(lambda _: get(client, "earnings", books.admin), range(20)))
    assert {response.status_code for response in responses} <= {200, 503}
    assert {response.content for response in responses if response.status_code == 200} == {expected}
    assert all("retry-after" in response.headers for response in responses if response.status_code == 503)
    assert get(client, "earnings", books.admin).content == expected, "ended exports must not count any more"


@pytest.mark.slow
@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_export_that_its_client_does_not_read_is_aborted(
    client: Client, make: Factories, service: Service, monkeypatch: pytest.MonkeyPatch, captured_log: LogCapture
) -> None:
    monkeypatch.setattr(export_endpoint, "MAX_STALL_SECONDS", 0.5)
    sale = make.transaction(make.user(), make.course("A long title " * 15), created_at=START)
    copy_transaction(service, sale, [{"transaction_id": f"N{number}"} for number in range(12 * BATCH_SIZE)])
    admin = make.user(Role.SUPER_ADMIN)
    host, port = service.url.removeprefix("http://").split(":")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect((host, int(port)))
        headers = f"Host: x\r\n{ACTOR_HEADER}: {admin.id}:{admin.role}\r\n"
        connection.sendall(f"GET /exports/transactions.csv HTTP/1.1\r\n{headers}\r\n".encode())
        assert connection.recv(1) == b"H"
        assert get(client, "payouts", admin).status_code == 503, "one export of a user at a time"
        deadline = time.monotonic() + 30
        while get(client, "payouts", admin).status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert get(client, "payouts", admin).status_code == 200
    assert "export_aborted" in captured_log.text


def test_command_writes_what_super_admins_export(
    client: Client, books: Books, service: Service, run_cli: RunCli, tmp_path: Path
) -> None:
    url = service.database.url.render_as_string(hide_password=False)
    for kind in KINDS:
        expected = get(client, kind, books.admin).content
        printed = run_cli("export", kind, LMS_DATABASE_URL=url)
        assert (printed.exit_code, printed.stdout_bytes) == (0, expected)
        written = run_cli("export", kind, "--output", "out.csv", LMS_DATABASE_URL=url)
        assert (written.exit_code, written.output) == (0, "")
        assert (tmp_path / "out.csv").read_bytes() == expected
