"""Sales of a course that is given to another instructor: whose earnings they are, before and after."""

from lms_graphql.accounts.models import User
from lms_graphql.core.actor import Role
from tests.billing.billing_client import BillingClient
from tests.billing.conftest import Shop
from tests.billing.ledger_client import LedgerClient, Refunds
from tests.catalog.course_client import CourseClient
from tests.factories import CourseTree, global_id
from tests.live_service import Client


def transfer(client: Client, admin: BillingClient, course: CourseTree, user: User) -> None:
    input = {"courseId": course.global_id, "instructorId": global_id("User", user)}
    CourseClient(client, admin.actor).ok("transferCourse", **input)


def test_refund_of_earlier_sale_reduces_earnings_of_former_instructor(refunds: Refunds) -> None:
    course, user = refunds.sale.course, refunds.make.user(Role.INSTRUCTOR)
    transfer(refunds.client, refunds.admin, course, user)
    new = LedgerClient(refunds.client, refunds.make.actor(user))
    assert (new.earnings(), refunds.instructor.earnings()) == ([], [("20.00", "14.00", "PENDING")])
    assert new.transaction(refunds.sale.id) is None
    assert refunds.instructor.transaction(refunds.sale.id)["status"] == "COMPLETED"
    refunds.admin.refund(refunds.sale, amount="5.00")
    assert (new.earnings(), refunds.instructor.earnings()) == ([], [("15.00", "10.50", "PENDING")])
    assert refunds.ledger.problems() == []


def test_purchase_completed_after_transfer_earns_for_new_instructor(shop: Shop) -> None:
    user = shop.make.user(Role.INSTRUCTOR)
    former, new, admin = (
        LedgerClient(shop.client, actor)
        for actor in (shop.make.actor(shop.course.instructor), shop.make.actor(user), shop.admin.actor)
    )
    admin.ok("setCommissionRate", userId=global_id("User", user), commissionRate="50.00")
    purchase = shop.buyer.purchase(shop.course)
    transfer(shop.client, admin, shop.course, user)
    assert former.transaction(purchase["transaction"]["id"]) is None, "a sale that is not completed"
    shop.gateway.settle(purchase["checkoutUrl"])
    assert shop.buyer.access(shop.course) == ("ACTIVE", "PURCHASE")
    assert (former.earnings(), new.earnings()) == ([], [("19.99", "10.00", "PENDING")])


def test_payment_of_new_instructor_for_their_own_course_is_refunded(shop: Shop) -> None:
    user = shop.make.user(Role.INSTRUCTOR)
    new = LedgerClient(shop.client, shop.make.actor(user))
    purchase = new.purchase(shop.course)
    transfer(shop.client, shop.admin, shop.course, user)
    assert new.purchase_error(shop.course, idempotencyKey="again") == ("OWN_COURSE", "courseId")
    shop.gateway.settle(purchase["checkoutUrl"])
    transaction = new.transaction(purchase["transaction"]["id"])
    assert (transaction["status"], new.access(shop.course), new.earnings()) == ("CANCELLED", None, [])
