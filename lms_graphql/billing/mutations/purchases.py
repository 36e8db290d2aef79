"""Mutations of purchases: start one, cancel it, confirm its bank transfer."""

from decimal import Decimal

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.billing.models import PaymentMethod, TransactionStatus
from lms_graphql.billing.reads.transactions import TransactionRow, transactions_by_key
from lms_graphql.billing.services import bank_transfers, gateway_calls, purchases
from lms_graphql.billing.services.gateway_calls import PaymentResources
from lms_graphql.billing.services.purchases import PurchaseRequest
from lms_graphql.billing.types.transactions import PurchasePayload, TransactionPayload
from lms_graphql.graph.context import Context, Info
from lms_graphql.graph.schema.fields import as_graphql, field, input_type
from lms_graphql.graph.schema.mutations import mutation, payload
from lms_graphql.graph.schema.permissions import IsSignedIn
from lms_graphql.learning.reads.enrollments import viewer_enrollments_by_course


@input_type()
class PurchaseCourseInput:
    """A course to buy."""

    course_id: strawberry.ID = field("Id of the course.")
    payment_method: PaymentMethod = field("How to pay; FREE for a free course.")
    expected_price: Decimal = field("The price that the buyer saw, compared as a number.")
    idempotency_key: str = field(
        "A value that is new for each purchase, such as a UUID (1–200 characters). Repeat a request whose answer was "
        "lost with the same key: the course is bought once."
    )


@input_type()
class TransactionIdInput:
    """A transaction."""

    transaction_id: strawberry.ID = field("Id of the transaction.")


@input_type()
class ConfirmBankTransferInput:
    """A bank transfer that has arrived."""

    transaction_id: strawberry.ID = field("Id of the transaction.")
    external_reference: str | None = field(
        "The bank's own reference of the transfer, at most 200 characters. It confirms one transaction only.",
        default=None,
    )


@strawberry.type
class PurchaseMutations:
    @mutation(has_permission("course:enroll"))
    async def purchase_course(self, info: Info, input: PurchaseCourseInput) -> PurchasePayload | None:
        """
        Buy a course. Only logged-in users can do this. With FREE, a free course is enrolled in at once. Otherwise the
        transaction is PENDING: send the buyer to `checkoutUrl`, and wait until the transaction is COMPLETED.

        Returns OWN_COURSE for the course's instructor, and NOT_PUBLISHED if the course is not published. Returns
        ALREADY_EXISTS if the viewer has access or has paid already, and INVALID_TRANSITION if the viewer is suspended
        from the course. Returns INVALID at `paymentMethod` for a free course without FREE, PAYMENT_REQUIRED for FREE
        and a price, and FEATURE_DISABLED for a method that is not configured. Returns PRICE_CHANGED if the price
        differs from `expectedPrice`, and IDEMPOTENCY_MISMATCH if the key was used with other input. Returns
        PAYMENT_FAILED if the gateway rejects it or does not answer. Returns LIMIT_REACHED after 50 purchases within
        24 hours that were not paid.
        """
        purchase = PurchaseRequest(input.course_id, input.payment_method, input.expected_price, input.idempotency_key)
        key = await info.context.write(purchases.start_purchase, purchase)
        await gateway_calls.open_checkout(payment_resources(info.context), key)
        return await _purchase_payload(info.context, key)

    @mutation(IsSignedIn)
    async def cancel_transaction(self, info: Info, input: TransactionIdInput) -> TransactionPayload | None:
        """
        Cancel a purchase that is not paid. Only the buyer and super admins can do this. A payment that arrives later
        is refunded.

        Returns INVALID_TRANSITION if the status is neither PENDING nor CANCELLED.
        """
        key = await info.context.write(purchases.cancel_transaction, input.transaction_id)
        await gateway_calls.close_checkout(payment_resources(info.context), key)
        return await payload(info.context, TransactionPayload, transaction=(transactions_by_key, key))

    @mutation(has_permission("transaction:confirm"))
    async def confirm_bank_transfer(self, info: Info, input: ConfirmBankTransferInput) -> TransactionPayload | None:
        """
        Confirm that the money of a bank transfer has arrived, which completes the purchase. Only super admins can do
        this. Confirming twice changes nothing. If the buyer has paid for the course in another way, it is refunded.

        Returns INVALID_TRANSITION if the transaction has ended or is paid in another way, and ALREADY_EXISTS if
        `externalReference` has confirmed another transaction.
        """
        key = await info.context.write(
            bank_transfers.confirm_bank_transfer, input.transaction_id, input.external_reference
        )
        return await payload(info.context, TransactionPayload, transaction=(transactions_by_key, key))


def payment_resources(context: Context) -> PaymentResources:
    return PaymentResources.create(context.database, context.settings, context.signer)


async def _purchase_payload(context: Context, key: int) -> PurchasePayload:
    row: TransactionRow | None = await context.load_async(transactions_by_key, key)
    if row is None:
        return PurchasePayload()
    is_pending, is_completed = row.status is TransactionStatus.PENDING, row.status is TransactionStatus.COMPLETED
    enrollment = None
    if is_completed:
        enrollment = await context.load_async(viewer_enrollments_by_course, row.course_key)
    return PurchasePayload(
        transaction=as_graphql(row),
        checkout_url=row.checkout_url if is_pending else None,
        enrollment=as_graphql(enrollment),
    )
