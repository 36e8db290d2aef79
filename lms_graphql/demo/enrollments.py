"""Who learns what, since when, and how far they have come."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple

from lms_graphql.catalog.models import Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.demo.courses import PlacedCourse
from lms_graphql.demo.lecture_progress import CourseTotals, add_progress
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import TODAY, between

FEWEST, MOST = 3, 8
NEWEST = TODAY - timedelta(days=14)
"""Nobody enrolled later: it leaves time to study."""

GRACE = timedelta(hours=1)
"""After someone was last there, an access that has run out ran out."""

STATUSES = (
    EnrollmentStatus.ACTIVE,
    EnrollmentStatus.COMPLETED,
    EnrollmentStatus.CANCELLED,
    EnrollmentStatus.EXPIRED,
)
STATUS_WEIGHTS = (72, 14, 8, 6)

OF_JANE = (
    (EnrollmentStatus.ACTIVE, 0.45),
    (EnrollmentStatus.COMPLETED, 1.0),
    (EnrollmentStatus.ACTIVE, 0.8),
    (EnrollmentStatus.ACTIVE, 0.1),
    (EnrollmentStatus.CANCELLED, 0.2),
    (EnrollmentStatus.ACTIVE, 0.0),
)
"""The learner of `db init` shows what a list of courses may look like."""


class EnrollmentPlan(NamedTuple):
    """`part` is how much of the course someone has done, from 0 to 1."""

    course: PlacedCourse
    status: EnrollmentStatus
    source: EnrollmentSource
    enrolled_at: datetime
    part: float


class EnrollmentPlanner:
    """The courses that someone can have enrolled in: the earlier ones are the better known."""

    def __init__(self, courses: Sequence[PlacedCourse]) -> None:
        self._courses = [course for course in courses if course.published_at is not None]
        self._popularity = list(accumulate((place + 5) ** -0.6 for place in range(len(self._courses))))

    def plans(self, rng: Random) -> list[EnrollmentPlan]:
        wanted = min(rng.randint(FEWEST, MOST), len(self._courses))
        chosen: dict[int, PlacedCourse] = {}
        while len(chosen) < wanted:
            course = rng.choices(self._courses, cum_weights=self._popularity)[0]
            chosen[course.id] = course
        return [self._plan(rng, course) for course in chosen.values()]

    def plans_of_jane(self, rng: Random) -> list[EnrollmentPlan]:
        return [
            _planned(rng, course, status, part)
            for course, (status, part) in zip(self._courses, OF_JANE, strict=False)
        ]

    def _plan(self, rng: Random, course: PlacedCourse) -> EnrollmentPlan:
        status = rng.choices(STATUSES, STATUS_WEIGHTS)[0]
        if status is EnrollmentStatus.EXPIRED and course.is_free:
            status = EnrollmentStatus.ACTIVE  # only what was granted for a time runs out
        part = 1.0 if status is EnrollmentStatus.COMPLETED else max(0.0, rng.uniform(-0.1, 0.95))
        return _planned(rng, course, status, part)


def _planned(rng: Random, course: PlacedCourse, status: EnrollmentStatus, part: float) -> EnrollmentPlan:
    source = EnrollmentSource.PURCHASE
    if course.is_free:
        source = EnrollmentSource.FREE
    elif status is EnrollmentStatus.EXPIRED or rng.random() < 0.15:
        source = EnrollmentSource.GRANT
    assert course.published_at is not None
    return EnrollmentPlan(
        course, status, source, between(rng, course.published_at + timedelta(hours=1), NEWEST), part
    )


def place_enrollment(rows: RowBuffer, user_id: int, plan: EnrollmentPlan, rng: Random) -> list[CourseTotals]:
    """What they have studied so far."""
    studies = add_progress(rows, user_id, plan.course, plan.enrolled_at, plan.part, rng)
    studied_at = studies[-1].seen_at if studies else None
    seen_at = studied_at or plan.enrolled_at
    rows.add(
        Enrollment,
        id=rows.key(Enrollment),
        created_at=plan.enrolled_at,
        updated_at=seen_at,
        user_id=user_id,
        course_id=plan.course.id,
        status=plan.status,
        source=plan.source,
        enrolled_at=plan.enrolled_at,
        completed_at=studied_at if plan.status is EnrollmentStatus.COMPLETED else None,
        last_accessed=studied_at,
        access_expires_at=seen_at + GRACE if plan.status is EnrollmentStatus.EXPIRED else None,
    )
    return studies
