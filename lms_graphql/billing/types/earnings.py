"""GraphQL types of earnings, balances and payouts, and the commission rate of a user."""

from datetime import datetime
from decimal import Decimal

import strawberry

from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import IsSelfOrSuperAdmin, User
from lms_graphql.billing.commission import HUNDREDTH
from lms_graphql.billing.earning_status import EarningStatus
from lms_graphql.billing.ledger_models import PayoutStatus
from lms_graphql.billing.reads.balances import commission_rates_by_instructor
from lms_graphql.billing.reads.earnings import earnings_of_payout
from lms_graphql.billing.reads.payouts import payouts_by_key
from lms_graphql.billing.reads.transactions import transactions_by_key
from lms_graphql.billing.types.transactions import Transaction
from lms_graphql.billing.urls import statement_path
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.types.course import Course
from lms_graphql.core.actor import Role
from lms_graphql.core.pagination import PageArguments
from lms_graphql.core.urls import join_url
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import expose_enum, field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import require
from lms_graphql.graph.schema.scalars import Money
from lms_graphql.graph.schema.type_extensions import extend_type

expose_enum(
    EarningStatus,
    "Status of an earning.",
    PENDING="The hold after the sale has not ended.",
    AVAILABLE="Waits for the next payout, or a payout that is not settled holds it.",
    PAID="A payout has paid it.",
    REVERSED="The sale was refunded completely before it was paid out.",
)
expose_enum(
    PayoutStatus,
    "Status of a payout.",
    SCHEDULED="The money is to be transferred.",
    PROCESSING="The money is being transferred.",
    PAID="The money was transferred.",
    FAILED="The transfer failed. Its earnings wait for the next payout.",
    CANCELLED="Cancelled. Its earnings wait for the next payout.",
)


@object_type
class Earning(Node):
    """
    Part of a sale that an instructor earns. A refund reduces it. If a payout holds it already, the refund adds a
    negative earning instead, which the next payout nets. Visible to the instructor and super admins.
    """

    net_amount: Money = field("Net amount of the sale; negative for a refund after the payout.")
    amount: Money = field("The instructor's part.")
    commission_rate: Decimal = field(
        "Percentage of the net amount that the instructor gets, as it was at the time of the sale."
    )
    status: EarningStatus = field("Status of the earning.")
    available_at: datetime = field("When the hold ends and payouts can include it.")
    transaction_key: strawberry.Private[int]
    course_key: strawberry.Private[int]
    payout_key: strawberry.Private[int | None]

    @resolver_field()
    def transaction(self, info: Info) -> Transaction:
        """The sale."""
        return info.context.load(transactions_by_key, self.transaction_key)

    @resolver_field()
    def course(self, info: Info) -> Course | None:
        """The course; null if the viewer may not see it any more."""
        return info.context.load(courses_by_key, self.course_key)

    @resolver_field()
    def payout(self, info: Info) -> "InstructorPayout | None":
        """The payout that holds it; null if none does, or if that payout failed or was cancelled."""
        return None if self.payout_key is None else info.context.load(payouts_by_key, self.payout_key)


@object_type
class EarningsBalance:
    """Sums of an instructor's earnings in one currency. They may be negative after refunds."""

    currency: str = field("ISO 4217 code of the currency.")
    pending: Money = field("Earnings whose hold has not ended.")
    available: Money = field("Earnings that wait for a payout, or for the end of one.")
    paid: Money = field("Earnings that were paid out.")


@object_type
class InstructorPayout(Node):
    """A payout of earnings to an instructor. Visible to the instructor and super admins."""

    reference: str = field("Reference for people, for example on the transfer.")
    amount: Money = field("Sum of the earnings.")
    commission_rate: Decimal = field(
        "Percentage that the instructor gets: the rates of the earnings, weighted by net amount."
    )
    period_start: datetime = field("When the first of its earnings became available.")
    period_end: datetime = field("Its earnings became available before this time.")
    status: PayoutStatus = field("Status of the payout.")
    processed_at: datetime | None = field("When it was settled; null before.")
    instructor_key: strawberry.Private[int]
    statement_code: strawberry.Private[str | None]

    @resolver_field()
    def statement_url(self, info: Info) -> str | None:
        """
        URL of the statement as a PDF, which needs no login: anyone with the URL can read it. Null until the payout is
        paid.
        """
        if self.statement_code is None:
            return None
        return join_url(info.context.settings.service_url, statement_path(self.statement_code))

    @resolver_field()
    def instructor(self, info: Info) -> User:
        """The instructor who is paid."""
        return info.context.load(users_by_key, self.instructor_key)

    @resolver_field()
    def earnings(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Earning]:
        """Earnings that it was made of, oldest first. If it failed, a later payout may hold them."""
        return info.context.page(earnings_of_payout(), PageArguments(first, after, last, before), self.key)


@object_type
class RunPayoutsPayload:
    """Result of a payout run: the new payouts, or errors."""

    payouts: list[InstructorPayout] = strawberry.field(
        description="The payouts of this run; empty if there are errors, or nothing to pay out.", default_factory=list
    )
    errors: list[UserError] = errors_field()


@object_type
class PayoutPayload:
    """Result of settling a payout: the payout, or errors."""

    payout: InstructorPayout | None = field("The payout after the change; null if there are errors.", default=None)
    errors: list[UserError] = errors_field()


@extend_type(User, extensions=[require(IsSelfOrSuperAdmin)])
async def commission_rate(user: strawberry.Parent[User], info: Info) -> Decimal | None:
    """
    The user and super admins only. Percentage of new sales that the instructor gets; null for a learner. Earlier
    sales have the rate of their time.
    """
    if user.role is Role.LEARNER:
        return None
    own_rate: Decimal | None = await info.context.load_async(commission_rates_by_instructor, user.key)
    return (info.context.settings.commission_rate if own_rate is None else own_rate).quantize(HUNDREDTH)
