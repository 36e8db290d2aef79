"""Mutations of payouts and commission rates, for super admins."""

import asyncio
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import strawberry

from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import UserPayload, has_permission
from lms_graphql.billing.ledger_models import PayoutStatus
from lms_graphql.billing.reads.payouts import payouts_by_key
from lms_graphql.billing.services import commission_rates, payouts
from lms_graphql.billing.types.earnings import PayoutPayload, RunPayoutsPayload
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import expose_enum, field, input_type
from lms_graphql.graph.schema.mutations import mutation, payload


class PayoutOutcome(StrEnum):
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


expose_enum(
    PayoutOutcome,
    "How a payout has ended.",
    PAID="The money was transferred.",
    FAILED="The transfer failed.",
    CANCELLED="The payout was not made.",
)


@input_type()
class RunPayoutsInput:
    """The period to pay out."""

    period_end: datetime = field("Earnings that became available before this time are paid out.")
    idempotency_key: str = field(
        "A value that is new for each run, such as a UUID (1–200 characters). Repeat a request whose answer was lost "
        "with the same key."
    )


@input_type()
class SettlePayoutInput:
    """A payout and how it has ended."""

    payout_id: strawberry.ID = field("Id of the payout.")
    outcome: PayoutOutcome = field("How it has ended.")
    external_reference: str | None = field(
        "Reference of the transfer at the bank, at most 255 characters.", default=None
    )


@input_type()
class SetCommissionRateInput:
    """The commission rate of an instructor."""

    user_id: strawberry.ID = field("Id of the instructor.")
    commission_rate: Decimal | None = field(
        "Percentage of new sales, from 0 to 100 with at most two decimals; null for the platform's default.",
        default=None,
    )


@strawberry.type
class PayoutMutations:
    @mutation(has_permission("payout:run"))
    async def run_payouts(self, info: Info, input: RunPayoutsInput) -> RunPayoutsPayload | None:
        """
        Schedule a payout for each instructor and currency, of all earnings that became available before `periodEnd`
        and that no payout holds. Only super admins can do this. Sums below the minimum wait for the next run. Running
        it again pays nothing twice. At most one per document.

        Returns IDEMPOTENCY_MISMATCH if the key was used with another `periodEnd`.
        """
        keys = await info.context.write(payouts.run_payouts, input.period_end, input.idempotency_key)
        rows = await asyncio.gather(*(info.context.load_async(payouts_by_key, key) for key in keys))
        return RunPayoutsPayload(payouts=rows)

    @mutation(has_permission("payout:run"))
    async def settle_payout(self, info: Info, input: SettlePayoutInput) -> PayoutPayload | None:
        """
        Record how a payout has ended. Only super admins can do this. After FAILED and CANCELLED, its earnings wait
        for the next run.

        Returns INVALID_TRANSITION if another outcome was recorded before.
        """
        outcome = PayoutStatus(input.outcome.value)
        key = await info.context.write(payouts.settle_payout, input.payout_id, outcome, input.external_reference)
        return await payload(info.context, PayoutPayload, payout=(payouts_by_key, key))

    @mutation(has_permission("payout:run"))
    async def set_commission_rate(self, info: Info, input: SetCommissionRateInput) -> UserPayload | None:
        """
        Set the percentage that an instructor gets of sales from now on. Only super admins can do this. Earlier sales
        do not change.

        Returns INVALID for a learner, and INVALID_TRANSITION for a deleted user.
        """
        key = await info.context.write(commission_rates.set_commission_rate, input.user_id, input.commission_rate)
        return await payload(info.context, UserPayload, user=(users_by_key, key))
