"""Demo enrollments: which courses a learner takes, since when, and how far the learner has come."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple

from lms_graphql.catalog.models import Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.demo.courses import DemoCourse
from lms_graphql.demo.lecture_progress import ProgressBuilder, ViewedLecture
from lms_graphql.demo.quiz_attempts import AttemptBuilder, Learner
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import START, TODAY, random_time

MIN_COURSES, MAX_COURSES = 3, 8
LATEST_ENROLLMENT = TODAY - timedelta(days=14)
"""Time of the last enrollment. It leaves learners time to study."""

RECENT = TODAY - timedelta(days=60)
"""Earliest time of an active enrollment of the learner of `db init`."""

EXPIRY_DELAY = timedelta(hours=1)
"""Time from the last access to the expiry of an expired enrollment."""

STATUSES = (
    EnrollmentStatus.ACTIVE,
    EnrollmentStatus.COMPLETED,
    EnrollmentStatus.CANCELLED,
    EnrollmentStatus.EXPIRED,
)
STATUS_WEIGHTS = (72, 14, 8, 6)

SEED_LEARNER_ENROLLMENTS = (
    (EnrollmentStatus.ACTIVE, 0.45),
    (EnrollmentStatus.COMPLETED, 1.0),
    (EnrollmentStatus.ACTIVE, 0.8),
    (EnrollmentStatus.ACTIVE, 0.1),
    (EnrollmentStatus.CANCELLED, 0.2),
    (EnrollmentStatus.ACTIVE, 0.0),
)
"""Status and completed share. The learner of `db init` has these enrollments, so that a client can show each kind."""


class EnrollmentPlan(NamedTuple):
    """Enrollment to add. `completed_share` is the share of the course that the learner has done, from 0 to 1."""

    course: DemoCourse
    status: EnrollmentStatus
    source: EnrollmentSource
    enrolled_at: datetime
    completed_share: float


class EnrollmentPlanner:
    """Random choice of enrollments in courses that were published. Earlier courses are more popular."""

    def __init__(self, courses: Sequence[DemoCourse]) -> None:
        self._courses = [course for course in courses if course.published_at is not None]
        self._cumulative_weights = list(accumulate((rank + 1) ** -0.8 for rank in range(len(self._courses))))

    def plans(self, rng: Random) -> list[EnrollmentPlan]:
        """Return the enrollments of a random learner."""
        count = min(rng.randint(MIN_COURSES, MAX_COURSES), len(self._courses))
        chosen: dict[int, DemoCourse] = {}
        while len(chosen) < count:
            course = rng.choices(self._courses, cum_weights=self._cumulative_weights)[0]
            chosen[course.key] = course
        return [self._random_plan(rng, course) for course in chosen.values()]

    def plans_of_seed_learner(self, rng: Random) -> list[EnrollmentPlan]:
        """
        Return the enrollments of the learner of `db init`. The active ones are recent, so that open attempts and
        essays without a grade are recent as well.
        """
        return [
            _plan(rng, course, status, completed_share, RECENT if status is EnrollmentStatus.ACTIVE else START)
            for course, (status, completed_share) in zip(self._courses, SEED_LEARNER_ENROLLMENTS, strict=False)
        ]

    def _random_plan(self, rng: Random, course: DemoCourse) -> EnrollmentPlan:
        status = rng.choices(STATUSES, STATUS_WEIGHTS)[0]
        if status is EnrollmentStatus.EXPIRED and course.is_free:
            status = EnrollmentStatus.ACTIVE  # only granted access expires
        completed_share = 1.0 if status is EnrollmentStatus.COMPLETED else max(0.0, rng.uniform(-0.1, 0.95))
        return _plan(rng, course, status, completed_share)


def _plan(
    rng: Random, course: DemoCourse, status: EnrollmentStatus, completed_share: float, earliest: datetime = START
) -> EnrollmentPlan:
    source = EnrollmentSource.PURCHASE
    if course.is_free:
        source = EnrollmentSource.FREE
    elif status is EnrollmentStatus.EXPIRED or rng.random() < 0.15:
        source = EnrollmentSource.GRANT
    assert course.published_at is not None
    earliest = max(earliest, course.published_at + timedelta(hours=1))
    enrolled_at = random_time(rng, earliest, LATEST_ENROLLMENT)
    return EnrollmentPlan(course, status, source, enrolled_at, completed_share)


def add_enrollment(
    rows: RowBuffer, attempts: AttemptBuilder, learner: Learner, plan: EnrollmentPlan, rng: Random
) -> list[ViewedLecture]:
    """Add an enrollment with its progress. Return the lectures that the learner has viewed."""
    progress = ProgressBuilder(rows, attempts, learner, plan.course)
    progress.add(plan.enrolled_at, plan.completed_share, rng)
    last_accessed = progress.last_change
    last_active = last_accessed or plan.enrolled_at
    rows.add(
        Enrollment,
        id=rows.next_key(Enrollment),
        created_at=plan.enrolled_at,
        updated_at=last_active,
        user_id=learner.user_key,
        course_id=plan.course.key,
        status=plan.status,
        source=plan.source,
        enrolled_at=plan.enrolled_at,
        completed_at=last_accessed if plan.status is EnrollmentStatus.COMPLETED else None,
        last_accessed=last_accessed,
        access_expires_at=last_active + EXPIRY_DELAY if plan.status is EnrollmentStatus.EXPIRED else None,
    )
    return progress.viewed
