"""Requirements of a course: its lectures and its published course-level quizzes."""

from datetime import UTC, datetime

from lms_graphql.catalog.models import LectureType
from lms_graphql.learning.services.requirements import RequiredCounts, count_required
from tests.factories import Factories
from tests.live_service import Service

DELETED_AT = datetime(2026, 2, 1, tzinfo=UTC)


def test_requirements_are_lectures_and_published_course_quizzes(service: Service, make: Factories) -> None:
    course, other = make.course(sections=2, lectures=2), make.course(lectures=5)
    quiz_lecture = make.lecture(course.sections[0], order_index=2, lecture_type=LectureType.QUIZ)
    make.lecture(course.sections[0], order_index=3, deleted_at=DELETED_AT)
    make.lecture(make.section(course, deleted_at=DELETED_AT))
    make.quiz(course, quiz_lecture, is_published=True)
    make.quiz(course, is_published=True)
    make.quiz(course, is_published=False)
    make.quiz(other, is_published=True)
    required = service.database.read_sync(lambda session: count_required(session, course.row.id))
    assert required == RequiredCounts(lectures=5, quizzes=1)


def test_empty_course_requires_nothing(service: Service, make: Factories) -> None:
    course = make.course(sections=0)
    required = service.database.read_sync(lambda session: count_required(session, course.row.id))
    assert required == RequiredCounts(0, 0)
