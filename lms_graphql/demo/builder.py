"""Builds the demo: categories, people, courses, and who has learned what of them."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from random import Random
from typing import NamedTuple

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Category, Course, Enrollment, Lecture, Section
from lms_graphql.core.actor import Role
from lms_graphql.core.errors import OperatorError
from lms_graphql.core.text import slugify
from lms_graphql.demo import timeline
from lms_graphql.demo.categories import place_categories
from lms_graphql.demo.certificates import add_certificates
from lms_graphql.demo.courses import CourseContext, PlacedCourse, add_course
from lms_graphql.demo.discussions import DiscussionBuilder
from lms_graphql.demo.enrollments import EnrollmentPlan, EnrollmentPlanner, place_enrollment
from lms_graphql.demo.generated_courses import generated_course
from lms_graphql.demo.outlines import CourseOutline
from lms_graphql.demo.people import free_name, learner_name, place_instructors, place_person
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.subjects import themes
from lms_graphql.demo.written_courses import written_courses
from lms_graphql.operations.seed_data import CATEGORIES, USERS

MARKER_SLUG = "python-from-zero"
"""Where a course of this slug is, the demo is there."""

JANE = "learner@learnwithroko.com"
SEED_EMAILS = {user.email for user in USERS}
SEED_CATEGORIES = {slugify(name) for name in CATEGORIES}

BATCH_SIZE = 25
"""Courses or learners between two writes: a few thousand rows."""

ProgressCallback = Callable[[str, int, int], None]


class DemoCounts(NamedTuple):
    """What was added."""

    categories: int
    courses: int
    sections: int
    lectures: int
    learners: int
    enrollments: int


@dataclass(frozen=True, slots=True)
class Build:
    """What every step of one build needs."""

    session: Session
    rows: RowBuffer
    seed: int
    told: ProgressCallback
    talk: DiscussionBuilder

    def rng(self, what: str) -> Random:
        """Of its own for each thing, so that a larger demo begins with the same things."""
        return Random(f"{self.seed}/{what}")

    def done(self, what: str, number: int, total: int) -> None:
        if number % BATCH_SIZE == 0 or number == total:
            self.rows.write()
            self.told(what, number, total)


def no_progress(what: str, done: int, total: int) -> None:
    """For who does not want to be told."""


def build_demo(
    session: Session, *, courses: int = 30, learners: int = 40, seed: int = 1, told: ProgressCallback = no_progress
) -> DemoCounts:
    """In the caller's transaction. OperatorError where the demo is there already, or `db init` has not run."""
    if session.scalar(select(Course.id).where(Course.slug == MARKER_SLUG)) is not None:
        raise OperatorError("The demo data are already there.")
    people, categories = _seed_people(session), _seed_categories(session)
    rows = RowBuffer(session)
    build = Build(session, rows, seed, told, DiscussionBuilder(rows))
    category_ids = place_categories(build.rows, categories)
    usernames = set(session.scalars(select(User.username_key)))
    instructor_ids = place_instructors(build.rows, people, usernames)
    build.rows.write()
    offer = EnrollmentPlanner(_place_courses(build, courses, category_ids, instructor_ids))
    enrolled: Counter[int] = Counter()
    _enroll_jane(build, people[JANE], offer, enrolled)
    _place_learners(build, learners, offer, usernames, enrolled)
    _count_enrollments(session, enrolled)
    build.talk.accept(session)
    add_certificates(session, build.rows, build.rng)
    counts = build.rows.counts
    return DemoCounts(
        counts[Category], counts[Course], counts[Section], counts[Lecture], learners, counts[Enrollment]
    )


def _seed_people(session: Session) -> dict[str, int]:
    found = session.execute(select(User.email_key, User.id).where(User.email_key.in_(SEED_EMAILS)))
    ids = {email: key for email, key in found if email is not None}
    _demand(ids.keys() >= SEED_EMAILS)
    return ids


def _seed_categories(session: Session) -> dict[str, int]:
    ids = dict(session.execute(select(Category.slug, Category.id)).all())
    _demand(ids.keys() >= SEED_CATEGORIES)
    return ids


def _demand(is_there: bool) -> None:
    if not is_there:
        raise OperatorError("The first users and categories are missing. Run `lms-graphql db init` first.")


def _outlines(build: Build, total: int) -> Iterator[CourseOutline]:
    written = written_courses()
    generated = (
        generated_course(theme, build.rng(f"generated/{number}"))
        for number, theme in zip(count(), themes(build.seed), strict=False)
    )
    return islice(chain(written, generated), total)


def _place_courses(
    build: Build, total: int, category_ids: dict[str, int], instructor_ids: dict[str, int]
) -> Sequence[PlacedCourse]:
    slugs = set(build.session.scalars(select(Course.slug)))
    taken = set(build.session.scalars(select(Course.created_at)))
    placed = []
    for number, outline in enumerate(_outlines(build, total), start=1):
        rng = build.rng(f"course/{number}")
        place = CourseContext(
            id=build.rows.key(Course),
            slug=free_name(slugify(outline.title), slugs, "-"),
            instructor_id=instructor_ids[outline.instructor],
            category_id=category_ids[outline.category],
            made_at=timeline.of_a_new_course(rng, taken),
        )
        placed.append(add_course(build.rows, outline, place, rng))
        build.done("courses", number, total)
    return placed


def _enroll_jane(build: Build, user_id: int, offer: EnrollmentPlanner, enrolled: Counter[int]) -> None:
    rng = build.rng("jane")
    _enroll(build, user_id, offer.plans_of_jane(rng), (rng, build.rng("words/jane")), enrolled)
    build.rows.write()


def _place_learners(
    build: Build, total: int, offer: EnrollmentPlanner, usernames: set[str], enrolled: Counter[int]
) -> None:
    for number in range(1, total + 1):
        rng = build.rng(f"learner/{number}")
        name = learner_name(rng, usernames)
        plans = offer.plans(rng)
        came_at = min((plan.enrolled_at for plan in plans), default=timeline.FIRST)
        key = place_person(build.rows, name, Role.LEARNER, came_at)
        _enroll(build, key, plans, (rng, build.rng(f"words/{number}")), enrolled)
        build.done("learners", number, total)


def _enroll(
    build: Build, user_id: int, plans: Sequence[EnrollmentPlan], rngs: tuple[Random, Random], enrolled: Counter[int]
) -> None:
    """`rngs`: for what they do, and for what they say. `enrolled` counts by the courses' keys."""
    for_studies, for_words = rngs
    for plan in plans:
        studies = place_enrollment(build.rows, user_id, plan, for_studies)
        build.talk.place(user_id, plan.course, plan.enrolled_at, studies, for_words)
        enrolled[plan.course.id] += 1


def _count_enrollments(session: Session, enrolled: Counter[int]) -> None:
    courses = Course.__table__
    assert isinstance(courses, Table)
    statement = (
        update(courses)
        .where(courses.c.id == bindparam("course"))
        .values(enrollment_count=bindparam("number"), updated_at=courses.c.updated_at)  # no edit of the course
    )
    if enrolled:
        rows = [{"course": key, "number": number} for key, number in enrolled.items()]
        session.connection().execute(statement, rows)
