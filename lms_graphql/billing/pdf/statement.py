"""Statement of a payout as a PDF, with the earnings that it pays."""

from lms_graphql.billing.pdf.document import MARGIN, RIGHT_EDGE, Column, Document, Seller
from lms_graphql.billing.receipts import Statement, StatementCourse, StatementEarning
from lms_graphql.core.dates import format_date
from lms_graphql.core.money import Money
from lms_graphql.pdf.typography import RIGHT

DESIGN_VERSION = 1
"""Part of the ETag. Increase it with every change of the design, so that browsers discard their cached PDFs."""
EARNING_COLUMNS = (
    Column("Date", MARGIN, 55),
    Column("Course", MARGIN + 60, 150),
    Column("Sale", MARGIN + 215, 92),
    Column("Net", RIGHT_EDGE - 114, 60, RIGHT),
    Column("Rate", RIGHT_EDGE - 66, 44, RIGHT),
    Column("Amount", RIGHT_EDGE, 62, RIGHT),
)
COURSE_COLUMNS = (
    Column("Course", MARGIN, 240),
    Column("Sales and refunds", RIGHT_EDGE - 150, 80, RIGHT),
    Column("Net", RIGHT_EDGE - 76, 70, RIGHT),
    Column("Amount", RIGHT_EDGE, 72, RIGHT),
)
REFUND_NOTE = "Lines with a negative amount are refunds of sales that an earlier payout had paid."


def render_statement(statement: Statement, seller: Seller) -> bytes:
    """Return the PDF. The same statement always gives the same bytes."""
    document = Document("Payout statement", seller, statement.reference)
    document.write_facts(_facts(statement))
    if statement.courses:
        document.write_table(COURSE_COLUMNS, [_course_cells(line) for line in statement.courses])
    else:
        document.write_table(EARNING_COLUMNS, [_earning_cells(line) for line in statement.earnings])
    document.write_totals([("Paid out", str(statement.amount))])
    has_refund = any(line.amount.units < 0 for line in statement.earnings)
    document.write_notes([REFUND_NOTE, *seller.tax_note] if has_refund else seller.tax_note)
    return document.finish()


def _facts(statement: Statement) -> list[tuple[str, str]]:
    facts = [
        ("Paid to", statement.instructor_name),
        ("Payout number", statement.reference),
        ("Date of payout", format_date(statement.paid_at)),
        ("Period", f"{format_date(statement.period_start)} – {format_date(statement.period_end)}"),
        ("Your share of net sales", f"{statement.commission_rate} %"),
    ]
    if statement.transfer_reference is not None:
        facts.append(("Transfer reference", statement.transfer_reference))
    return facts


def _earning_cells(line: StatementEarning) -> list[str]:
    return [
        line.earned_at.date().isoformat(),
        line.course_title,
        line.sale_reference,
        _amount(line.net_amount),
        f"{line.commission_rate} %",
        _amount(line.amount),
    ]


def _course_cells(line: StatementCourse) -> list[str]:
    return [line.course_title, f"{line.earnings:,}", _amount(line.net_amount), _amount(line.amount)]


def _amount(money: Money) -> str:
    """Return the amount without its currency, which is that of the total."""
    return f"{money.amount:,}"
