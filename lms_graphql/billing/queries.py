"""Queries of billing: transactions and payouts."""

from datetime import datetime
from typing import Annotated

import strawberry

from lms_graphql.accounts.types import has_permission
from lms_graphql.billing.ledger_models import PayoutStatus
from lms_graphql.billing.models import TransactionStatus
from lms_graphql.billing.reads.payouts import PayoutFilter, payouts
from lms_graphql.billing.reads.transactions import TransactionFilter, transactions
from lms_graphql.billing.types.earnings import InstructorPayout
from lms_graphql.billing.types.transactions import Transaction
from lms_graphql.core import global_ids
from lms_graphql.core.pagination import PageArguments
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import field, input_type, resolver_field
from lms_graphql.graph.schema.permissions import IsSignedIn, require


@input_type(name="TransactionFilter")
class TransactionFilterInput:
    """Conditions on transactions. An omitted field is no condition."""

    user_id: strawberry.ID | None = field("Id of the buyer.", default=None)
    course_id: strawberry.ID | None = field("Id of the course.", default=None)
    status: TransactionStatus | None = field("Status of the transactions.", default=None)
    created_after: datetime | None = field("Started after this time.", default=None)
    created_before: datetime | None = field("Started before this time.", default=None)


Filter = Annotated[TransactionFilterInput | None, strawberry.argument(description="Conditions on the transactions.")]


@input_type(name="PayoutFilter")
class PayoutFilterInput:
    """Conditions on payouts. An omitted field is no condition."""

    instructor_id: strawberry.ID | None = field("Id of the instructor.", default=None)
    status: PayoutStatus | None = field("Status of the payouts.", default=None)


PayoutConditions = Annotated[PayoutFilterInput | None, strawberry.argument(description="Conditions on the payouts.")]


@strawberry.type
class BillingQueries:
    @resolver_field(name="transactions", extensions=[require(IsSignedIn)])
    def transactions_of_viewer(
        self,
        info: Info,
        filter: Filter = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Transaction] | None:
        """
        Logged-in users only; anonymous viewers get UNAUTHENTICATED. Transactions that match the filter, newest first:
        all for super admins, the viewer's own for other users.
        """
        conditions = _transaction_filter(filter or TransactionFilterInput())
        query = transactions(info.context.actor.access_level, conditions)
        return info.context.page(query, PageArguments(first, after, last, before))

    @resolver_field(name="payouts", extensions=[require(IsSignedIn, has_permission("payout:view-own"))])
    def payouts_of_viewer(
        self,
        info: Info,
        filter: PayoutConditions = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[InstructorPayout] | None:
        """
        Instructors and super admins only. Payouts that match the filter, newest first: all for super admins, the
        viewer's own for instructors.
        """
        filter = filter or PayoutFilterInput()
        conditions = PayoutFilter(global_ids.decode_filter_key("User", filter.instructor_id), filter.status)
        query = payouts(info.context.actor.access_level, conditions)
        return info.context.page(query, PageArguments(first, after, last, before))


def _transaction_filter(filter: TransactionFilterInput) -> TransactionFilter:
    return TransactionFilter(
        buyer_key=global_ids.decode_filter_key("User", filter.user_id),
        course_key=global_ids.decode_filter_key("Course", filter.course_id),
        status=filter.status,
        created_after=filter.created_after,
        created_before=filter.created_before,
    )
