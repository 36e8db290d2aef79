"""GraphQL types of transactions and refunds, and the transactions of a user."""

from datetime import datetime
from typing import Any

import strawberry

from lms_graphql.accounts.policies import is_self_or_super_admin
from lms_graphql.accounts.reads.users import users_by_key
from lms_graphql.accounts.types import IsSelfOrSuperAdmin, User
from lms_graphql.billing.models import PaymentMethod, RefundStatus, TransactionStatus
from lms_graphql.billing.reads.refunds import refunds_by_transaction
from lms_graphql.billing.reads.transactions import transactions_of_user
from lms_graphql.billing.urls import receipt_path
from lms_graphql.catalog.reads.courses import courses_by_key
from lms_graphql.catalog.types.course import Course
from lms_graphql.core.actor import Actor
from lms_graphql.core.pagination import PageArguments
from lms_graphql.core.urls import join_url
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import expose_enum, field, object_type, resolver_field
from lms_graphql.graph.schema.mutations import UserError, errors_field
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import Permission, require
from lms_graphql.graph.schema.scalars import Money
from lms_graphql.graph.schema.type_extensions import extend_type
from lms_graphql.learning.types.enrollments import Enrollment

expose_enum(
    TransactionStatus,
    "Status of a transaction.",
    PENDING="Waits for the payment. Cancelled after 24 hours; bank transfers after 14 days; bank debits and other "
    "payments that take days, after 21 days.",
    COMPLETED="Paid.",
    FAILED="The payment was declined or could not be made.",
    CANCELLED="Cancelled before it was paid, or not paid in time.",
    PARTIALLY_REFUNDED="Paid, and a part was refunded. Access continues.",
    REFUNDED="Paid and refunded completely.",
)
expose_enum(
    PaymentMethod,
    "How a course is paid. A method that is not configured returns FEATURE_DISABLED.",
    STRIPE="Card and other methods, on a page of Stripe.",
    PAYPAL="PayPal.",
    BANK_TRANSFER="A bank transfer, which a super admin confirms.",
    FREE="For free courses.",
    FAKE="The built-in test gateway, whose page pays or declines without money.",
)
expose_enum(
    RefundStatus,
    "Status of a refund.",
    PROCESSING="Requested; the gateway has not confirmed it yet.",
    SUCCEEDED="The gateway has returned the money.",
    FAILED="The gateway rejected it, so nothing was refunded.",
)


@object_type
class Refund(Node):
    """A refund of a transaction, or of a part of it. Visible to those who see the transaction."""

    amount: Money = field("Amount of the refund.")
    reason: str = field("Why the money was refunded.")
    status: RefundStatus = field("Status of the refund.")
    created_at: datetime = field("When it was requested.")
    completed_at: datetime | None = field("When it succeeded or failed; null while it is processing.")


class IsBuyer(Permission):
    """Permission for the buyer and super admins."""

    def allows(self, actor: Actor, source: Any) -> bool:
        return is_self_or_super_admin(actor, source.buyer_key)


@object_type
class Transaction(Node):
    """
    A purchase of a course. Visible to the buyer, to the instructor who earns from it, and to super admins.
    """

    reference: str = field("Reference for people, for example on bank transfers and receipts.")
    amount: Money = field("Price at the time of the purchase.")
    refunded_amount: Money = field("Sum of the refunds that succeeded.")
    net_amount: Money = field("Amount without the refunds.")
    status: TransactionStatus = field("Status of the payment.")
    payment_method: PaymentMethod = field("How the course is paid.")
    description: str | None = field("Title of the course at the time of the purchase; null if none was stored.")
    created_at: datetime = field("When the purchase was started.")
    completed_at: datetime | None = field("When it was paid; null if it was not.")
    buyer_key: strawberry.Private[int]
    course_key: strawberry.Private[int]
    checkout_url: strawberry.Private[str | None]
    receipt_code: strawberry.Private[str | None]

    @resolver_field()
    def user(self, info: Info) -> User:
        """The buyer."""
        return info.context.load(users_by_key, self.buyer_key)

    @resolver_field()
    def course(self, info: Info) -> Course | None:
        """The course; null if the viewer may not see it any more."""
        return info.context.load(courses_by_key, self.course_key)

    @resolver_field()
    def refunds(self, info: Info) -> list[Refund]:
        """Refunds in any status, oldest first."""
        return info.context.load_list(refunds_by_transaction, self.key)

    @resolver_field(extensions=[require(IsBuyer)])
    def receipt_url(self, info: Info) -> str | None:
        """
        The buyer and super admins only. URL of the receipt as a PDF, which needs no login: anyone with the URL can
        read it. Null if nothing was paid.
        """
        if self.receipt_code is None:
            return None
        return join_url(info.context.settings.service_url, receipt_path(self.receipt_code))


@object_type
class TransactionPayload:
    """Result of a change of a transaction: the transaction, or errors."""

    transaction: Transaction | None = field(
        "The transaction after the change; null if there are errors.", default=None
    )
    errors: list[UserError] = errors_field()


@object_type
class PurchasePayload:
    """Result of starting a purchase: the transaction and where to pay it, or errors."""

    transaction: Transaction | None = field("The transaction; null if there are errors.", default=None)
    checkout_url: str | None = field(
        "Page of the gateway to which the front end sends the buyer; null if the transaction is not pending, or is "
        "paid by bank transfer.",
        default=None,
    )
    enrollment: Enrollment | None = field(
        "The buyer's enrollment, once the transaction is completed; null before.", default=None
    )
    errors: list[UserError] = errors_field()


@extend_type(User, name="transactions", extensions=[require(IsSelfOrSuperAdmin)])
def transactions_by_user(
    user: strawberry.Parent[User],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Transaction] | None:
    """The user and super admins only. All transactions of the user, newest first."""
    return info.context.page(transactions_of_user(), PageArguments(first, after, last, before), user.key)
