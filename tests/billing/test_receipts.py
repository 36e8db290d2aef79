"""Receipts and payout statements as PDFs: their URLs and their contents."""

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pypdf
import pytest
from sqlalchemy import insert, update

from lms_graphql.accounts.models import User
from lms_graphql.billing.ledger_models import Earning, PayoutItem
from lms_graphql.billing.models import PaymentMethod, PaymentOutcome, RefundStatus, TransactionStatus
from lms_graphql.billing.pdf.document import Seller
from lms_graphql.billing.pdf.receipt import render_receipt
from lms_graphql.billing.pdf.statement import render_statement
from lms_graphql.billing.reads.statements import MAX_EARNINGS
from lms_graphql.billing.receipts import Receipt, ReceiptRefund, Statement, StatementCourse, StatementEarning
from lms_graphql.core.actor import Role
from lms_graphql.core.codes import new_code
from lms_graphql.core.money import Money
from tests.billing.row_factories import RowFactories
from tests.certificates.test_pdf import without_whitespace
from tests.certificates.test_pdf_scripts import NAMES
from tests.factories import Factories, global_id
from tests.live_service import Client, Service
from tests.row_writer import START

RECEIPT_URL = "query T($id: ID!) { node(id: $id) { ... on Transaction { receiptUrl } } }"
SELLER = Seller("Learn", "Roko GmbH", ("Musterstraße 12", "10115 Berlin"), ("VAT DE123", "No VAT, § 19 UStG"))
SALE = Receipt("T-1", "Ada", "Rust", PaymentMethod.STRIPE, Money(1999, "USD"), START, ())
PAYOUT = Statement(
    "P-1", "Екатерина Иваненко", START, START, START, Decimal("69.50"), "SEPA 17", Money(0, "USD"), (), ()
)


@pytest.fixture
def make_row(service: Service) -> RowFactories:
    return RowFactories(service.database)


def pages_of(pdf: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def text_at(client: Client, path: str) -> str:
    response = client.get(path)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/pdf")
    return " ".join(pages_of(response.content))


def test_receipt_url_is_for_buyer_and_super_admins(client: Client, make: Factories, service: Service) -> None:
    buyer, course = make.user(), make.course()
    paid = make.transaction(buyer, course, receipt_code=new_code())
    pending = make.transaction(buyer, course, TransactionStatus.PENDING)
    url = f"{service.resources.settings.service_url.rstrip('/')}/receipts/{paid.receipt_code}.pdf"
    for viewer, expected in ((buyer, url), (make.user(Role.SUPER_ADMIN), url)):
        for transaction, receipt_url in ((paid, expected), (pending, None)):
            answer = client.execute(RECEIPT_URL, as_=make.actor(viewer), id=global_id("Transaction", transaction))
            assert answer["node"] == {"receiptUrl": receipt_url}
    body = client.graphql(RECEIPT_URL, as_=make.actor(course.instructor), id=global_id("Transaction", paid))
    assert body["data"]["node"] == {"receiptUrl": None}
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]


def test_receipt_shows_payment_and_its_refunds(
    client: Client, make: Factories, service: Service, make_row: RowFactories
) -> None:
    buyer = make.user(first_name="Nguyễn Văn", last_name="Bình")
    sale = make.transaction(
        buyer, make.course("Now"), description="Then", receipt_code=new_code(), completed_at=START
    )
    path = f"/receipts/{sale.receipt_code}.pdf"
    first = client.get(path)
    text = text_at(client, path)
    for expected in ("Nguyễn Văn Bình", "Then", sale.transaction_id, "1 January 2026", "Paid 19.99 USD", "Test pay"):
        assert without_whitespace(expected) in without_whitespace(text)
    assert "efund" not in text

    payment = make_row.payment(sale)
    make_row.refund(payment, 500, completed_at=START + timedelta(days=1))
    make_row.refund(payment, 100, RefundStatus.PROCESSING)
    make_row.refund(make_row.payment(sale, PaymentOutcome.DUPLICATE), 1999)
    text = text_at(client, path)
    assert "Refunded on 2 January 2026 -5.00 USD Paid after refunds 14.99 USD" in text
    assert text.count("Refunded") == 1
    etag = first.headers["etag"]
    assert client.get(path, headers={"if-none-match": etag}).status_code == 200

    deleted = update(User).where(User.id == buyer.id).values(deleted_at=START, first_name="", last_name="")
    service.database.write_sync(lambda session: session.execute(deleted) and None)
    assert "Deleted user" in text_at(client, path)


def test_statement_lists_earnings_and_refunds(client: Client, make: Factories, make_row: RowFactories) -> None:
    instructor = make.user(Role.INSTRUCTOR, first_name="Екатерина", last_name="Иваненко")
    sale = make.transaction(make.user(), make.course("Rust", instructor=instructor))
    earnings = [make_row.earning(sale, instructor), make_row.earning(sale, instructor, -500, sequence=1)]
    code = new_code()
    payout = make_row.payout(instructor, earnings, statement_code=code, external_payout_id="SEPA 17")
    text = text_at(client, f"/payouts/{code}.pdf")
    for expected in (
        "Екатерина Иваненко",
        payout.payout_id,
        "SEPA 17",
        f"2026-01-01 Rust {sale.transaction_id} 19.99 70.00 % 13.99",
        f"2026-01-01 Rust {sale.transaction_id} -5.00 70.00 % -3.50",
        "Paid out 10.49 USD",
        "refunds of sales",
    ):
        assert without_whitespace(expected) in without_whitespace(text)


def test_statement_of_many_earnings_lists_courses(
    client: Client, make: Factories, service: Service, make_row: RowFactories
) -> None:
    course = make.course("Rust")
    sale = make.transaction(make.user(), course)
    first = make_row.earning(sale, course.instructor, 1)
    code = new_code()
    payout = make_row.payout(course.instructor, [first], amount=MAX_EARNINGS + 1, statement_code=code)
    columns = [column.name for column in Earning.__table__.columns if column.name != "id"]
    values = {name: getattr(first, name) for name in columns}
    earnings = [
        {**values, "id": first.id + number, "sequence": number, "payout_id": payout.id}
        for number in range(1, MAX_EARNINGS + 1)
    ]
    amounts = {"payout_id": payout.id, "net_amount": 1, "amount": 1}
    items = [{**amounts, "earning_id": earning["id"]} for earning in earnings]
    service.database.write_sync(lambda session: session.execute(insert(Earning), earnings) and None)
    service.database.write_sync(lambda session: session.execute(insert(PayoutItem), items) and None)
    text = text_at(client, f"/payouts/{code}.pdf")
    assert "Rust 1,001 10.01 10.01" in text
    assert sale.transaction_id not in text


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_codes_belong_to_one_kind_of_pdf(client: Client, make: Factories) -> None:
    sale = make.transaction(make.user(), make.course(), receipt_code=new_code())
    certificate = make.certificate(make.user(), make.course())
    for path in (
        f"/payouts/{sale.receipt_code}.pdf",
        f"/certificates/{sale.receipt_code}.pdf",
        f"/receipts/{certificate.verification_code}.pdf",
        f"/receipts/{sale.transaction_id}.pdf",
    ):
        response = client.get(path)
        assert (response.status_code, response.headers["cache-control"]) == (404, "no-store")


def test_pdfs_show_the_operator() -> None:
    for pdf in (render_receipt(SALE, SELLER), render_statement(PAYOUT, SELLER)):
        (text,) = pages_of(pdf)
        assert all(line in text for line in ("Learn", "Roko GmbH", *SELLER.address, *SELLER.tax_note))


@pytest.mark.parametrize("amount", [Money(10**15, "USD"), Money(10**15, "JPY"), Money(-(10**12), "BHD")])
def test_amounts_are_never_cut(amount: Money) -> None:
    line = StatementEarning(START, "W" * 200, "T-1", amount, Decimal(100), amount)
    course = StatementCourse("W" * 200, 10**6, amount, amount)
    long = SALE._replace(course_title="Wide words " * 18, amount=amount, refunds=[ReceiptRefund(amount, START)])
    pdfs = {
        render_statement(PAYOUT._replace(earnings=[line]), SELLER): 2,
        render_statement(PAYOUT._replace(courses=[course]), SELLER): 2,
        render_receipt(long, SELLER): 3,
    }
    for pdf, count in pdfs.items():
        assert pages_of(pdf)[0].count(f"{amount.amount:,}") >= count
    assert without_whitespace("Wide words " * 18) in without_whitespace(pages_of(render_receipt(long, SELLER))[0])


def test_long_statement_repeats_its_head_on_each_page() -> None:
    line = StatementEarning(START, "Rust", "T-1", Money(1999, "USD"), Decimal(70), Money(1399, "USD"))
    pages = pages_of(render_statement(PAYOUT._replace(earnings=[line] * 100), SELLER))
    assert sum(page.count("13.99") for page in pages) == 100
    assert all("DATE COURSE SALE" in page for page in pages if "13.99" in page)
    assert all(page.endswith(f"Page {number}") for number, page in enumerate(pages, start=1))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_receipts_are_printed_in_all_scripts(name: str) -> None:
    receipt: Any = SALE._replace(buyer_name=name, course_title=name)
    assert render_receipt(receipt, SELLER) == render_receipt(receipt, SELLER)
    assert len(pages_of(render_receipt(receipt, SELLER))) == 1
