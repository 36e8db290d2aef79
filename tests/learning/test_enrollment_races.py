"""
Places in a course when two things happen at once, on two processes of the service.

That these races can be lost was tried. With a SELECT in place of the lock on the course, of ten enrollments of one
person six fail on the unique key, ten people who enroll at once are kept waiting until one of them is given up, and a
grant and an enrollment at once fail three times of four, all within the first rounds; a course is deleted under who
enrolls. Only unpublishing is lost to nobody: counting enrollments is a write of the same row.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.core.actor import Role
from lms_graphql.core.statements import execute_dml
from lms_graphql.learning.models import CourseProgress
from tests.concurrency import RaceRequest, Racers, codes, racers, rounds
from tests.factories import START, CourseTree, Factories, global_id
from tests.learning.enrollment_client import HOUR as AN_HOUR
from tests.learning.enrollment_client import bearing, ids_of, number, rows, said, when
from tests.processes import Fleet

pytestmark = pytest.mark.slow

CLIENTS = 10
ROUNDS = rounds(60)
"""300 for whoever has changed how places are made: the longest test takes a minute then."""


@pytest.fixture
def make(two_processes: Fleet) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def many(two_processes: Fleet) -> Iterator[Racers]:
    with racers(two_processes.urls, CLIENTS) as running:
        yield running


def change(fleet: Fleet, *statements: Any) -> None:
    with fleet.database.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def start_again(fleet: Fleet, **course: Any) -> None:
    """Nobody has enrolled anywhere, and courses are as they were."""
    fresh = {"status": CourseStatus.PUBLISHED, "enrollment_count": 0, **course}
    change(fleet, delete(CourseProgress), delete(Enrollment), update(Course).values(fresh))


def whole(fleet: Fleet) -> None:
    assert fleet.database.read_sync(counters.find_counter_drift) == []
    assert number(fleet.database, Enrollment) == number(fleet.database, CourseProgress)


def course_ask(mutation: str, bearer: str, course: CourseTree) -> RaceRequest:
    document = f"mutation C($input: CourseIdInput!) {{ {mutation}(input: $input) {{ errors {{ code path }} }} }}"
    return RaceRequest(document, {"input": {"courseId": course.global_id}}, bearer)


def test_ten_enrollments_of_one_person_at_once_are_one(two_processes: Fleet, make: Factories, many: Racers) -> None:
    course, learner = make.course(), make.user()
    ask = bearing("enroll", two_processes.token(learner), courseId=course.global_id)
    for _ in range(ROUNDS):
        answers = many.race(*[ask] * CLIENTS)
        assert codes(answers) == {None: CLIENTS}
        (place,) = rows(two_processes.database, select(Enrollment))
        assert {answer.payload["enrollment"]["id"] for answer in answers} == {global_id("Enrollment", place)}
        assert rows(two_processes.database, select(Course.enrollment_count)) == [1]
        whole(two_processes)
        start_again(two_processes)


def test_ten_people_who_enroll_at_once_are_ten(two_processes: Fleet, make: Factories, many: Racers) -> None:
    course = make.course()
    asks = [bearing("enroll", two_processes.token(make.user()), courseId=course.global_id) for _ in range(CLIENTS)]
    for _ in range(ROUNDS // 2):
        assert codes(many.race(*asks)) == {None: CLIENTS}
        assert rows(two_processes.database, select(Course.enrollment_count)) == [CLIENTS]
        whole(two_processes)
        start_again(two_processes)


def test_people_who_enroll_in_different_courses_do_not_hinder_each_other(
    two_processes: Fleet, make: Factories, many: Racers
) -> None:
    """Their places stand side by side in the indexes."""
    people = [make.user() for _ in range(CLIENTS)]
    tokens = [two_processes.token(person) for person in people]
    courses = [make.course(lectures=0) for _ in range(CLIENTS)]
    for _ in range(ROUNDS // 2):
        asks = [
            bearing("enroll", bearer, courseId=course.global_id)
            for bearer, course in zip(tokens, courses, strict=True)
        ]
        assert codes(many.race(*asks)) == {None: CLIENTS}
        whole(two_processes)
        start_again(two_processes)


def test_a_course_that_is_unpublished_has_no_places(two_processes: Fleet, make: Factories, many: Racers) -> None:
    course = make.course()
    staff = two_processes.token(course.instructor)
    learners = [two_processes.token(make.user()) for _ in range(4)]
    told: Counter[str | None] = Counter()
    for _ in range(ROUNDS):
        enrolling = [bearing("enroll", bearer, courseId=course.global_id) for bearer in learners]
        *enrolled, unpublished = many.race(*enrolling, course_ask("unpublishCourse", staff, course))
        assert set(codes(enrolled)) <= {None, "NOT_FOUND"}
        is_draft = unpublished.code is None
        assert unpublished.code in (None, "IN_USE")
        assert (number(two_processes.database, Enrollment) == 0) is is_draft
        assert codes(enrolled) == ({"NOT_FOUND": 4} if is_draft else {None: 4})
        told[unpublished.code] += 1
        whole(two_processes)
        start_again(two_processes)


def test_a_course_that_is_archived_takes_who_came_before(two_processes: Fleet, make: Factories, many: Racers) -> None:
    course = make.course()
    staff, learner = two_processes.token(course.instructor), two_processes.token(make.user())
    for _ in range(ROUNDS):
        enrolled, archived = many.race(
            bearing("enroll", learner, courseId=course.global_id), course_ask("archiveCourse", staff, course)
        )
        assert archived.code is None
        assert enrolled.code in (None, "NOT_FOUND")
        assert number(two_processes.database, Enrollment) == int(enrolled.code is None)
        start_again(two_processes)


def test_a_course_that_is_deleted_leaves_no_place_behind(two_processes: Fleet, make: Factories, many: Racers) -> None:
    teacher, admin = make.user(Role.INSTRUCTOR), make.user(Role.SUPER_ADMIN)
    staff, learner, other = (two_processes.token(user) for user in (teacher, make.user(), admin))
    for _ in range(ROUNDS // 2):
        course = make.course(instructor=teacher, lectures=0)
        unpublished, deleted, *enrolled = many.race(
            course_ask("unpublishCourse", staff, course),
            course_ask("deleteCourse", staff, course),
            bearing("enroll", learner, courseId=course.global_id),
            bearing("enroll", other, courseId=course.global_id),
            bearing("grantEnrollment", other, **ids_of(course, admin)),
        )
        assert unpublished.code in (None, "IN_USE", "NOT_FOUND")
        assert deleted.code in (None, "INVALID_TRANSITION", "IN_USE")
        assert set(codes(enrolled)) <= {None, "NOT_FOUND", "NOT_PUBLISHED"}
        if deleted.code is None or unpublished.code is None:
            assert number(two_processes.database, Enrollment) == 0
        whole(two_processes)
        start_again(two_processes)


def test_who_comes_and_goes_at_once_is_either_in_or_out(two_processes: Fleet, make: Factories, many: Racers) -> None:
    course, learner = make.course(price=1), make.user()
    bearer = two_processes.token(learner)
    row = make.enrollment(learner, course, source=EnrollmentSource.PURCHASE)
    make.progress(row, total_lectures=2, completed_lectures=1)
    make.lecture_progress(learner, course.lectures[0], is_completed=True)
    enrolling = bearing("enroll", bearer, courseId=course.global_id)
    cancelling = bearing("cancelEnrollment", bearer, enrollmentId=global_id("Enrollment", row))
    ends: Counter[EnrollmentStatus] = Counter()
    for _ in range(ROUNDS):
        assert codes(many.race(*[enrolling, cancelling] * 4)) == {None: 8}
        (place,) = rows(two_processes.database, select(Enrollment))
        assert (place.id, place.source, place.access_expires_at) == (row.id, EnrollmentSource.PURCHASE, None)
        ends[place.status] += 1
    assert set(ends) <= {EnrollmentStatus.ACTIVE, EnrollmentStatus.CANCELLED}
    assert rows(two_processes.database, select(CourseProgress.completed_lectures)) == [1]


def test_a_grant_and_an_enrollment_at_once_are_one_place(two_processes: Fleet, make: Factories, many: Racers) -> None:
    course, learner = make.course(), make.user()
    staff, bearer = two_processes.token(course.instructor), two_processes.token(learner)
    until = when(AN_HOUR)
    enrolling = bearing("enroll", bearer, courseId=course.global_id)
    granting = bearing("grantEnrollment", staff, **ids_of(course, learner), accessExpiresAt=said(until))
    for _ in range(ROUNDS):
        answers = many.race(*[enrolling, granting] * 2)
        assert codes(answers) == {None: 4}
        (place,) = rows(two_processes.database, select(Enrollment))
        ways = {(EnrollmentSource.FREE, None), (EnrollmentSource.GRANT, until)}
        assert (place.source, place.access_expires_at) in ways
        assert rows(two_processes.database, select(Course.enrollment_count)) == [1]
        whole(two_processes)
        start_again(two_processes)


def test_a_grant_that_staff_take_back_is_gone_whenever_the_learner_asks_for_it(
    two_processes: Fleet, make: Factories, many: Racers
) -> None:
    course, learner = make.course(price=1), make.user()
    staff, bearer = two_processes.token(course.instructor), two_processes.token(learner)
    row = make.enrollment(learner, course, source=EnrollmentSource.GRANT)
    fresh = update(Enrollment).values(status=EnrollmentStatus.ACTIVE, access_expires_at=None)
    enrolling = bearing("enroll", bearer, courseId=course.global_id)
    taking = bearing("cancelEnrollment", staff, enrollmentId=global_id("Enrollment", row))
    for _ in range(ROUNDS):
        taken, *enrolled = many.race(taking, enrolling, enrolling)
        assert taken.code is None
        assert set(codes(enrolled)) <= {None, "PAYMENT_REQUIRED"}
        assert rows(two_processes.database, select(Enrollment.status)) == [EnrollmentStatus.CANCELLED]
        change(two_processes, fresh)


def test_what_is_completed_meanwhile_is_not_cancelled(two_processes: Fleet, make: Factories, many: Racers) -> None:
    """Who completes a course does it by an UPDATE of what is ACTIVE."""
    course, learner = make.course(), make.user()
    row = make.enrollment(learner, course)
    cancelling = bearing("cancelEnrollment", two_processes.token(learner), enrollmentId=global_id("Enrollment", row))
    open_ = (Enrollment.id == row.id, Enrollment.status == EnrollmentStatus.ACTIVE)
    complete = update(Enrollment).where(*open_).values(status=EnrollmentStatus.COMPLETED, completed_at=START)

    def completes() -> bool:
        return two_processes.database.write_sync(lambda session: execute_dml(session, complete)) == 1

    with ThreadPoolExecutor(1) as thread:
        for _ in range(ROUNDS):
            completing = thread.submit(completes)
            answers = many.race(*[cancelling] * 2)
            is_completed = completing.result(30)
            assert codes(answers) == ({"INVALID_TRANSITION": 2} if is_completed else {None: 2})
            status = EnrollmentStatus.COMPLETED if is_completed else EnrollmentStatus.CANCELLED
            assert rows(two_processes.database, select(Enrollment.status)) == [status]
            change(two_processes, update(Enrollment).values(status=EnrollmentStatus.ACTIVE, completed_at=None))
