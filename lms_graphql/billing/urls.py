"""URLs of billing: of PDFs and webhooks in this service, and of the return page in the front end."""

from urllib.parse import quote

from lms_graphql.core.urls import join_url


def receipt_path(code: str) -> str:
    return f"/receipts/{code}.pdf"


def statement_path(code: str) -> str:
    return f"/payouts/{code}.pdf"


def checkout_return_path(reference: str) -> str:
    """Return the path in this service that asks the gateway about a payment, and leads on to the front end."""
    return f"/checkout/{reference}/return"


def return_url(public_url: str, transaction_id: str) -> str:
    """Return the page of the front end that the buyer sees after a payment, with the transaction's global id."""
    return join_url(public_url, f"/checkout/return?transaction={quote(transaction_id)}")


def fake_checkout_path(token: str) -> str:
    return f"/gateway/fake/checkout/{token}"


def webhook_path(gateway: str) -> str:
    """Return the path to which a gateway sends its webhooks. `gateway` is a payment method in lower case."""
    return f"/webhooks/{gateway}"
