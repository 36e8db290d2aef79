"""What a course requires: the lectures that exist, and the published quizzes that no lecture carries."""

from datetime import UTC, datetime

from lms_graphql.catalog.models import LectureType
from lms_graphql.learning.services.requirements import RequiredCounts, count_required
from tests.factories import Factories
from tests.live_service import Service

GONE = datetime(2026, 2, 1, tzinfo=UTC)


def test_a_course_requires_its_lectures_and_the_published_quizzes_that_no_lecture_carries(
    service: Service, make: Factories
) -> None:
    course, other = make.course(sections=2, lectures=2), make.course(lectures=5)
    taken = make.lecture(course.sections[0], order_index=2, lecture_type=LectureType.QUIZ)
    make.lecture(course.sections[0], order_index=3, deleted_at=GONE)
    make.lecture(make.section(course, deleted_at=GONE))
    make.quiz(course, taken, is_published=True)
    make.quiz(course, is_published=True)
    make.quiz(course, is_published=False)
    make.quiz(other, is_published=True)
    found = service.database.read_sync(lambda session: count_required(session, course.row.id))
    assert found == RequiredCounts(lectures=5, quizzes=1)


def test_an_empty_course_requires_nothing(service: Service, make: Factories) -> None:
    course = make.course(sections=0)
    assert service.database.read_sync(lambda session: count_required(session, course.row.id)) == RequiredCounts(0, 0)
