"""The lecture in which somebody is about to get on, with all that is known of how far they are."""

from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, and_, bindparam, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, Enrollment, Lecture, LectureType, Section
from lms_graphql.catalog.policies import visible_to
from lms_graphql.core import clock
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.statements import RowSelect
from lms_graphql.learning.models import CourseProgress, LectureProgress
from lms_graphql.learning.progress import all_done
from lms_graphql.learning.reads.enrollments import ENROLLMENT_COLUMNS, EnrollmentRow
from lms_graphql.learning.reads.progress import LECTURE_COLUMNS, LectureProgressRow

KEY: BindParameter[int] = bindparam("key")


class CourseProgressSnapshot(NamedTuple):
    """What is kept of the whole course."""

    key: int
    completed_lectures: int
    total_lectures: int
    passed_quizzes: int
    total_quizzes: int
    current_lecture_key: int | None
    reported_at: datetime | None

    @property
    def all_done(self) -> bool:
        done, things = self.completed_lectures + self.passed_quizzes, self.total_lectures + self.total_quizzes
        return all_done(done, things)


class ProgressSnapshot(NamedTuple):
    """
    Of the viewer: an enrollment, whether or not it gives access; what they have done, where they have begun. As long
    as `version` of the course and `changed_at` of the enrollment, and when they were last there, are the same, all of
    it is.
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
    course: CourseProgressSnapshot | None


LECTURE = (
    Lecture.id,
    Lecture.course_id,
    Lecture.section_id,
    Lecture.lecture_type,
    Lecture.duration,
    Course.version,
    Enrollment.updated_at,
)
SO_FAR = (
    CourseProgress.id,
    CourseProgress.completed_lectures,
    CourseProgress.total_lectures,
    CourseProgress.passed_quizzes,
    CourseProgress.total_quizzes,
    CourseProgress.current_lecture_id,
    CourseProgress.reported_at,
)


@cache
def _visit(scope: AccessLevel) -> RowSelect:
    mine = and_(Enrollment.course_id == Lecture.course_id, Enrollment.user_id == VIEWER)
    here = and_(LectureProgress.lecture_id == Lecture.id, LectureProgress.user_id == VIEWER)
    so_far = and_(CourseProgress.course_id == Lecture.course_id, CourseProgress.user_id == VIEWER)
    return (
        select(*LECTURE, *ENROLLMENT_COLUMNS, *LECTURE_COLUMNS, LectureProgress.watched_ranges, *SO_FAR)
        .select_from(Lecture)
        .join(Section, Section.id == Lecture.section_id)
        .join(Course, Course.id == Lecture.course_id)
        .outerjoin(Enrollment, mine)
        .outerjoin(LectureProgress, here)
        .outerjoin(CourseProgress, so_far)
        .where(Lecture.id == KEY, Lecture.deleted_at.is_(None), Section.deleted_at.is_(None), visible_to(scope))
    )


def find_progress_snapshot(session: Session, actor: Actor, key: int | None) -> ProgressSnapshot | None:
    """None where there is no such lecture for the viewer."""
    if key is None:
        return None
    binds = {**actor.bind_params, "key": key, "now": clock.now()}
    row = session.connection().execute(_visit(actor.access_level), binds).first()
    return None if row is None else _made(tuple(row))


def _made(row: tuple[Any, ...]) -> ProgressSnapshot:
    lecture, rest = row[: len(LECTURE)], row[len(LECTURE) :]
    enrollment, rest = rest[: len(ENROLLMENT_COLUMNS)], rest[len(ENROLLMENT_COLUMNS) :]
    progress, (ranges, *course) = rest[: len(LECTURE_COLUMNS)], rest[len(LECTURE_COLUMNS) :]
    return ProgressSnapshot._make(
        (
            *lecture,
            None if enrollment[0] is None else EnrollmentRow._make(enrollment),
            None if progress[0] is None else LectureProgressRow._make(progress),
            ranges or [],
            None if course[0] is None else CourseProgressSnapshot._make(course),
        )
    )
