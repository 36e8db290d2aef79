"""`GET /receipts/{code}.pdf` and `GET /payouts/{code}.pdf`: public to everyone who knows the code."""

from sqlalchemy.orm import Session

from lms_graphql.billing.pdf import receipt, statement
from lms_graphql.billing.pdf.document import Seller
from lms_graphql.billing.reads.receipts import receipt_by_code
from lms_graphql.billing.reads.statements import statement_by_code
from lms_graphql.pdf_endpoint import PdfFile, PdfKind
from lms_graphql.settings import Settings


def find_receipt(session: Session, settings: Settings, code: str) -> PdfFile | None:
    found = receipt_by_code(session, code)
    if found is None:
        return None
    content = (found, seller(settings))
    name = f"receipt-{found.reference}.pdf"
    return PdfFile(name, content, lambda content: receipt.render_receipt(*content), receipt.DESIGN_VERSION)


def find_statement(session: Session, settings: Settings, code: str) -> PdfFile | None:
    found = statement_by_code(session, code)
    if found is None:
        return None
    content = (found, seller(settings))
    name = f"payout-{found.reference}.pdf"
    return PdfFile(name, content, lambda content: statement.render_statement(*content), statement.DESIGN_VERSION)


RECEIPTS = PdfKind(find_receipt, "There is no receipt with this code. Check the code.")
STATEMENTS = PdfKind(find_statement, "There is no payout statement with this code. Check the code.")


def seller(settings: Settings) -> Seller:
    name = settings.operator_name or settings.site_name
    return Seller(settings.site_name, name, settings.operator_address, settings.operator_tax_note)
