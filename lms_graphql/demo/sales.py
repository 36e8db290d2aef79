"""Demo sales: the purchase behind each paid enrollment, what went wrong before, and what was refunded later."""

from datetime import datetime, timedelta
from random import Random

from lms_graphql.billing.models import PaymentMethod, RefundKind, TransactionStatus
from lms_graphql.catalog.models import EnrollmentStatus
from lms_graphql.demo.courses import DemoCourse
from lms_graphql.demo.enrollment_plans import EnrollmentPlan, Refunded, Story
from lms_graphql.demo.lecture_progress import ProgressBuilder
from lms_graphql.demo.ledger import LedgerBuilder, MoneyEvent
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import TODAY
from lms_graphql.demo.transactions import DemoRefund, DemoTransaction
from lms_graphql.settings import Settings

TRANSFER_PROBABILITY = 0.15
DECLINED_PROBABILITY, CANCELLED_PROBABILITY = 0.06, 0.04
"""Probabilities that the buyer has tried before, and that the payment was declined, or the purchase cancelled."""
EARLY_REFUND_PROBABILITY, LATE_REFUND_PROBABILITY = 0.3, 0.03
"""Probabilities that a learner who has done little gets a full refund, within the time for learners and later."""
PART_PROBABILITY = 0.05
DISPUTE_AGE = timedelta(days=180)
"""Age of the sale that is disputed. Its earning is in a payout by then."""
DISPUTE_DELAY, DISPUTE_TIME = timedelta(days=100), timedelta(days=12)
"""Time from the sale to the dispute, and from there to its decision."""

MIN_AGE = timedelta(minutes=40)
"""Time from the publication of a course to its first purchase."""

LEARNER_REASONS = (
    "The course is not what I expected.",
    "I have no time for it this year.",
    "It is too easy for me.",
    "I bought the wrong course.",
)
ADMIN_REASONS = ("The learner fell ill.", "Agreed with the learner by mail.", "A company pays for the course now.")
PART_REASONS = ("The last section was published late.", "Some videos had no sound for a week.")


class SaleBuilder:
    """Builder of the transactions of all enrollments, and of the events from which the ledger is made."""

    def __init__(self, rows: RowBuffer, settings: Settings, ledger: LedgerBuilder, admin_key: int) -> None:
        self._rows = rows
        self._settings = settings
        self._ledger = ledger
        self._admin_key = admin_key
        self._has_dispute = False

    def add_sale(
        self, buyer_key: int, plan: EnrollmentPlan, progress: ProgressBuilder, rng: Random
    ) -> datetime | None:
        """Add the purchase of a course. Return when a full refund ended the access; None if there was none."""
        story = plan.story or self._draw_story(plan, progress, rng)
        started_at = _start_time(plan, story.method, rng)
        if story.failed_before is not None:
            self._add_failed(buyer_key, plan.course, story.failed_before, started_at, rng)
        sale = self._start(buyer_key, plan.course, story.method, started_at, rng)
        sale.pay(plan.enrolled_at)
        self._ledger.add_event(plan.course, MoneyEvent(plan.enrolled_at, sale.key, plan.course.price.units))
        refunded_at = self._refund(sale, buyer_key, plan, story.refunded, progress, rng)
        sale.add()
        return refunded_at if story.refunded in (Refunded.FULLY, Refunded.BY_DISPUTE) else None

    def add_waiting_transfer(self, buyer_key: int, course: DemoCourse, rng: Random) -> None:
        """Add a purchase whose bank transfer has not arrived. It never expires."""
        started_at = TODAY - timedelta(seconds=rng.randrange(3600, 24 * 3600))
        sale = self._start(buyer_key, course, PaymentMethod.BANK_TRANSFER, started_at, rng)
        sale.remove_expiry()
        sale.add()

    def _start(
        self, buyer_key: int, course: DemoCourse, method: PaymentMethod, started_at: datetime, rng: Random
    ) -> DemoTransaction:
        return DemoTransaction(self._rows, self._settings, rng, buyer_key, course, method, started_at)

    def _add_failed(
        self, buyer_key: int, course: DemoCourse, status: TransactionStatus, before: datetime, rng: Random
    ) -> None:
        """Add a purchase that was declined or cancelled some minutes before the next one."""
        ended_at = before - timedelta(seconds=rng.randint(30, 600))
        started_at = ended_at - timedelta(seconds=rng.randint(40, 600))
        sale = self._start(buyer_key, course, PaymentMethod.FAKE, started_at, rng)
        if status is TransactionStatus.FAILED:
            sale.decline(ended_at)
        else:
            sale.cancel(ended_at)
        sale.add()

    def _draw_story(self, plan: EnrollmentPlan, progress: ProgressBuilder, rng: Random) -> Story:
        is_transfer, number = rng.random() < TRANSFER_PROBABILITY, rng.random()
        method, failed_before = PaymentMethod.BANK_TRANSFER if is_transfer else PaymentMethod.FAKE, None
        if number < DECLINED_PROBABILITY:
            failed_before = TransactionStatus.FAILED
        elif number < DECLINED_PROBABILITY + CANCELLED_PROBABILITY:
            failed_before = TransactionStatus.CANCELLED
        refunded = self._draw_refund(plan, progress, rng)
        return Story(PaymentMethod.FAKE if refunded is Refunded.BY_DISPUTE else method, failed_before, refunded)

    def _draw_refund(self, plan: EnrollmentPlan, progress: ProgressBuilder, rng: Random) -> Refunded | None:
        number, last_change = rng.random(), progress.last_change or plan.enrolled_at
        if plan.status is not EnrollmentStatus.ACTIVE or last_change > TODAY - timedelta(days=3):
            return None
        if not self._has_dispute and _may_be_disputed(plan, last_change):
            self._has_dispute = True
            return Refunded.BY_DISPUTE
        is_early = self._may_learner_refund(plan, progress, last_change + timedelta(days=2))
        if number < (EARLY_REFUND_PROBABILITY if is_early else LATE_REFUND_PROBABILITY):
            return Refunded.FULLY
        return Refunded.PARTLY if number > 1 - PART_PROBABILITY else None

    def _may_learner_refund(self, plan: EnrollmentPlan, progress: ProgressBuilder, refunded_at: datetime) -> bool:
        """Return whether learners may refund this sale themselves. It is refunded once, and has no certificate."""
        is_in_time = refunded_at <= plan.enrolled_at + timedelta(days=self._settings.refund_days)
        return is_in_time and progress.percent < self._settings.refund_max_progress

    def _refund(
        self,
        sale: DemoTransaction,
        buyer_key: int,
        plan: EnrollmentPlan,
        refunded: Refunded | None,
        progress: ProgressBuilder,
        rng: Random,
    ) -> datetime | None:
        """Refund a sale if its story says so. Return when."""
        price, last_change = plan.course.price.units, progress.last_change or plan.enrolled_at
        requested_at = last_change + timedelta(seconds=rng.randint(3600, 2 * 24 * 3600))
        if refunded is None:
            return None
        if refunded is Refunded.BY_DISPUTE:
            opened_at = max(requested_at, plan.enrolled_at + DISPUTE_DELAY)
            time, units = opened_at + DISPUTE_TIME, price
            refund_key = sale.lose_dispute(opened_at, time)
        else:
            is_full = refunded is Refunded.FULLY
            is_learner = is_full and self._may_learner_refund(plan, progress, requested_at)
            kind = RefundKind.LEARNER if is_learner else RefundKind.ADMIN
            reasons = LEARNER_REASONS if is_learner else ADMIN_REASONS if is_full else PART_REASONS
            actor_key = buyer_key if is_learner else self._admin_key
            time, units = requested_at + timedelta(seconds=1), price if is_full else price * 3 // 10
            refund_key = sale.refund(DemoRefund(kind, units, rng.choice(reasons), actor_key, requested_at, time))
        self._ledger.add_event(plan.course, MoneyEvent(time, sale.key, units, refund_key))
        return time


def _start_time(plan: EnrollmentPlan, method: PaymentMethod, rng: Random) -> datetime:
    """Return when the purchase began: minutes before the payment, or days before a transfer arrived."""
    minutes, days = timedelta(seconds=rng.randint(50, 900)), timedelta(seconds=rng.randint(24 * 3600, 4 * 24 * 3600))
    assert plan.course.published_at is not None
    is_transfer = method is PaymentMethod.BANK_TRANSFER
    return max(plan.enrolled_at - (days if is_transfer else minutes), plan.course.published_at + MIN_AGE)


def _may_be_disputed(plan: EnrollmentPlan, last_change: datetime) -> bool:
    return max(plan.enrolled_at, last_change) < TODAY - DISPUTE_AGE
