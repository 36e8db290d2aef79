"""Mail templates about money, rendered when the mail is sent."""

from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.billing.ledger_models import InstructorPayout
from lms_graphql.billing.models import Refund, RefundKind, Transaction, TransactionStatus
from lms_graphql.billing.urls import receipt_path, statement_path
from lms_graphql.catalog.models import Course
from lms_graphql.core.dates import format_date
from lms_graphql.core.money import Money
from lms_graphql.mail.messages import Button, Fact, RenderedMail, greeting_line, render
from lms_graphql.mail.models import Mail
from lms_graphql.mail.templates import SiteUrls

REFUND_REASONS = {
    RefundKind.DISPUTE: "Your bank has returned the payment.",
    RefundKind.DUPLICATE_PAYMENT: "The course was paid already, so we return the second payment.",
    RefundKind.LATE_PAYMENT: "The purchase had ended before the payment arrived, so we return it.",
}
"""Reasons of the refunds that are not requested by a person."""
NO_BANK_ACCOUNT = "Ask the platform for its bank account."


def receipt_template(session: Session, mail: Mail, urls: SiteUrls) -> RenderedMail | None:
    """Render the mail to the buyer. Return None if the account was deleted."""
    buyer = session.get(User, mail.user_id)
    transaction = session.get(Transaction, mail.data["transaction"])
    if buyer is None or buyer.email is None or transaction is None or transaction.receipt_code is None:
        return None
    return render(
        buyer.email,
        f"Your receipt {transaction.transaction_id}",
        greeting_line(buyer.full_name),
        [f"Thank you! We have received your payment for “{_course_title(session, transaction)}”."],
        Button("Open the receipt", urls.to_service(receipt_path(transaction.receipt_code))),
        [
            Fact("Amount", str(Money(transaction.amount, transaction.currency))),
            Fact("Reference", transaction.transaction_id),
        ],
    )


def refund_notice_template(session: Session, mail: Mail, urls: SiteUrls) -> RenderedMail | None:
    """Render the mail to the buyer. Return None if the account was deleted.

    The reason that a super admin gave is included: the buyer can read it in the API, too.
    """
    buyer = session.get(User, mail.user_id)
    refund = session.get(Refund, mail.data["refund"])
    transaction = session.get(Transaction, refund.transaction_id) if refund is not None else None
    if buyer is None or buyer.email is None or refund is None or transaction is None:
        return None
    amount, title = str(Money(refund.amount, transaction.currency)), _course_title(session, transaction)
    paragraphs = [f"We have refunded {amount} of your payment for “{title}”."]
    if reason := REFUND_REASONS.get(refund.kind):
        paragraphs.append(reason)
    else:
        paragraphs.append("Depending on your bank, it takes some days until you see the money.")
    if transaction.status is TransactionStatus.REFUNDED and refund.kind is not RefundKind.DUPLICATE_PAYMENT:
        paragraphs.append("Your access by this purchase has ended.")
    facts = [Fact("Refund", amount), Fact("Reference", transaction.transaction_id)]
    if refund.kind is RefundKind.ADMIN:
        facts.append(Fact("Reason", refund.reason))
    code = transaction.receipt_code
    button = Button("Open the receipt", urls.to_service(receipt_path(code))) if code is not None else None
    return render(buyer.email, f"Your refund of {amount}", greeting_line(buyer.full_name), paragraphs, button, facts)


def transfer_instructions_template(session: Session, mail: Mail, urls: SiteUrls) -> RenderedMail | None:
    """Render the mail to the buyer. Return None if the account was deleted or the purchase ended."""
    buyer = session.get(User, mail.user_id)
    transaction = session.get(Transaction, mail.data["transaction"])
    if buyer is None or buyer.email is None or transaction is None:
        return None
    if transaction.status is not TransactionStatus.PENDING:
        return None
    facts = [
        Fact("Amount", str(Money(transaction.amount, transaction.currency))),
        Fact("Reference", transaction.transaction_id),
        Fact("Account", "\n".join(mail.data["bank_account"]) or NO_BANK_ACCOUNT),
    ]
    if transaction.expires_at is not None:
        facts.append(Fact("Pay until", format_date(transaction.expires_at)))
    return render(
        buyer.email,
        f"How to pay {transaction.transaction_id}",
        greeting_line(buyer.full_name),
        [
            f"To get access to “{_course_title(session, transaction)}”, transfer the amount to the account below.",
            "Use the reference as it is, so that we can find your payment. Access begins when the money arrives.",
        ],
        facts=facts,
    )


def payout_statement_template(session: Session, mail: Mail, urls: SiteUrls) -> RenderedMail | None:
    """Render the mail to the instructor. Return None if the account was deleted."""
    instructor = session.get(User, mail.user_id)
    payout = session.get(InstructorPayout, mail.data["payout"])
    if instructor is None or instructor.email is None or payout is None or payout.statement_code is None:
        return None
    amount = str(Money(payout.amount, payout.currency))
    return render(
        instructor.email,
        f"Your payout of {amount}",
        greeting_line(instructor.full_name),
        ["We have paid out your earnings. The statement lists them."],
        Button("Open the statement", urls.to_service(statement_path(payout.statement_code))),
        [
            Fact("Amount", amount),
            Fact("Reference", payout.payout_id),
            Fact("Period", f"{format_date(payout.period_start)} to {format_date(payout.period_end)}"),
        ],
    )


def _course_title(session: Session, transaction: Transaction) -> str:
    return transaction.description or session.get_one(Course, transaction.course_id).title
