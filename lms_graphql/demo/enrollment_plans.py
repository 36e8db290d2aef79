"""Plans of demo enrollments: which courses a learner takes, since when, how far, and how they are paid."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from random import Random
from typing import NamedTuple

from lms_graphql.billing.models import PaymentMethod, TransactionStatus
from lms_graphql.catalog.models import EnrollmentSource, EnrollmentStatus
from lms_graphql.demo.courses import DemoCourse
from lms_graphql.demo.timeline import START, TODAY, random_time

MIN_COURSES, MAX_COURSES = 3, 8
LATEST_ENROLLMENT = TODAY - timedelta(days=14)
"""Time of the last enrollment. It leaves learners time to study."""

RECENT = TODAY - timedelta(days=60)
"""Earliest time of an active enrollment of the learner of `db init`."""

STATUSES = (
    EnrollmentStatus.ACTIVE,
    EnrollmentStatus.COMPLETED,
    EnrollmentStatus.CANCELLED,
    EnrollmentStatus.EXPIRED,
)
STATUS_WEIGHTS = (72, 14, 8, 6)
GRANT_PROBABILITY = 0.15


class Refunded(StrEnum):
    """How much of a payment was returned. All but `PARTLY` end the access."""

    PARTLY = "partly"
    FULLY = "fully"
    BY_DISPUTE = "by_dispute"


class Story(NamedTuple):
    """How a course was paid, the status of an attempt to buy it before, and what was refunded later."""

    method: PaymentMethod = PaymentMethod.FAKE
    failed_before: TransactionStatus | None = None
    refunded: Refunded | None = None


class EnrollmentPlan(NamedTuple):
    """
    Enrollment to add. `completed_share` is the share of the course that the learner has done, from 0 to 1. Without a
    story, that of a purchase is drawn.
    """

    course: DemoCourse
    status: EnrollmentStatus
    source: EnrollmentSource
    enrolled_at: datetime
    completed_share: float
    story: Story | None = None


SEED_LEARNER_ENROLLMENTS = (
    (EnrollmentStatus.ACTIVE, 0.45, Story()),
    (EnrollmentStatus.COMPLETED, 1.0, Story()),
    (EnrollmentStatus.ACTIVE, 0.8, Story(failed_before=TransactionStatus.FAILED)),
    (EnrollmentStatus.ACTIVE, 0.1, Story(refunded=Refunded.PARTLY)),
    (EnrollmentStatus.CANCELLED, 0.2, Story(PaymentMethod.BANK_TRANSFER)),
    (EnrollmentStatus.ACTIVE, 0.0, Story()),
    (EnrollmentStatus.ACTIVE, 0.0, Story(failed_before=TransactionStatus.CANCELLED, refunded=Refunded.FULLY)),
)
"""
Status, completed share and story. The learner of `db init` has these enrollments, so that a client can show each
kind. Free courses have no purchase.
"""


class EnrollmentPlanner:
    """Random choice of enrollments in courses that were published. Earlier courses are more popular."""

    def __init__(self, courses: Sequence[DemoCourse]) -> None:
        self._courses = [course for course in courses if course.published_at is not None]
        self._cumulative_weights = list(accumulate((rank + 1) ** -0.8 for rank in range(len(self._courses))))

    def plans(self, rng: Random) -> list[EnrollmentPlan]:
        """Return the enrollments of a random learner."""
        count = rng.randint(MIN_COURSES, MAX_COURSES)
        return [self._random_plan(rng, course) for course in self._choose(rng, count)]

    def grants(self, rng: Random, count: int) -> list[EnrollmentPlan]:
        """Return active enrollments without progress, in so many courses, or in all if there are fewer."""
        return [
            _plan(rng, course, EnrollmentStatus.ACTIVE, 0.0)._replace(source=EnrollmentSource.GRANT)
            for course in self._choose(rng, count)
        ]

    def plans_of_seed_learner(self, rng: Random) -> list[EnrollmentPlan]:
        """
        Return the enrollments of the learner of `db init`. The active ones are recent, so that open attempts and
        essays without a grade are recent as well.
        """
        return [
            _plan(rng, course, status, share, story, RECENT if status is EnrollmentStatus.ACTIVE else START)
            for course, (status, share, story) in zip(self._courses, SEED_LEARNER_ENROLLMENTS, strict=False)
        ]

    def unpaid_course_of_seed_learner(self) -> DemoCourse | None:
        """Return a course for which the learner of `db init` has not paid yet. The one before it is left to buy."""
        return next(
            (course for course in self._courses[len(SEED_LEARNER_ENROLLMENTS) + 1 :] if not course.is_free), None
        )

    def _choose(self, rng: Random, count: int) -> Iterable[DemoCourse]:
        """Return so many courses, or all if there are fewer."""
        chosen: dict[int, DemoCourse] = {}
        while len(chosen) < min(count, len(self._courses)):
            course = rng.choices(self._courses, cum_weights=self._cumulative_weights)[0]
            chosen[course.key] = course
        return chosen.values()

    def _random_plan(self, rng: Random, course: DemoCourse) -> EnrollmentPlan:
        status = rng.choices(STATUSES, STATUS_WEIGHTS)[0]
        if status is EnrollmentStatus.EXPIRED and course.is_free:
            status = EnrollmentStatus.ACTIVE  # only granted access expires
        completed_share = 1.0 if status is EnrollmentStatus.COMPLETED else max(0.0, rng.uniform(-0.1, 0.95))
        return _plan(rng, course, status, completed_share)


def _plan(
    rng: Random,
    course: DemoCourse,
    status: EnrollmentStatus,
    completed_share: float,
    story: Story | None = None,
    earliest: datetime = START,
) -> EnrollmentPlan:
    """Return a plan with a random time. Without a story, some of the paid courses are granted instead of bought."""
    source = EnrollmentSource.PURCHASE
    if course.is_free:
        source = EnrollmentSource.FREE
    elif status is EnrollmentStatus.EXPIRED or (rng.random() < GRANT_PROBABILITY and story is None):
        source = EnrollmentSource.GRANT
    assert course.published_at is not None
    earliest = max(earliest, course.published_at + timedelta(hours=1))
    enrolled_at = random_time(rng, earliest, LATEST_ENROLLMENT)
    return EnrollmentPlan(course, status, source, enrolled_at, completed_share, story)
