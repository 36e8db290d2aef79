"""Mutations of refunds."""

from decimal import Decimal

import strawberry

from lms_graphql.billing.models import RefundStatus
from lms_graphql.billing.mutations.purchases import payment_resources
from lms_graphql.billing.reads.processing_refunds import RefundState, refund_states_by_key
from lms_graphql.billing.reads.transactions import transactions_by_key
from lms_graphql.billing.services import refunds
from lms_graphql.billing.services.refund_calls import make_refund
from lms_graphql.billing.services.refunds import RefundOrder
from lms_graphql.billing.types.transactions import TransactionPayload
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, input_type
from lms_graphql.graph.schema.mutations import mutation, payload
from lms_graphql.graph.schema.permissions import IsSignedIn

FAILED_MESSAGE = "The payment gateway rejected this refund, so nothing was refunded. Contact support."


@input_type()
class RefundTransactionInput:
    """A transaction to refund, completely or in part."""

    transaction_id: strawberry.ID = field("Id of the transaction.")
    amount: Decimal | None = field(
        "Amount in the currency's main unit. If it is left out, all that is left is refunded. Learners cannot refund "
        "a part.",
        default=None,
    )
    reason: str = field("Why the money is refunded, at most 1,000 characters. The buyer and the instructor see it.")
    idempotency_key: str = field(
        "A value that is new for each refund, such as a UUID (1–200 characters). Repeat a request whose answer was "
        "lost with the same key: the amount is refunded once."
    )


@strawberry.type
class RefundMutations:
    @mutation(IsSignedIn)
    async def refund_transaction(self, info: Info, input: RefundTransactionInput) -> TransactionPayload | None:
        """
        Refund a transaction. Only the buyer and super admins can do this. Buyers can refund a course once, completely
        and without a certificate. The limits are 30 days after the payment and 30 % progress, unless the operator has
        changed them. A complete refund ends the access and revokes the certificate. At most one per document.

        If the gateway takes longer, the refund is PROCESSING in `Transaction.refunds`, and the amounts change once it
        has succeeded. Returns NOT_REFUNDABLE, OUT_OF_RANGE for more than what is left, PAYMENT_FAILED if the gateway
        rejects it, and IDEMPOTENCY_MISMATCH if the key was used with other input.
        """
        context = info.context
        order = RefundOrder(input.transaction_id, input.amount, input.reason, input.idempotency_key)
        refund_key = await context.write(refunds.start_refund, order)
        await make_refund(payment_resources(context), refund_key)
        state: RefundState = await context.load_async(refund_states_by_key, refund_key)
        if state.status is RefundStatus.FAILED:
            raise DomainError(ErrorCode.PAYMENT_FAILED, FAILED_MESSAGE)
        return await payload(context, TransactionPayload, transaction=(transactions_by_key, state.transaction_key))
