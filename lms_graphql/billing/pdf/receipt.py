"""Receipt of a purchase as a PDF, with its refunds."""

from lms_graphql.billing.models import PaymentMethod
from lms_graphql.billing.pdf.document import BODY_WIDTH, MARGIN, RIGHT_EDGE, Column, Document, Seller
from lms_graphql.billing.receipts import Receipt
from lms_graphql.core.dates import format_date
from lms_graphql.core.money import Money
from lms_graphql.pdf.typography import RIGHT

DESIGN_VERSION = 1
"""Part of the ETag. Increase it with every change of the design, so that browsers discard their cached PDFs."""
AMOUNT_WIDTH = 120.0
COLUMNS = (
    Column("Course", MARGIN, BODY_WIDTH - AMOUNT_WIDTH - 10, max_lines=4),
    Column("Amount", RIGHT_EDGE, AMOUNT_WIDTH, RIGHT),
)
METHODS = {
    PaymentMethod.STRIPE: "Stripe",
    PaymentMethod.PAYPAL: "PayPal",
    PaymentMethod.BANK_TRANSFER: "Bank transfer",
    PaymentMethod.FREE: "None, because it is free",
    PaymentMethod.FAKE: "Test payment, without money",
}


def render_receipt(receipt: Receipt, seller: Seller) -> bytes:
    """Return the PDF. The same receipt always gives the same bytes."""
    document = Document("Receipt", seller, receipt.reference)
    document.write_facts(
        [
            ("Billed to", receipt.buyer_name),
            ("Receipt number", receipt.reference),
            ("Date of payment", format_date(receipt.paid_at)),
            ("Payment method", METHODS[receipt.payment_method]),
        ]
    )
    document.write_table(COLUMNS, [(receipt.course_title, str(receipt.amount))])
    document.write_totals(_totals(receipt))
    document.write_notes(seller.tax_note)
    return document.finish()


def _totals(receipt: Receipt) -> list[tuple[str, str]]:
    """Return the payment, then each refund and what is left of the payment."""
    totals = [("Paid", str(receipt.amount))]
    rest = receipt.amount.units
    for refund in receipt.refunds:
        rest -= refund.amount.units
        totals.append((f"Refunded on {format_date(refund.refunded_at)}", f"-{refund.amount}"))
    if receipt.refunds:
        totals.append(("Paid after refunds", str(Money(rest, receipt.amount.currency))))
    return totals
