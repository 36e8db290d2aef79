"""The story of a purchase: started, paid, declined, bought again; and what cannot be bought."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import update

from lms_graphql.billing.models import PaymentMethod, Transaction, TransactionStatus
from lms_graphql.billing.purchase_rules import MAX_UNPAID, UNPAID_HOURS
from lms_graphql.billing.services.purchases import PurchaseRequest, start_purchase
from lms_graphql.catalog.models import CourseStatus, EnrollmentSource, EnrollmentStatus
from lms_graphql.core import clock, global_ids
from tests.billing.billing_client import BillingClient
from tests.billing.conftest import PRICE, Shop
from tests.billing.ledger_client import LedgerClient


def test_paid_course_gives_access(shop: Shop) -> None:
    purchase = shop.buyer.purchase(shop.course)
    transaction = purchase["transaction"]
    assert purchase["checkoutUrl"].startswith(f"{shop.service.url}/gateway/fake/checkout/")
    assert purchase["enrollment"] is None
    price = {"amount": "19.99", "currency": "USD"}
    assert transaction == {
        **transaction,
        "status": "PENDING",
        "paymentMethod": "FAKE",
        "description": shop.course.row.title,
        "amount": price,
        "refundedAmount": {"amount": "0.00", "currency": "USD"},
        "netAmount": price,
        "completedAt": None,
        "course": {"id": shop.course.global_id},
        "refunds": [],
    }
    answer = shop.gateway.settle(purchase["checkoutUrl"])
    assert answer.status_code == 303
    assert answer.headers["location"].endswith(f"/checkout/return?transaction={transaction['id']}")
    completed = shop.buyer.transaction(transaction["id"])
    assert (completed["status"], completed["refunds"]) == ("COMPLETED", [])
    assert completed["completedAt"] > completed["createdAt"]
    assert shop.buyer.access(shop.course) == ("ACTIVE", "PURCHASE")
    assert shop.buyer.purchase_error(shop.course, idempotencyKey="again") == ("ALREADY_EXISTS", "courseId")
    replayed = shop.buyer.purchase(shop.course)
    assert (replayed["transaction"]["id"], replayed["checkoutUrl"]) == (transaction["id"], None)
    assert replayed["enrollment"]["status"] == "ACTIVE"


def test_declined_course_is_bought_again(shop: Shop) -> None:
    declined = shop.buyer.purchase(shop.course)
    assert shop.gateway.settle(declined["checkoutUrl"], "decline").status_code == 303
    assert shop.buyer.transaction(declined["transaction"]["id"])["status"] == "FAILED"
    assert shop.buyer.access(shop.course) is None
    again = shop.buyer.purchase(shop.course, idempotencyKey="second")
    shop.gateway.settle(again["checkoutUrl"])
    assert shop.buyer.access(shop.course) == ("ACTIVE", "PURCHASE")
    assert shop.buyer.transaction(declined["transaction"]["id"])["status"] == "FAILED"


def test_free_course_is_enrolled_in_at_once(shop: Shop) -> None:
    course = shop.make.course(price=0)
    purchase = shop.buyer.purchase(course, expectedPrice="0.00")
    assert purchase["transaction"]["status"] == "COMPLETED"
    assert purchase["transaction"]["amount"] == {"amount": "0.00", "currency": "USD"}
    assert purchase["checkoutUrl"] is None
    assert (purchase["enrollment"]["status"], purchase["enrollment"]["source"]) == ("ACTIVE", "FREE")
    assert shop.buyer.purchase(course, expectedPrice="0.00") == purchase
    shop.buyer.ok("cancelEnrollment", enrollmentId=purchase["enrollment"]["id"])
    assert shop.buyer.purchase(course, idempotencyKey="again")["enrollment"]["status"] == "ACTIVE"


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"courseId": "nonsense"}, "NOT_FOUND", "courseId"),
    ({"expectedPrice": "20.00"}, "PRICE_CHANGED", "expectedPrice"),
    ({"expectedPrice": "0"}, "PRICE_CHANGED", "expectedPrice"),
    ({"expectedPrice": "19.999"}, "OUT_OF_RANGE", "expectedPrice"),
    ({"expectedPrice": "-19.99"}, "OUT_OF_RANGE", "expectedPrice"),
    ({"expectedPrice": "9" * 400}, "OUT_OF_RANGE", "expectedPrice"),
    ({"paymentMethod": "FREE"}, "PAYMENT_REQUIRED", "paymentMethod"),
    ({"paymentMethod": "FREE", "expectedPrice": 0}, "PAYMENT_REQUIRED", "paymentMethod"),
    ({"paymentMethod": "STRIPE"}, "FEATURE_DISABLED", "paymentMethod"),
    ({"paymentMethod": "PAYPAL"}, "FEATURE_DISABLED", "paymentMethod"),
    ({"idempotencyKey": " "}, "REQUIRED", "idempotencyKey"),
    ({"idempotencyKey": "k" * 201}, "TOO_LONG", "idempotencyKey"),
]


def test_wrong_inputs_of_purchases_are_refused(shop: Shop) -> None:
    for input, code, field in REFUSED:
        assert shop.buyer.purchase_error(shop.course, **input) == (code, field), input
    free = shop.make.course(price=0)
    assert shop.buyer.purchase_error(free, paymentMethod="FAKE") == ("INVALID", "paymentMethod")
    draft = shop.make.course(price=PRICE, status=CourseStatus.DRAFT, instructor=shop.course.instructor)
    assert shop.buyer.purchase_error(draft) == ("NOT_FOUND", "courseId")
    assert shop.admin.purchase_error(draft) == ("NOT_PUBLISHED", "courseId")
    assert shop.instructor.purchase_error(shop.course) == ("OWN_COURSE", "courseId")
    for price in ('"1e400"', '"NaN"', '"-0"', "19.99"):
        document = shop.buyer.document("purchaseCourse").replace("$input: PurchaseCourseInput!", "$c: ID!")
        input_text = f'{{courseId: $c, paymentMethod: FAKE, expectedPrice: {price}, idempotencyKey: "k"}}'
        document = document.replace("input: $input", f"input: {input_text}")
        codes = shop.client.error_codes(document, as_=shop.buyer.actor, c=shop.course.global_id)
        assert codes == ["GRAPHQL_VALIDATION_FAILED"], price
    assert shop.buyer.purchase(shop.course, expectedPrice="19.990")["transaction"]["status"] == "PENDING"
    mismatch = shop.buyer.purchase_error(shop.course, paymentMethod="BANK_TRANSFER", expectedPrice="19.990")
    assert mismatch == ("IDEMPOTENCY_MISMATCH", "idempotencyKey")


def test_present_and_former_access_decides_about_purchases(shop: Shop) -> None:
    cases = [
        (EnrollmentStatus.ACTIVE, EnrollmentSource.GRANT, ("ALREADY_EXISTS", "courseId")),
        (EnrollmentStatus.COMPLETED, EnrollmentSource.FREE, ("ALREADY_EXISTS", "courseId")),
        (EnrollmentStatus.SUSPENDED, EnrollmentSource.FREE, ("INVALID_TRANSITION", "courseId")),
        (EnrollmentStatus.EXPIRED, EnrollmentSource.GRANT, None),
        (EnrollmentStatus.CANCELLED, EnrollmentSource.FREE, None),
        (EnrollmentStatus.REFUNDED, EnrollmentSource.PURCHASE, None),
    ]
    for status, source, error in cases:
        user = shop.make.user()
        shop.make.enrollment(user, shop.course, status, source=source)
        buyer = BillingClient(shop.client, shop.make.actor(user))
        if error is not None:
            assert buyer.purchase_error(shop.course) == error
            continue
        shop.gateway.settle(buyer.purchase(shop.course)["checkoutUrl"])
        assert buyer.access(shop.course) == ("ACTIVE", "PURCHASE"), status


def test_cancelled_enrollment_of_a_purchase_is_restored_without_paying(shop: Shop) -> None:
    shop.gateway.settle(shop.buyer.purchase(shop.course)["checkoutUrl"])
    enrollment = shop.buyer.purchase(shop.course)["enrollment"]
    shop.buyer.ok("cancelEnrollment", enrollmentId=enrollment["id"])
    assert shop.buyer.purchase_error(shop.course, idempotencyKey="again") == ("ALREADY_EXISTS", "courseId")
    restored = shop.buyer.ok("enroll", courseId=shop.course.global_id)
    assert (restored["id"], restored["source"]) == (enrollment["id"], "PURCHASE")


def test_changed_price_leaves_a_pending_purchase_as_it_is(shop: Shop) -> None:
    purchase = shop.buyer.purchase(shop.course)
    edit = "mutation M($input: UpdateCourseInput!) { updateCourse(input: $input) { errors { code } } }"
    input = {"courseId": shop.course.global_id, "price": "0.00"}
    body = shop.client.execute(edit, as_=shop.instructor.actor, input=input)
    assert body["updateCourse"]["errors"] == []
    assert shop.buyer.purchase_error(shop.course, idempotencyKey="new") == ("INVALID", "paymentMethod")
    shop.gateway.settle(purchase["checkoutUrl"])
    transaction = shop.buyer.transaction(purchase["transaction"]["id"])
    assert (transaction["status"], transaction["amount"]["amount"]) == ("COMPLETED", "19.99")


def test_purchase_continues_after_the_process_died(shop: Shop) -> None:
    """The intent is stored, but the gateway was never called: the repeated request opens the checkout."""
    request = PurchaseRequest(shop.course.global_id, PaymentMethod.FAKE, Decimal("19.99"), "interrupted")
    key = shop.service.database.write_sync(lambda session: start_purchase(session, shop.buyer.actor, request))
    pending = shop.buyer.transaction(global_ids.encode("Transaction", key))
    assert pending["status"] == "PENDING"
    purchase = shop.buyer.purchase(shop.course, idempotencyKey="interrupted")
    assert purchase["transaction"]["id"] == pending["id"]
    assert shop.gateway.page(purchase["checkoutUrl"]).status_code == 200
    assert shop.buyer.purchase(shop.course, idempotencyKey="interrupted") == purchase


def test_pending_purchase_is_cancelled_by_its_buyer(shop: Shop) -> None:
    purchase = shop.buyer.purchase(shop.course)
    id = purchase["transaction"]["id"]
    assert shop.other_buyer().user_errors("cancelTransaction", transactionId=id) == [("NOT_FOUND", "transactionId")]
    assert shop.instructor.error_codes("cancelTransaction", transactionId=id) == ["FORBIDDEN"]
    assert shop.buyer.ok("cancelTransaction", transactionId=id)["status"] == "CANCELLED"
    assert shop.buyer.ok("cancelTransaction", transactionId=id)["status"] == "CANCELLED"
    assert shop.gateway.settle(purchase["checkoutUrl"]).status_code == 410
    assert shop.buyer.transaction(id)["status"] == "CANCELLED"
    assert shop.buyer.purchase(shop.course)["checkoutUrl"] is None  # the key belongs to the cancelled one
    second = shop.buyer.purchase(shop.course, idempotencyKey="second")
    shop.gateway.settle(second["checkoutUrl"])
    paid = {"transactionId": second["transaction"]["id"]}
    assert shop.admin.user_errors("cancelTransaction", **paid) == [("INVALID_TRANSITION", "transactionId")]


def test_course_with_a_pending_purchase_is_not_unpublished(shop: Shop) -> None:
    change = "mutation M($input: CourseIdInput!) { %s(input: $input) { errors { code } } }"
    input = {"courseId": shop.course.global_id}
    purchase = shop.buyer.purchase(shop.course)

    def codes(mutation: str) -> list[str]:
        payload = shop.client.execute(change % mutation, as_=shop.instructor.actor, input=input)[mutation]
        return [error["code"] for error in payload["errors"]]

    assert codes("unpublishCourse") == ["IN_USE"]
    assert codes("archiveCourse") == []
    shop.gateway.settle(purchase["checkoutUrl"])
    assert shop.buyer.access(shop.course) == ("ACTIVE", "PURCHASE")  # although it is archived now


def test_unpaid_purchases_of_a_day_are_limited(shop: Shop) -> None:
    """Each sends a mail or opens a checkout. Cancelled ones count, and those of yesterday do not."""
    key = shop.buyer_user.id
    for status in (TransactionStatus.PENDING, TransactionStatus.CANCELLED):
        for _ in range(MAX_UNPAID // 2):
            shop.make.transaction(shop.buyer_user, shop.course, status=status, created_at=clock.now())
    assert shop.buyer.purchase_error(shop.course) == ("LIMIT_REACHED", None)
    assert shop.other_buyer().purchase(shop.course)["checkoutUrl"]
    yesterday = {"created_at": clock.now() - timedelta(hours=UNPAID_HOURS, minutes=1)}
    is_pending = (Transaction.user_id == key, Transaction.status == TransactionStatus.PENDING)
    older = update(Transaction).where(*is_pending).values(yesterday)
    shop.service.database.write_sync(lambda session: session.execute(older) and None)
    assert shop.buyer.purchase(shop.course)["checkoutUrl"]


def test_grant_outlasts_a_purchase_that_is_refunded(shop: Shop) -> None:
    """A super admin grants access while the purchase is pending. A grant that ends is replaced by the purchase."""
    for expires_at, source, after_refund in (
        (None, "GRANT", ("ACTIVE", "GRANT")),
        (clock.now() + timedelta(days=1), "PURCHASE", ("REFUNDED", "PURCHASE")),
    ):
        course = shop.make.course(price=PRICE)
        purchase = shop.buyer.purchase(course)
        granted: dict[str, Any] = {"source": EnrollmentSource.GRANT, "access_expires_at": expires_at}
        shop.make.enrollment(shop.buyer_user, course, **granted)
        shop.gateway.settle(purchase["checkoutUrl"])
        assert shop.buyer.access(course) == ("ACTIVE", source)
        refund = {"transactionId": purchase["transaction"]["id"], "reason": "x", "idempotencyKey": course.slug}
        assert LedgerClient(shop.client, shop.admin.actor).ok("refundTransaction", **refund)["status"] == "REFUNDED"
        assert shop.buyer.access(course) == after_refund


def test_buyer_returns_after_a_grant_has_ended(shop: Shop) -> None:
    """Access was granted while the purchase was pending, and staff cancel the grant after the payment."""
    purchase = shop.buyer.purchase(shop.course)
    enrollment = shop.make.enrollment(shop.buyer_user, shop.course, source=EnrollmentSource.GRANT)
    shop.gateway.settle(purchase["checkoutUrl"])
    shop.instructor.ok("cancelEnrollment", enrollmentId=global_ids.encode("Enrollment", enrollment.id))
    assert shop.buyer.purchase_error(shop.course, idempotencyKey="again") == ("ALREADY_EXISTS", "courseId")
    restored = shop.buyer.ok("enroll", courseId=shop.course.global_id)
    assert (restored["status"], restored["source"]) == ("ACTIVE", "PURCHASE")
