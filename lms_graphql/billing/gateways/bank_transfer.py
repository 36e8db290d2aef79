"""Bank transfers: people do what other gateways do. A super admin confirms a payment, and returns money by hand."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from lms_graphql.billing.gateways.interface import (
    Checkout,
    CheckoutRequest,
    Event,
    InvalidWebhookError,
    RefundRequest,
    RefundResult,
)
from lms_graphql.billing.models import PaymentMethod, RefundStatus


class BankTransferGateway:
    """The adapter. It calls nothing, so every call succeeds at once."""

    method = PaymentMethod.BANK_TRANSFER

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """Return a checkout without a page: the buyer gets the instructions by mail."""
        return Checkout(request.reference, None)

    def expire_checkout(self, checkout_id: str) -> None:
        """Do nothing: a transfer cannot be prevented."""

    def fetch_checkout(self, checkout_id: str) -> Sequence[Event]:
        return ()

    def refund(self, request: RefundRequest) -> RefundResult:
        """Report success at once, because the operator returns the money by a transfer of their own."""
        return RefundResult(RefundStatus.SUCCEEDED, request.reference)

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Event]:
        raise InvalidWebhookError("Banks send no webhooks.")
