"""Mails about money, sent by the mutations and webhooks that cause them, and the PDFs to which they link."""

import re
import time
from datetime import timedelta
from email.message import EmailMessage
from functools import partial
from typing import Any, ClassVar

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.billing.models import RefundKind, Transaction, TransactionStatus
from lms_graphql.billing.services import mails
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.core.codes import new_code
from lms_graphql.mail.models import Mail
from lms_graphql.mail.templates import TEMPLATES
from lms_graphql.settings import SESSION_SETTINGS_KEY
from tests.billing.billing_client import BillingClient
from tests.billing.conftest import Shop
from tests.billing.ledger_factories import LedgerFactories
from tests.billing.row_factories import RowFactories
from tests.billing.test_receipts import text_at
from tests.concurrency import race_rounds, run_at_once
from tests.factories import Factories
from tests.live_service import Client, Service
from tests.mail_servers import SITE_URLS, Mailbox
from tests.row_writer import START

MAIL_TIMEOUT_SECONDS = 30


class MoneyClient(BillingClient):
    documents: ClassVar = {
        **BillingClient.documents,
        "refundTransaction": ("RefundTransactionInput", "transaction { status }"),
        "purchaseCourse": ("PurchaseCourseInput", "transaction { id reference } checkoutUrl"),
        "confirmBankTransfer": ("ConfirmBankTransferInput", "transaction { id status receiptUrl }"),
        "runPayouts": ("RunPayoutsInput", "payouts { id reference statementUrl }"),
        "settlePayout": ("SettlePayoutInput", "payout { reference statementUrl }"),
    }


def next_mail(mailbox: Mailbox, reference: str) -> tuple[str, str, str]:
    """Wait for the next mail with this reference, and return its recipient, its subject and its plain text.

    Remove all mails. Those of earlier tests may still arrive, and have other references.
    """
    deadline = time.monotonic() + MAIL_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if found := [message for message in list(mailbox.received) if reference in plain_text(message)]:
            (message,) = found
            mailbox.received.clear()
            return str(message["To"]), str(message["Subject"]), plain_text(message)
        time.sleep(0.02)
    raise AssertionError(f"No mail with {reference} has arrived.")


def plain_text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def path_in(text: str, service: Service) -> str:
    """Return the path of the PDF to which a mail links."""
    match = re.search(re.escape(service.resources.settings.service_url.rstrip("/")) + r"(/\S+\.pdf)", text)
    assert match is not None, text
    return match[1]


def test_receipt_then_refund_notice_link_to_the_receipt(shop: Shop, mailbox: Mailbox) -> None:
    buyer, admin = (MoneyClient(shop.client, person.actor) for person in (shop.buyer, shop.admin))
    purchase = buyer.purchase(shop.course)
    reference = purchase["transaction"]["reference"]
    shop.gateway.settle(purchase["checkoutUrl"])
    recipient, subject, text = next_mail(mailbox, reference)
    assert (recipient, subject) == (shop.buyer_user.email, f"Your receipt {reference}")
    assert f"Amount: 19.99 USD\nReference: {reference}" in text
    assert f"“{shop.course.row.title}”" in text
    path = path_in(text, shop.service)
    assert reference in text_at(shop.client, path)

    order = {"transactionId": purchase["transaction"]["id"], "idempotencyKey": "r", "reason": "Goodwill"}
    assert admin.ok("refundTransaction", **order, amount="5.00") == {"status": "PARTIALLY_REFUNDED"}
    recipient, subject, text = next_mail(mailbox, reference)
    assert (recipient, subject) == (shop.buyer_user.email, "Your refund of 5.00 USD")
    assert f"Refund: 5.00 USD\nReference: {reference}\nReason: Goodwill" in text
    assert "access" not in text
    assert path_in(text, shop.service) == path
    assert "Paid after refunds 14.99 USD" in text_at(shop.client, path)

    admin.ok("refundTransaction", **{**order, "idempotencyKey": "all"})
    _, subject, text = next_mail(mailbox, reference)
    assert subject == "Your refund of 14.99 USD"
    assert "Your access by this purchase has ended." in text


def test_bank_transfer_is_explained_then_receipted(shop: Shop, mailbox: Mailbox) -> None:
    buyer, admin = (MoneyClient(shop.client, person.actor) for person in (shop.buyer, shop.admin))
    transaction = buyer.purchase(shop.course, paymentMethod="BANK_TRANSFER")["transaction"]
    recipient, subject, text = next_mail(mailbox, transaction["reference"])
    assert (recipient, subject) == (shop.buyer_user.email, f"How to pay {transaction['reference']}")
    assert f"Amount: 19.99 USD\nReference: {transaction['reference']}\nAccount: Ask the platform" in text
    assert "Pay until: " in text
    confirmed = admin.ok("confirmBankTransfer", transactionId=transaction["id"])
    _, subject, text = next_mail(mailbox, transaction["reference"])
    assert subject == f"Your receipt {transaction['reference']}"
    assert confirmed["receiptUrl"].endswith(path_in(text, shop.service))
    assert "Bank transfer" in text_at(shop.client, path_in(text, shop.service))


def test_free_course_has_no_receipt(shop: Shop, mailbox: Mailbox) -> None:
    shop.buyer.purchase(shop.make.course(price=0), expectedPrice="0")
    assert shop.service.database.read_sync(lambda session: session.scalars(select(Mail)).all()) == []


def test_payout_statement_is_sent_when_the_payout_is_paid(
    client: Client, make: Factories, service: Service, ledger: LedgerFactories, mailbox: Mailbox
) -> None:
    sale = ledger.sale("100.00", days_ago=31)
    admin = MoneyClient(client, make.actor(make.user(Role.SUPER_ADMIN)))
    now = clock.now().isoformat()
    (payout,) = admin.ok("runPayouts", periodEnd=now, idempotencyKey="run")
    assert payout["statementUrl"] is None
    paid = {"payoutId": payout["id"], "outcome": "PAID", "externalReference": "SEPA 17"}
    settled = [admin.ok("settlePayout", **paid) for _ in range(2)]
    recipient, subject, text = next_mail(mailbox, payout["reference"])
    assert (recipient, subject) == (sale.course.instructor.email, "Your payout of 70.00 USD")
    assert f"Reference: {payout['reference']}" in text
    path = path_in(text, service)
    assert all(answer["statementUrl"].endswith(path) for answer in settled)
    statement = text_at(client, path)
    assert all(part in statement for part in ("SEPA 17", sale.transaction.transaction_id, "100.00", "Paid out 70.00"))


@pytest.mark.slow
def test_simultaneous_calls_enqueue_each_mail_once(make: Factories, service: Service) -> None:
    """Without the condition on the code in the UPDATE, several of the ten calls enqueue a mail."""
    make_row = RowFactories(service.database)
    instructor = make.user(Role.INSTRUCTOR)
    for _ in range(race_rounds(10)):
        sale = make.transaction(make.user(), make.course(instructor=instructor))
        payout = make_row.payout(instructor, [])
        calls = [partial(mails.enqueue_receipt, transaction=sale)] * 5
        calls += [partial(mails.enqueue_payout_statement, payout=payout)] * 5
        run_at_once(*(partial(service.database.write_sync, call) for call in calls))
    kinds = select(Mail.kind, func.count()).group_by(Mail.kind)
    rows = service.database.read_sync(lambda session: session.execute(kinds).all())
    assert {row[0]: row[1] for row in rows} == {
        mails.RECEIPT_MAIL: race_rounds(10),
        mails.PAYOUT_STATEMENT_MAIL: race_rounds(10),
    }


def render(service: Service, kind: str, user: User, **data: Any) -> Any:
    mail = Mail(kind=kind, user_id=user.id, data=data)
    return service.database.read_sync(lambda session: TEMPLATES[kind](session, mail, SITE_URLS))


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_mails_without_a_purpose_are_dropped(make: Factories, service: Service) -> None:
    buyer, course = make.user(), make.course()
    make_row = RowFactories(service.database)
    sale = make.transaction(buyer, course, receipt_code=new_code())
    refund = make_row.refund(make_row.payment(sale), 500, kind=RefundKind.DISPUTE)
    payout = make_row.payout(buyer, [], statement_code=new_code())
    pending = make.transaction(buyer, course, TransactionStatus.PENDING, expires_at=START + timedelta(days=14))
    account = ["Roko GmbH", "DE89 3704 0044 0532 0130 00"]
    facts: dict[str, Any] = {
        mails.RECEIPT_MAIL: {"transaction": sale.id},
        mails.REFUND_NOTICE_MAIL: {"refund": refund.id},
        mails.PAYOUT_STATEMENT_MAIL: {"payout": payout.id},
        mails.TRANSFER_INSTRUCTIONS_MAIL: {"transaction": pending.id, "bank_account": account},
    }
    texts = {kind: render(service, kind, buyer, **data).text for kind, data in facts.items()}
    transfer = texts[mails.TRANSFER_INSTRUCTIONS_MAIL]
    assert "Account: Roko GmbH\n  DE89 3704 0044 0532 0130 00\nPay until: 15 January 2026" in transfer
    assert "Your bank has returned the payment." in texts[mails.REFUND_NOTICE_MAIL]

    def write(statement: Any) -> None:
        service.database.write_sync(lambda session: session.execute(statement) and None)

    write(update(Transaction).where(Transaction.id == pending.id).values(status=TransactionStatus.CANCELLED))
    transfer_mail = mails.TRANSFER_INSTRUCTIONS_MAIL
    assert render(service, transfer_mail, buyer, **facts[transfer_mail]) is None
    write(update(User).where(User.id == buyer.id).values(email=None, deleted_at=START))
    assert [render(service, kind, buyer, **data) for kind, data in facts.items()] == [None] * 4


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("no_maintenance")
def test_transfer_instructions_store_the_configured_account(make: Factories, service: Service) -> None:
    transaction = make.transaction(make.user(), make.course(), TransactionStatus.PENDING)
    settings = service.resources.settings.model_copy(update={"bank_account": ("Roko GmbH", "DE89")})

    def enqueue(session: Session) -> Any:
        session.info[SESSION_SETTINGS_KEY] = settings
        mails.enqueue_transfer_instructions(session, transaction)
        return session.scalars(select(Mail.data)).one()

    data = service.database.write_sync(enqueue)
    assert data == {"transaction": transaction.id, "bank_account": ["Roko GmbH", "DE89"]}
