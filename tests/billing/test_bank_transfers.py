"""Bank transfers: started by the buyer, confirmed by a super admin."""

from sqlalchemy import select

from lms_graphql.billing.models import Payment, PaymentOutcome
from tests.billing.conftest import Shop
from tests.billing.ledger_client import LedgerClient
from tests.live_service import LogCapture

METHOD = {"paymentMethod": "BANK_TRANSFER"}


def test_bank_transfer_is_confirmed_once(shop: Shop) -> None:
    purchase = shop.buyer.purchase(shop.course, **METHOD)
    assert (purchase["checkoutUrl"], purchase["transaction"]["status"]) == (None, "PENDING")
    transaction = {"transactionId": purchase["transaction"]["id"]}
    for client in (shop.buyer, shop.instructor):
        assert client.error_codes("confirmBankTransfer", **transaction) == ["FORBIDDEN"]
    confirmed = shop.admin.ok("confirmBankTransfer", **transaction, externalReference="  BANK-1 ")
    assert confirmed["status"] == "COMPLETED"
    assert shop.buyer.access(shop.course) == ("ACTIVE", "PURCHASE")
    for reference in ("BANK-1", None, " "):
        assert shop.admin.ok("confirmBankTransfer", **transaction, externalReference=reference) == confirmed
    other = {**transaction, "externalReference": "BANK-2"}
    assert shop.admin.user_errors("confirmBankTransfer", **other) == [("INVALID_TRANSITION", "transactionId")]
    assert [payment.gateway_payment_id for payment in payments(shop)] == ["BANK-1"]


def test_wrong_confirmations_are_refused(shop: Shop) -> None:
    first, second = (buyer.purchase(shop.course, **METHOD) for buyer in (shop.buyer, shop.other_buyer()))
    card = shop.other_buyer().purchase(shop.course)

    def errors(purchase: dict[str, dict[str, str]], reference: str | None = None) -> list[tuple[str, str]]:
        input = {"transactionId": purchase["transaction"]["id"], "externalReference": reference}
        return shop.admin.user_errors("confirmBankTransfer", **input)

    confirmed = {"transactionId": first["transaction"]["id"], "externalReference": "BANK-1"}
    shop.admin.ok("confirmBankTransfer", **confirmed)
    assert errors(second, "BANK-1") == [("ALREADY_EXISTS", "externalReference")]
    assert errors(second, "x" * 201) == [("TOO_LONG", "externalReference")]
    assert errors(card) == [("INVALID_TRANSITION", "transactionId")]
    assert errors({"transaction": {"id": "nonsense"}}) == [("NOT_FOUND", "transactionId")]
    shop.admin.ok("cancelTransaction", transactionId=second["transaction"]["id"])
    assert errors(second) == [("INVALID_TRANSITION", "transactionId")]
    assert len(payments(shop)) == 1


def test_transfer_after_another_payment_is_refunded(shop: Shop) -> None:
    transfer = shop.buyer.purchase(shop.course, **METHOD)
    shop.gateway.settle(shop.buyer.purchase(shop.course, idempotencyKey="card")["checkoutUrl"])
    shop.admin.ok("confirmBankTransfer", transactionId=transfer["transaction"]["id"])
    assert [payment.outcome for payment in payments(shop)] == [PaymentOutcome.BOOKED, PaymentOutcome.DUPLICATE]


def test_operator_learns_which_transfers_to_return(shop: Shop, captured_log: LogCapture) -> None:
    purchase = shop.buyer.purchase(shop.course, **METHOD)
    transaction = {"transactionId": purchase["transaction"]["id"]}
    shop.admin.ok("confirmBankTransfer", **transaction)
    buyer = LedgerClient(shop.client, shop.buyer.actor)
    assert buyer.ok("refundTransaction", **transaction, reason="x", idempotencyKey="k")["status"] == "REFUNDED"
    (line,) = [line for line in captured_log.text.splitlines() if "transfer_to_return" in line]
    assert purchase["transaction"]["reference"] in line
    assert "19.99 USD" in line


def payments(shop: Shop) -> list[Payment]:
    statement = select(Payment).order_by(Payment.id)
    return shop.service.database.read_sync(lambda session: list(session.scalars(statement)))
