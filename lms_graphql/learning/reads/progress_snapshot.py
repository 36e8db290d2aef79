"""Progress snapshot: a lecture with the viewer's enrollment and progress, read in one statement."""

from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, and_, bindparam, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Enrollment, Lecture, LectureType, Section
from lms_graphql.catalog.policies import courses_visible_to
from lms_graphql.core import clock
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.statements import RowSelect, fetch_rows
from lms_graphql.learning.completion_percent import is_complete
from lms_graphql.learning.models import CourseProgress, LectureProgress
from lms_graphql.learning.reads.enrollments import ENROLLMENT_COLUMNS, EnrollmentRow
from lms_graphql.learning.reads.progress import LECTURE_COLUMNS, LectureProgressRow

LECTURE_KEY: BindParameter[int] = bindparam("key")


class CourseProgressSnapshot(NamedTuple):
    """The viewer's stored progress in the whole course."""

    key: int
    completed_lectures: int
    total_lectures: int
    passed_quizzes: int
    total_quizzes: int
    current_lecture_key: int | None
    credit_since: datetime | None

    @property
    def is_complete(self) -> bool:
        done, required = self.completed_lectures + self.passed_quizzes, self.total_lectures + self.total_quizzes
        return is_complete(done, required)


class ProgressSnapshot(NamedTuple):
    """A lecture with the viewer's enrollment, with or without access, and their progress so far.

    The snapshot is current as long as three values are the same: `version` of the course, and `changed_at` and
    `last_accessed_at` of the enrollment.
    """

    lecture_key: int
    course_key: int
    section_key: int
    type: LectureType
    seconds: int
    version: int
    changed_at: datetime | None
    enrollment: EnrollmentRow | None
    progress: LectureProgressRow | None
    ranges: list[list[int]]
    unmarked_by_hand: bool
    course: CourseProgressSnapshot | None


LECTURE_FIELDS = (
    Lecture.id,
    Lecture.course_id,
    Lecture.section_id,
    Lecture.lecture_type,
    Lecture.duration,
    Course.version,
    Enrollment.updated_at,
)
RANGE_COLUMNS = (LectureProgress.watched_ranges, LectureProgress.unmarked_by_hand)
COURSE_PROGRESS_COLUMNS = (
    CourseProgress.id,
    CourseProgress.completed_lectures,
    CourseProgress.total_lectures,
    CourseProgress.passed_quizzes,
    CourseProgress.total_quizzes,
    CourseProgress.current_lecture_id,
    CourseProgress.credit_since,
)


@cache
def _snapshot(access_level: AccessLevel) -> RowSelect:
    enrollment = and_(Enrollment.course_id == Lecture.course_id, Enrollment.user_id == VIEWER)
    lecture_progress = and_(LectureProgress.lecture_id == Lecture.id, LectureProgress.user_id == VIEWER)
    course_progress = and_(CourseProgress.course_id == Lecture.course_id, CourseProgress.user_id == VIEWER)
    progress_columns = (*LECTURE_COLUMNS, *RANGE_COLUMNS, *COURSE_PROGRESS_COLUMNS)
    exists = (Lecture.deleted_at.is_(None), Section.deleted_at.is_(None))
    return (
        select(*LECTURE_FIELDS, *ENROLLMENT_COLUMNS, *progress_columns)
        .select_from(Lecture)
        .join(Section, Section.id == Lecture.section_id)
        .join(Course, Course.id == Lecture.course_id)
        .outerjoin(Enrollment, enrollment)
        .outerjoin(LectureProgress, lecture_progress)
        .outerjoin(CourseProgress, course_progress)
        .where(Lecture.id == LECTURE_KEY, *exists, courses_visible_to(access_level))
    )


def find_progress_snapshot(session: Session, actor: Actor, key: int | None) -> ProgressSnapshot | None:
    """Return the snapshot of a lecture; None if the lecture does not exist or is not visible to the viewer."""
    if key is None:
        return None
    params = {**actor.bind_params, "key": key, "now": clock.now()}
    rows = fetch_rows(session, _snapshot(actor.access_level), params)
    return _to_snapshot(rows[0]) if rows else None


def _to_snapshot(row: tuple[Any, ...]) -> ProgressSnapshot:
    lecture, rest = row[: len(LECTURE_FIELDS)], row[len(LECTURE_FIELDS) :]
    enrollment, rest = rest[: len(ENROLLMENT_COLUMNS)], rest[len(ENROLLMENT_COLUMNS) :]
    progress, (ranges, unmarked_by_hand, *course) = rest[: len(LECTURE_COLUMNS)], rest[len(LECTURE_COLUMNS) :]
    return ProgressSnapshot._make(
        (
            *lecture,
            None if enrollment[0] is None else EnrollmentRow._make(enrollment),
            None if progress[0] is None else LectureProgressRow._make(progress),
            ranges or [],
            bool(unmarked_by_hand),
            None if course[0] is None else CourseProgressSnapshot._make(course),
        )
    )
