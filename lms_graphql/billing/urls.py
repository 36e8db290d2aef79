"""Paths of receipts and payout statements, which this service serves as PDFs."""


def receipt_path(code: str) -> str:
    return f"/receipts/{code}.pdf"


def statement_path(code: str) -> str:
    return f"/payouts/{code}.pdf"
