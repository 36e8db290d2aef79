"""Builder of the demo data: categories, users, courses, enrollments, progress, discussions, sales, certificates."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import chain, count, islice
from random import Random
from typing import NamedTuple

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.assessment.models import Quiz, QuizAttempt
from lms_graphql.billing.ledger_models import InstructorCommission
from lms_graphql.billing.models import Transaction
from lms_graphql.catalog.models import Category, Course, Enrollment, Lecture, Section
from lms_graphql.core.actor import Role
from lms_graphql.core.errors import OperatorError
from lms_graphql.core.text import slugify
from lms_graphql.demo import timeline
from lms_graphql.demo.categories import add_categories
from lms_graphql.demo.certificates import add_certificates
from lms_graphql.demo.courses import CourseContext, DemoCourse, add_course
from lms_graphql.demo.discussions import DiscussionBuilder
from lms_graphql.demo.enrollment_plans import EnrollmentPlan, EnrollmentPlanner
from lms_graphql.demo.enrollments import add_enrollment
from lms_graphql.demo.generated_courses import generated_course
from lms_graphql.demo.ledger import LedgerBuilder, SpecialRate
from lms_graphql.demo.outlines import CourseOutline
from lms_graphql.demo.quiz_attempts import AttemptBuilder, Learner
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.sales import SaleBuilder
from lms_graphql.demo.subjects import themes
from lms_graphql.demo.users import add_instructors, add_user, learner_name, unique_name
from lms_graphql.demo.written_courses import written_courses
from lms_graphql.operations.seed_data import CATEGORIES, USERS
from lms_graphql.settings import settings_of

MARKER_SLUG = "python-from-zero"
"""Slug of the first demo course. If a course has it, the demo data exist."""

SEED_ADMIN_EMAIL = "admin@learnwithroko.com"
SEED_INSTRUCTOR_EMAIL = "instructor@learnwithroko.com"
SEED_LEARNER_EMAIL = "learner@learnwithroko.com"
SEED_LEARNER_ABILITY = 0.3
SEED_EMAILS = {user.email for user in USERS}
SEED_CATEGORIES = {slugify(name) for name in CATEGORIES}

SPECIAL_RATE, SPECIAL_RATE_SINCE = Decimal("75.00"), timeline.TODAY - timedelta(days=365)
"""Commission rate of the instructor of `db init`. Earlier sales have the platform's rate."""
REGISTRATION_LEAD = timedelta(days=7)
"""Time from the registration to the first enrollment. In it, the learner may wait for a bank transfer."""

COURSES_OF_FURTHER_LEARNERS = 50
"""Enrollments of a learner who has begun nothing."""
BATCH_SIZE = 25
"""Courses or learners between two writes, which are a few thousand rows."""

ProgressCallback = Callable[[str, int, int], None]
"""Function of a step's name, the number of finished items and their total."""


class DemoCounts(NamedTuple):
    """Number of rows that were added."""

    categories: int
    courses: int
    sections: int
    lectures: int
    learners: int
    enrollments: int
    quizzes: int
    attempts: int
    transactions: int


@dataclass(frozen=True, slots=True)
class Build:
    """Objects that every step of one build needs."""

    session: Session
    rows: RowBuffer
    seed: int
    on_progress: ProgressCallback
    attempts: AttemptBuilder
    discussions: DiscussionBuilder
    ledger: LedgerBuilder
    sales: SaleBuilder
    enrollment_counts: Counter[int]
    """Number of enrollments by the course's key."""

    def rng(self, name: str) -> Random:
        """Return a generator for one item. It depends only on seed and name, so that a larger demo starts equally."""
        return Random(f"{self.seed}/{name}")

    def report(self, step: str, number: int, total: int) -> None:
        """Write the rows and report progress after each batch."""
        if number % BATCH_SIZE == 0 or number == total:
            self.rows.write()
            self.on_progress(step, number, total)


def ignore_progress(step: str, done: int, total: int) -> None:
    """Do nothing: the default callback."""


def build_demo(
    session: Session,
    *,
    courses: int = 30,
    learners: int = 40,
    enrollments: int = 0,
    seed: int = 1,
    on_progress: ProgressCallback = ignore_progress,
) -> DemoCounts:
    """
    Add the demo data in the caller's transaction. `enrollments` are further ones, of learners who have begun nothing.

    Raise OperatorError if the demo data exist already, or if `db init` has not been run.
    """
    if session.scalar(select(Course.id).where(Course.slug == MARKER_SLUG)) is not None:
        raise OperatorError("The demo data exist already. To build them again, run `lms-graphql db reset` first.")
    seed_user_keys, seed_category_keys = _seed_users(session), _seed_categories(session)
    build = _new_build(session, seed, on_progress, seed_user_keys)
    category_keys = add_categories(build.rows, seed_category_keys)
    usernames = set(session.scalars(select(User.username_key)))
    instructor_keys = add_instructors(build.rows, seed_user_keys, usernames)
    build.rows.write()
    planner = EnrollmentPlanner(_add_courses(build, courses, category_keys, instructor_keys))
    _enroll_seed_learner(build, seed_user_keys[SEED_LEARNER_EMAIL], planner)
    _add_learners(build, learners, planner, usernames)
    learners += _add_enrollments(build, enrollments, planner, usernames)
    _write_enrollment_counts(build)
    build.discussions.write_accepted_answers(session)
    add_certificates(session, build.rows, build.rng)
    build.ledger.add(build.rng)
    return _counts(build.rows, learners)


def _counts(rows: RowBuffer, learners: int) -> DemoCounts:
    counts = rows.counts
    return DemoCounts(
        counts[Category],
        counts[Course],
        counts[Section],
        counts[Lecture],
        learners,
        counts[Enrollment],
        counts[Quiz],
        counts[QuizAttempt],
        counts[Transaction],
    )


def _new_build(
    session: Session, seed: int, on_progress: ProgressCallback, seed_user_keys: Mapping[str, int]
) -> Build:
    rows, settings = RowBuffer(session), settings_of(session)
    ledger = LedgerBuilder(rows, settings, _special_rate(session, seed_user_keys[SEED_INSTRUCTOR_EMAIL]))
    return Build(
        session,
        rows,
        seed,
        on_progress,
        AttemptBuilder(rows, settings.attempt_grace_seconds),
        DiscussionBuilder(rows),
        ledger,
        SaleBuilder(rows, settings, ledger, seed_user_keys[SEED_ADMIN_EMAIL]),
        Counter(),
    )


def _seed_users(session: Session) -> dict[str, int]:
    """Return the keys of the users of `db init` by email."""
    users = session.execute(select(User.email_key, User.id).where(User.email_key.in_(SEED_EMAILS)))
    keys = {email: key for email, key in users if email is not None}
    _require_seed_data(keys.keys() >= SEED_EMAILS)
    return keys


def _seed_categories(session: Session) -> dict[str, int]:
    """Return the keys of all categories by slug."""
    keys = dict(session.execute(select(Category.slug, Category.id)).all())
    _require_seed_data(keys.keys() >= SEED_CATEGORIES)
    return keys


def _special_rate(session: Session, instructor_key: int) -> SpecialRate | None:
    """Return the commission rate of the instructor of `db init`; None if a super admin has set one already."""
    is_set = select(InstructorCommission.id).where(InstructorCommission.instructor_id == instructor_key)
    return None if session.scalar(is_set) else SpecialRate(instructor_key, SPECIAL_RATE, SPECIAL_RATE_SINCE)


def _require_seed_data(is_complete: bool) -> None:
    if not is_complete:
        raise OperatorError("The users and categories of the seed data are missing. Run `lms-graphql db init` first.")


def _outlines(build: Build, total: int) -> Iterator[CourseOutline]:
    written = written_courses()
    generated = (
        generated_course(theme, build.rng(f"generated/{number}"))
        for number, theme in zip(count(), themes(build.seed), strict=False)
    )
    return islice(chain(written, generated), total)


def _add_courses(
    build: Build, total: int, category_keys: dict[str, int], instructor_keys: dict[str, int]
) -> Sequence[DemoCourse]:
    slugs = set(build.session.scalars(select(Course.slug)))
    creation_times = set(build.session.scalars(select(Course.created_at)))
    courses = []
    for number, outline in enumerate(_outlines(build, total), start=1):
        rng = build.rng(f"course/{number}")
        context = CourseContext(
            key=build.rows.next_key(Course),
            slug=unique_name(slugify(outline.title), slugs, "-"),
            instructor_key=instructor_keys[outline.instructor],
            category_key=category_keys[outline.category],
            created_at=timeline.new_course_time(rng, creation_times),
        )
        courses.append(add_course(build.rows, outline, context, rng))
        build.report("courses", number, total)
    return courses


def _enroll_seed_learner(build: Build, user_key: int, planner: EnrollmentPlanner) -> None:
    rng = build.rng("jane")
    learner = Learner(user_key, SEED_LEARNER_ABILITY, build.rng("answers/jane"), is_seed_learner=True)
    _enroll(build, learner, planner.plans_of_seed_learner(rng), rng, "jane")
    if (course := planner.unpaid_course_of_seed_learner()) is not None:
        build.sales.add_waiting_transfer(user_key, course, build.rng("transfer/jane"))
    build.rows.write()


def _add_learners(build: Build, total: int, planner: EnrollmentPlanner, usernames: set[str]) -> None:
    for number in range(1, total + 1):
        rng = build.rng(f"learner/{number}")
        name = learner_name(rng, usernames)
        plans = planner.plans(rng)
        enrolled_at = min((plan.enrolled_at for plan in plans), default=timeline.START)
        registered_at = enrolled_at - REGISTRATION_LEAD
        user_key = add_user(build.rows, name, Role.LEARNER, registered_at)
        answer_rng = build.rng(f"answers/{number}")
        learner = Learner(user_key, answer_rng.gauss(0, 1), answer_rng)
        _enroll(build, learner, plans, rng, str(number))
        build.report("learners", number, total)


def _add_enrollments(build: Build, total: int, planner: EnrollmentPlanner, usernames: set[str]) -> int:
    """Add learners who have begun nothing until there are so many enrollments. Return the number of learners."""
    added = learners = 0
    while added < total:
        learners += 1
        rng = build.rng(f"enrollments/{learners}")
        plans = planner.grants(rng, min(COURSES_OF_FURTHER_LEARNERS, total - added))
        assert plans, "the first course is published"
        name = learner_name(rng, usernames)
        user_key = add_user(build.rows, name, Role.LEARNER, timeline.START - REGISTRATION_LEAD)
        for plan in plans:
            add_enrollment(build.rows, build.attempts, build.sales, Learner(user_key, 0.0, rng), plan, rng, rng)
            build.enrollment_counts[plan.course.key] += 1
        added += len(plans)
        if learners % BATCH_SIZE == 0 or added == total:
            build.rows.write()
            build.on_progress("enrollments", added, total)
    return learners


def _enroll(
    build: Build, learner: Learner, plans: Sequence[EnrollmentPlan], progress_rng: Random, learner_name: str
) -> None:
    discussion_rng, sale_rng = build.rng(f"words/{learner_name}"), build.rng(f"sales/{learner_name}")
    for plan in plans:
        viewed = add_enrollment(build.rows, build.attempts, build.sales, learner, plan, progress_rng, sale_rng)
        build.discussions.add_learner(learner.user_key, plan.course, plan.enrolled_at, viewed, discussion_rng)
        build.enrollment_counts[plan.course.key] += 1


def _write_enrollment_counts(build: Build) -> None:
    courses = Course.__table__
    assert isinstance(courses, Table)
    statement = (
        update(courses)
        .where(courses.c.id == bindparam("course"))
        .values(enrollment_count=bindparam("number"), updated_at=courses.c.updated_at)  # an enrollment is no edit
    )
    if build.enrollment_counts:
        rows = [{"course": key, "number": number} for key, number in build.enrollment_counts.items()]
        build.session.connection().execute(statement, rows)
