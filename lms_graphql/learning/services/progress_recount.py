"""Recount of progress after a change of the curriculum.

If few are enrolled, progress is recounted in the transaction of the change. Otherwise the course is marked, and
maintenance recounts it, one batch in each transaction. Until then, all counts of a learner are those from before the
change, except that a learner who makes progress is recounted at once. Recounting twice does no harm, and maintenance
runs at the same time share the batches.

Lock order: docs/architecture.md.
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
"""Enrollments that are recounted in the transaction of the change. This takes about 50 ms."""
MAX_INLINE_COMPLETIONS = 10
"""Enrollments that are completed in that transaction. Each takes about ten statements."""
BATCH_SIZE, MAX_COMPLETIONS_PER_BATCH = 200, 25
"""Enrollments that maintenance recounts in one transaction, and how many of them it completes there."""


def recount_after_curriculum_change(session: Session, course_key: int) -> None:
    """Recount the progress in a course, or mark it for maintenance, if its requirements have changed.

    Called in the transaction of the change, with the course locked. Changes of quizzes call it as well: if they are
    published or unpublished, or move to another lecture.
    """
    keys = _enrollment_keys(session, course_key, after=0, limit=MAX_INLINE_ENROLLMENTS + 1)
    if not keys:
        return
    if not _store_requirements(session, course_key, required_items(session, course_key)):
        return
    if len(keys) > MAX_INLINE_ENROLLMENTS:
        _set_recounted_to(session, course_key, 0)
        return
    _set_recounted_to(session, course_key, None)
    pending = _recount(session, course_key, keys)
    if len(pending) > MAX_INLINE_COMPLETIONS:
        _set_recounted_to(session, course_key, 0)
        return
    for completion in pending:
        complete_course(session, course_key, completion.user_key, settings_of(session))


def recount_pending(database: Database, settings: Settings) -> int:
    """Recount all marked courses. Return the number of enrollments."""
    total = 0
    for course_key in database.read_sync(_marked_courses):
        while count := database.write_sync(partial(_recount_batch, course_key=course_key, settings=settings)):
            total += count
    return total


def schedule_recount(session: Session, course_keys: Sequence[int]) -> None:
    """Mark courses, so that maintenance recounts everyone in them."""
    for course_key in course_keys:
        if share_lock_course(session, course_key):
            _store_requirements(session, course_key, required_items(session, course_key))
            _set_recounted_to(session, course_key, 0)


def _recount_batch(session: Session, course_key: int, settings: Settings) -> int:
    """Recount the next batch of a marked course. Return the number of enrollments, or 0 if none is left.

    The course is locked (shared), so it is not marked again before this commits. Runs at the same time lock
    `recounted_to` and run one after the other: two runs that count the same batch would block each other repeatedly.
    """
    if not share_lock_course(session, course_key):
        return 0
    recounted_to = session.scalar(
        select(CourseRequirements.recounted_to).where(_of_course(course_key)).with_for_update()
    )
    if recounted_to is None:
        return 0
    keys = _enrollment_keys(session, course_key, after=recounted_to, limit=BATCH_SIZE)
    pending = _recount(session, course_key, keys)
    for completion in pending[:MAX_COMPLETIONS_PER_BATCH]:
        complete_course(session, course_key, completion.user_key, settings)
    last_key = keys[-1] if len(keys) == BATCH_SIZE else None
    if len(pending) > MAX_COMPLETIONS_PER_BATCH:
        last_key = pending[MAX_COMPLETIONS_PER_BATCH - 1].enrollment_key
    _set_recounted_to(session, course_key, last_key)
    return sum(key <= last_key for key in keys) if last_key is not None else len(keys)


def _recount(session: Session, course_key: int, keys: Sequence[int]) -> Sequence[PendingCompletion]:
    """Recount enrollments. Return those that are to be completed.

    The number of statements does not depend on the number of enrollments.
    """
    if not keys:
        return []
    lock_enrollments(session, keys)
    users = session.scalars(select(Enrollment.user_id).where(Enrollment.id.in_(keys)).order_by(Enrollment.id)).all()
    passed = passed_quizzes_by_user(session, course_key, users)
    # A quiz may have been passed before it was attached to a lecture. It need not be passed again.
    completed = {(user, lecture) for user, quizzes in passed.items() for lecture in quizzes.lectures}
    if completed and complete_lectures(session, completed):
        touch_enrollments(session, keys)
    return pending_completions(session, course_key, refresh_counts(session, course_key, users))


def _enrollment_keys(session: Session, course_key: int, after: int, limit: int) -> Sequence[int]:
    enrollments = select(Enrollment.id).where(Enrollment.course_id == course_key, Enrollment.id > after)
    return session.scalars(enrollments.order_by(Enrollment.id).limit(limit)).all()


def _store_requirements(session: Session, course_key: int, items: RequiredItems) -> bool:
    """Store a hash of the requirements. Return whether they differ from those of the last recount."""
    items_hash = hashlib.sha256(repr((list(items.lectures), list(items.quizzes))).encode()).hexdigest()
    previous = session.scalar(select(CourseRequirements.items_hash).where(_of_course(course_key)))
    if previous == items_hash:
        return False
    if previous is None:
        row = {"course_id": course_key, "items_hash": items_hash}
        session.connection().execute(insert_ignore(CourseRequirements), row)
    else:
        execute_dml(session, update(CourseRequirements).where(_of_course(course_key)).values(items_hash=items_hash))
    return True


def _set_recounted_to(session: Session, course_key: int, enrollment_key: int | None) -> None:
    statement = update(CourseRequirements).where(_of_course(course_key))
    execute_dml(session, statement.values(recounted_to=enrollment_key))


def _marked_courses(session: Session) -> list[int]:
    is_marked = CourseRequirements.recounted_to.is_not(None)
    return list(session.scalars(select(CourseRequirements.course_id).where(is_marked)))


def _of_course(course_key: int) -> ColumnElement[bool]:
    return CourseRequirements.course_id == course_key
