"""
The curriculum has changed: everybody's progress in the course is counted anew.

Few are counted in the transaction of the change. For many the course is marked, and the sweep counts them, a portion
in each transaction; until then their progress is what it was before the change, as a whole, and whoever gets on in
the meantime is counted at once. Counting again does no harm, and sweeps that come at once share the portions.
"""

import hashlib
from collections.abc import Sequence
from functools import partial

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Enrollment
from lms_graphql.core.database import Database
from lms_graphql.core.statements import execute_dml, insert_ignore
from lms_graphql.learning.models import CourseRequirements
from lms_graphql.learning.services.completion import PendingCompletion, complete_course, pending_completions
from lms_graphql.learning.services.progress_counters import passed_quizzes_by_user, refresh_counts
from lms_graphql.learning.services.progress_locks import lock_enrollments, share_lock_course, touch_enrollments
from lms_graphql.learning.services.quiz_results import complete_lectures
from lms_graphql.learning.services.requirements import RequiredItems, required_items
from lms_graphql.settings import Settings, settings_of

MAX_INLINE_ENROLLMENTS = 200
"""Enrollments that are counted with the change. It takes some 50 ms."""
MAX_INLINE_COMPLETIONS = 10
"""Of them: a completion takes some ten statements."""
BATCH_SIZE, MAX_COMPLETIONS_PER_BATCH = 200, 25
"""Enrollments that are counted in one transaction of the sweep, and how many of them are completed there."""


def curriculum_changed(session: Session, course_key: int) -> None:
    """
    Called in the transaction of the change, with the course locked; also where quizzes are published, taken back or
    hung somewhere else. Nothing is counted where the same is required as before.
    """
    keys = _enrollments(session, course_key, after=0, most=MAX_INLINE_ENROLLMENTS + 1)
    if not keys:
        return
    things = required_items(session, course_key)
    if not _is_new(session, course_key, things):
        return
    if len(keys) > MAX_INLINE_ENROLLMENTS:
        _mark(session, course_key, 0)
        return
    _mark(session, course_key, None)
    to_complete = _recount(session, course_key, keys)
    if len(to_complete) > MAX_INLINE_COMPLETIONS:
        _mark(session, course_key, 0)
        return
    for each in to_complete:
        complete_course(session, course_key, each.user_key, settings_of(session))


def recount_pending(database: Database, settings: Settings) -> int:
    """What the sweep does: every course that is marked, to the end. How many enrollments that were."""
    number = 0
    for course_key in database.read_sync(_marked):
        while portion := database.write_sync(partial(_next_portion, course_key=course_key, settings=settings)):
            number += portion
    return number


def schedule_recount(session: Session, course_keys: Sequence[int]) -> None:
    """The sweep is to count everybody in these courses anew."""
    for course_key in course_keys:
        if share_lock_course(session, course_key):
            _is_new(session, course_key, required_items(session, course_key))
            _mark(session, course_key, 0)


def _next_portion(session: Session, course_key: int, settings: Settings) -> int:
    """
    0 where nothing is left. The course is shared, so it is not marked again until this is committed. Sweeps take
    turns by locking how far they are: two that counted the same portion would be in each other's way time and again.
    Only they lock it ahead of the enrollments.
    """
    if not share_lock_course(session, course_key):
        return 0
    reached = session.scalar(select(CourseRequirements.recounted_to).where(_of(course_key)).with_for_update())
    if reached is None:
        return 0
    keys = _enrollments(session, course_key, after=reached, most=BATCH_SIZE)
    to_complete = _recount(session, course_key, keys)
    for each in to_complete[:MAX_COMPLETIONS_PER_BATCH]:
        complete_course(session, course_key, each.user_key, settings)
    until = keys[-1] if len(keys) == BATCH_SIZE else None
    if len(to_complete) > MAX_COMPLETIONS_PER_BATCH:
        until = to_complete[MAX_COMPLETIONS_PER_BATCH - 1].enrollment_key
    _mark(session, course_key, until)
    return sum(key <= until for key in keys) if until is not None else len(keys)


def _recount(session: Session, course_key: int, keys: Sequence[int]) -> Sequence[PendingCompletion]:
    """In as many statements for many as for one. The people who are about to complete the course by it."""
    if not keys:
        return []
    lock_enrollments(session, keys)
    users = session.scalars(select(Enrollment.user_id).where(Enrollment.id.in_(keys)).order_by(Enrollment.id)).all()
    passed = passed_quizzes_by_user(session, course_key, users)
    # A quiz that they passed before it was hung on a lecture: nobody has to pass it again.
    done = {(user, lecture) for user, each in passed.items() for lecture in each.lectures}
    if done and complete_lectures(session, done):
        touch_enrollments(session, keys)
    return pending_completions(session, course_key, refresh_counts(session, course_key, users))


def _enrollments(session: Session, course_key: int, after: int, most: int) -> Sequence[int]:
    there = select(Enrollment.id).where(Enrollment.course_id == course_key, Enrollment.id > after)
    return session.scalars(there.order_by(Enrollment.id).limit(most)).all()


def _is_new(session: Session, course_key: int, things: RequiredItems) -> bool:
    """Whether something else is required than when it was last counted; it is noted."""
    now = hashlib.sha256(repr((list(things.lectures), list(things.quizzes))).encode()).hexdigest()
    before = session.scalar(select(CourseRequirements.items_hash).where(_of(course_key)))
    if before == now:
        return False
    if before is None:
        row = {"course_id": course_key, "items_hash": now}
        session.connection().execute(insert_ignore(CourseRequirements), row)
    else:
        execute_dml(session, update(CourseRequirements).where(_of(course_key)).values(items_hash=now))
    return True


def _mark(session: Session, course_key: int, reached: int | None) -> None:
    execute_dml(session, update(CourseRequirements).where(_of(course_key)).values(recounted_to=reached))


def _marked(session: Session) -> list[int]:
    there = CourseRequirements.recounted_to.is_not(None)
    return list(session.scalars(select(CourseRequirements.course_id).where(there)))


def _of(course_key: int) -> ColumnElement[bool]:
    return CourseRequirements.course_id == course_key
