"""Progress counters of a course: counted from lecture progress and passed quizzes, and stored in `CourseProgress`.

Writers have locked the enrollments of the learners before; see `learning/services/progress_locks.py`. Counting uses
SELECT, because a counting UPDATE would lock the rows that it reads and the gaps where other transactions insert.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, bindparam, case, cast, func, insert, select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Enrollment, Lecture
from lms_graphql.core import clock
from lms_graphql.core.statements import KEYS, execute_dml, fetch_rows
from lms_graphql.learning import hooks
from lms_graphql.learning.completion_percent import is_complete, percent_hundredths
from lms_graphql.learning.hooks import PassedQuizzes
from lms_graphql.learning.models import CourseProgress, LectureProgress
from lms_graphql.learning.services.requirements import RequiredCounts, count_required


class ProgressCounts(NamedTuple):
    """The counters of `CourseProgress`. `total_watch_time` includes deleted lectures, so it never decreases."""

    completed_lectures: int
    total_lectures: int
    passed_quizzes: int
    total_quizzes: int
    total_watch_time: int

    @property
    def done(self) -> int:
        return self.completed_lectures + self.passed_quizzes

    @property
    def required(self) -> int:
        return self.total_lectures + self.total_quizzes

    @property
    def is_complete(self) -> bool:
        return is_complete(self.done, self.required)

    @property
    def percent_hundredths(self) -> int:
        return percent_hundredths(self.done, self.required)


class StoredCounts(NamedTuple):
    """Counters of a row, and the key of the row."""

    key: int
    counts: ProgressCounts


_BY_USER = "FORCE INDEX (uq_lecture_progress_user_id_lecture_id)"
"""Without it, MariaDB starts from the lectures and reads the progress of all learners for each batch of users."""
_IS_COUNTED = case((LectureProgress.is_completed & Lecture.deleted_at.is_(None), 1), else_=0)
_LECTURE_TOTALS = (
    select(
        LectureProgress.user_id,
        cast(func.sum(_IS_COUNTED), BigInteger),
        cast(func.sum(LectureProgress.watch_time), BigInteger),
    )
    .join(Lecture, Lecture.id == LectureProgress.lecture_id)
    .where(Lecture.course_id == bindparam("course"), LectureProgress.user_id.in_(KEYS))
    .group_by(LectureProgress.user_id)
    .with_hint(LectureProgress, _BY_USER, "mysql")
    .with_hint(LectureProgress, _BY_USER, "mariadb")
)
_STORED_COUNTS = select(
    CourseProgress.user_id, CourseProgress.id, *(getattr(CourseProgress, name) for name in ProgressCounts._fields)
).where(CourseProgress.course_id == bindparam("course"), CourseProgress.user_id.in_(KEYS))


def compute_counts(session: Session, course_key: int, user_keys: Sequence[int]) -> dict[int, ProgressCounts]:
    """Count the progress of each user, including those without any."""
    required = count_required(session, course_key)
    rows = fetch_rows(session, _LECTURE_TOTALS, {"course": course_key, "keys": user_keys})
    totals = {user: (int(completed), int(seconds)) for user, completed, seconds in rows}
    passed = passed_quizzes_by_user(session, course_key, user_keys)
    return {
        user: _to_counts(required, *totals.get(user, (0, 0)), passed.get(user, PassedQuizzes())) for user in user_keys
    }


def _to_counts(required: RequiredCounts, completed: int, seconds: int, passed: PassedQuizzes) -> ProgressCounts:
    passed_quizzes = min(passed.quizzes, required.quizzes)
    return ProgressCounts(completed, required.lectures, passed_quizzes, required.quizzes, seconds)


def passed_quizzes_by_user(session: Session, course_key: int, user_keys: Sequence[int]) -> dict[int, PassedQuizzes]:
    passed: dict[int, PassedQuizzes] = {}
    for find_passed_quizzes in hooks.passed_quizzes:
        passed |= find_passed_quizzes(session, course_key, user_keys)
    return passed


def stored_counts(session: Session, course_key: int, user_keys: Sequence[int]) -> dict[int, StoredCounts]:
    """Return the stored counters of those users who have a row."""
    rows = fetch_rows(session, _STORED_COUNTS, {"course": course_key, "keys": user_keys})
    return {row[0]: StoredCounts(row[1], ProgressCounts._make(row[2:])) for row in rows}


def refresh_counts(session: Session, course_key: int, user_keys: Sequence[int]) -> dict[int, ProgressCounts]:
    """Recount and store the progress of users. Return the new counters.

    The number of statements does not depend on the number of users.
    """
    counts, stored = compute_counts(session, course_key, user_keys), stored_counts(session, course_key, user_keys)
    changed = {
        stored[user].key: counts[user] for user in user_keys if user in stored and stored[user].counts != counts[user]
    }
    if changed:
        set_counts(session, changed)
    if missing := [user for user in user_keys if user not in stored]:
        rows = [{"user_id": user, "course_id": course_key, **counts[user]._asdict()} for user in missing]
        session.connection().execute(insert(CourseProgress), rows)
    previous = {user: stored[user].counts.percent_hundredths if user in stored else 0 for user in user_keys}
    percentages = {user: counts[user].percent_hundredths for user in user_keys}
    if changed_percentages := {user: value for user, value in percentages.items() if value != previous[user]}:
        _set_percentages(session, course_key, changed_percentages)
    return counts


def set_counts(session: Session, counts: Mapping[int, ProgressCounts]) -> None:
    """Store counters by the keys of their rows. Sets `updated_at`, because analytics looks for changed rows."""
    values: dict[str, Any] = {
        name: _values_by_row(counts, index) for index, name in enumerate(ProgressCounts._fields)
    }
    rows = update(CourseProgress).where(CourseProgress.id.in_(counts))
    execute_dml(session, rows.values(**values, updated_at=clock.now()))


def _set_percentages(session: Session, course_key: int, percentages: Mapping[int, int]) -> None:
    """Store percentages in the enrollments of users, by which lists are ordered.

    `updated_at` stays: snapshots of progress depend on it, and analytics reads the counters instead.
    """
    rows = update(Enrollment).where(Enrollment.course_id == course_key, Enrollment.user_id.in_(percentages))
    values = case(percentages, value=Enrollment.user_id)
    execute_dml(session, rows.values(progress_hundredths=values, updated_at=Enrollment.updated_at))


def _values_by_row(counts: Mapping[int, ProgressCounts], index: int) -> Any:
    """Return the values of a column: one value if all rows have the same, as for most totals, else a CASE."""
    values = {key: int(row_counts[index]) for key, row_counts in counts.items()}
    distinct = set(values.values())
    return distinct.pop() if len(distinct) == 1 else case(values, value=CourseProgress.id)


def batched(keys: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))
