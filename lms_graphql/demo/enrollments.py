"""Rows of demo enrollments, with their progress and their purchase."""

from datetime import timedelta
from random import Random

from lms_graphql.catalog.models import Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.demo.enrollment_plans import EnrollmentPlan
from lms_graphql.demo.lecture_progress import ProgressBuilder, ViewedLecture
from lms_graphql.demo.quiz_attempts import AttemptBuilder, Learner
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.sales import SaleBuilder

EXPIRY_DELAY = timedelta(hours=1)
"""Time from the last access to the expiry of an expired enrollment."""


def add_enrollment(
    rows: RowBuffer,
    attempts: AttemptBuilder,
    sales: SaleBuilder,
    learner: Learner,
    plan: EnrollmentPlan,
    progress_rng: Random,
    sale_rng: Random,
) -> list[ViewedLecture]:
    """Add an enrollment with its progress and its purchase. Return the lectures that the learner has viewed."""
    progress = ProgressBuilder(rows, attempts, learner, plan.course)
    progress.add(plan.enrolled_at, plan.completed_share, progress_rng)
    refunded_at = None
    if plan.source is EnrollmentSource.PURCHASE:
        refunded_at = sales.add_sale(learner.user_key, plan, progress, sale_rng)
    last_accessed = progress.last_change
    last_active = last_accessed or plan.enrolled_at
    rows.add(
        Enrollment,
        id=rows.next_key(Enrollment),
        created_at=plan.enrolled_at,
        updated_at=refunded_at or last_active,
        user_id=learner.user_key,
        course_id=plan.course.key,
        status=plan.status if refunded_at is None else EnrollmentStatus.REFUNDED,
        source=plan.source,
        enrolled_at=plan.enrolled_at,
        completed_at=last_accessed if plan.status is EnrollmentStatus.COMPLETED else None,
        last_accessed=last_accessed,
        progress_hundredths=int(progress.percent.scaleb(2)),
        access_expires_at=last_active + EXPIRY_DELAY if plan.status is EnrollmentStatus.EXPIRED else None,
    )
    return progress.viewed
