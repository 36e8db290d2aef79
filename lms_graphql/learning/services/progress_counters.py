"""
The figures of people's progress in a course, counted from what is there.

Whoever writes them has locked the enrollments of these people before: see `learning/services/progress_locks.py`.
They are counted in SELECTs: an UPDATE that counted would lock what it reads for it, and the gaps in which others
write.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, bindparam, case, cast, func, insert, select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Lecture
from lms_graphql.core import clock
from lms_graphql.core.statements import KEYS, execute_dml, fetch_rows
from lms_graphql.learning import hooks
from lms_graphql.learning.hooks import PassedQuizzes
from lms_graphql.learning.models import CourseProgress, LectureProgress
from lms_graphql.learning.progress import all_done
from lms_graphql.learning.services.requirements import RequiredCounts, count_required


class ProgressCounts(NamedTuple):
    """As `CourseProgress` keeps them. `total_watch_time` is also of lectures that were removed: it never falls."""

    completed_lectures: int
    total_lectures: int
    passed_quizzes: int
    total_quizzes: int
    total_watch_time: int

    @property
    def all_done(self) -> bool:
        return all_done(self.completed_lectures + self.passed_quizzes, self.total_lectures + self.total_quizzes)


_BY_PERSON = "FORCE INDEX (uq_lecture_progress_user_id_lecture_id)"
"""Else MariaDB goes by the lectures, and reads what everybody in the course has done for each portion of people."""
_THERE = case((LectureProgress.is_completed & Lecture.deleted_at.is_(None), 1), else_=0)
_OF_LECTURES = (
    select(
        LectureProgress.user_id,
        cast(func.sum(_THERE), BigInteger),
        cast(func.sum(LectureProgress.watch_time), BigInteger),
    )
    .join(Lecture, Lecture.id == LectureProgress.lecture_id)
    .where(Lecture.course_id == bindparam("course"), LectureProgress.user_id.in_(KEYS))
    .group_by(LectureProgress.user_id)
    .with_hint(LectureProgress, _BY_PERSON, "mysql")
    .with_hint(LectureProgress, _BY_PERSON, "mariadb")
)
_KEPT = select(
    CourseProgress.user_id, CourseProgress.id, *(getattr(CourseProgress, name) for name in ProgressCounts._fields)
).where(CourseProgress.course_id == bindparam("course"), CourseProgress.user_id.in_(KEYS))


class StoredCounts(NamedTuple):
    """`key`: of the row."""

    key: int
    counts: ProgressCounts


def compute_counts(session: Session, course_key: int, user_keys: Sequence[int]) -> dict[int, ProgressCounts]:
    """Of all of these people."""
    things = count_required(session, course_key)
    rows = fetch_rows(session, _OF_LECTURES, {"course": course_key, "keys": user_keys})
    done = {user: (int(completed), int(seconds)) for user, completed, seconds in rows}
    passed = passed_quizzes_by_user(session, course_key, user_keys)
    return {user: _counts(things, *done.get(user, (0, 0)), passed.get(user, PassedQuizzes())) for user in user_keys}


def _counts(things: RequiredCounts, completed: int, seconds: int, passed: PassedQuizzes) -> ProgressCounts:
    return ProgressCounts(completed, things.lectures, min(passed.quizzes, things.quizzes), things.quizzes, seconds)


def passed_quizzes_by_user(session: Session, course_key: int, user_keys: Sequence[int]) -> dict[int, PassedQuizzes]:
    found: dict[int, PassedQuizzes] = {}
    for fill in hooks.passed_quizzes:
        found |= fill(session, course_key, user_keys)
    return found


def stored_counts(session: Session, course_key: int, user_keys: Sequence[int]) -> dict[int, StoredCounts]:
    """Of those who have a row at all."""
    rows = fetch_rows(session, _KEPT, {"course": course_key, "keys": user_keys})
    return {row[0]: StoredCounts(row[1], ProgressCounts._make(row[2:])) for row in rows}


def refresh_counts(session: Session, course_key: int, user_keys: Sequence[int]) -> dict[int, ProgressCounts]:
    """Counts anew and keeps it, in as many statements for many people as for one. What it is now."""
    counts, kept = compute_counts(session, course_key, user_keys), stored_counts(session, course_key, user_keys)
    wrong = {kept[user].key: counts[user] for user in user_keys if user in kept and kept[user].counts != counts[user]}
    if wrong:
        set_counts(session, wrong)
    if missing := [user for user in user_keys if user not in kept]:
        rows = [{"user_id": user, "course_id": course_key, **counts[user]._asdict()} for user in missing]
        session.connection().execute(insert(CourseProgress), rows)
    return counts


def set_counts(session: Session, counts: Mapping[int, ProgressCounts]) -> None:
    """By the keys of the rows. A change of theirs: the roll-up of figures looks for those."""
    values: dict[str, Any] = {name: _chosen(counts, place) for place, name in enumerate(ProgressCounts._fields)}
    these = update(CourseProgress).where(CourseProgress.id.in_(counts))
    execute_dml(session, these.values(**values, updated_at=clock.now()))


def _chosen(counts: Mapping[int, ProgressCounts], place: int) -> Any:
    """One value where all have the same, which is most of the totals."""
    values = {key: int(each[place]) for key, each in counts.items()}
    different = set(values.values())
    return different.pop() if len(different) == 1 else case(values, value=CourseProgress.id)


def batched(keys: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))
