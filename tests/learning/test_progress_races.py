"""Progress when several things happen at once, on two processes of the service."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from lms_graphql import wiring
from lms_graphql.accounts.models import AuditEvent
from lms_graphql.catalog.models import Enrollment, EnrollmentStatus, Lecture
from lms_graphql.certificates.models import Certificate
from lms_graphql.core import clock
from lms_graphql.learning.models import CourseProgress, LectureProgress
from lms_graphql.learning.services import progress_recount, progress_repair
from lms_graphql.mail.models import Mail
from tests.concurrency import RaceRequest, Racers, codes, racers, rounds
from tests.factories import CourseTree, Factories, global_id
from tests.learning.progress_client import BARE_REPORT, BARE_TICK, report_of, tick_of
from tests.processes import Fleet

pytestmark = pytest.mark.slow

CLIENTS = 10
ROUNDS = rounds(30)
DELETE = "mutation D($input: LectureIdInput!) { deleteLecture(input: $input) { errors { code path } } }"
CREATE = "mutation C($input: CreateLectureInput!) { createLecture(input: $input) { errors { code path } } }"

CANCEL = "mutation C($input: EnrollmentIdInput!) { cancelEnrollment(input: $input) { errors { code path } } }"
ENROLL = "mutation E($input: EnrollInput!) { enroll(input: $input) { errors { code path } } }"


@pytest.fixture
def make(two_processes: Fleet) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def many(two_processes: Fleet) -> Iterator[Racers]:
    with racers(two_processes.urls, CLIENTS) as running:
        yield running


def read(fleet: Fleet, statement: Any) -> Any:
    return fleet.database.read_sync(lambda session: session.scalar(statement))


def count(fleet: Fleet, table: Any, *where: Any) -> int:
    return int(read(fleet, select(func.count()).select_from(table).where(*where)))


def write(fleet: Fleet, statement: Any) -> None:
    fleet.database.write_sync(lambda session: session.execute(statement) and None)


def drift(fleet: Fleet) -> list[str]:
    wiring.register_hooks()
    return fleet.database.read_sync(progress_repair.find_progress_drift)


def test_ten_requests_that_finish_a_course_complete_it_once(
    two_processes: Fleet, make: Factories, many: Racers
) -> None:
    course = make.course()
    first, second = course.lectures
    for number in range(1, ROUNDS + 1):
        person = make.user()
        make.enrollment(person, course)
        make.lecture_progress(person, first, is_completed=True)
        bearer = two_processes.token(person)
        report = RaceRequest(BARE_REPORT, {"input": report_of(second, (0, 60))}, bearer)
        tick = RaceRequest(BARE_TICK, {"input": tick_of(second)}, bearer)
        answers = many.race(*[report, tick] * (CLIENTS // 2))
        assert codes(answers) == {None: CLIENTS}
        assert {answer.payload["enrollment"]["status"] for answer in answers} == {"COMPLETED"}
        mine = (Enrollment.user_id == person.id, Enrollment.status == EnrollmentStatus.COMPLETED)
        assert count(two_processes, Enrollment, *mine) == 1
        issued = AuditEvent.action == "certificate.issued"
        counts = [count(two_processes, Certificate), count(two_processes, Mail)]
        assert [*counts, count(two_processes, AuditEvent, issued)] == [number] * 3
    assert drift(two_processes) == []


def test_a_course_that_ten_lectures_finish_at_once_is_completed_once(
    two_processes: Fleet, make: Factories, many: Racers
) -> None:
    course = make.course(lectures=CLIENTS)
    for number in range(1, ROUNDS // 3 + 1):
        person = make.user()
        make.enrollment(person, course)
        bearer = two_processes.token(person)
        asks = [RaceRequest(BARE_TICK, {"input": tick_of(lecture)}, bearer) for lecture in course.lectures]
        answers = many.race(*asks)
        assert codes(answers) == {None: CLIENTS}
        states = Counter(answer.payload["enrollment"]["status"] for answer in answers)
        assert states == {"ACTIVE": CLIENTS - 1, "COMPLETED": 1}
        assert count(two_processes, Certificate) == number
    assert drift(two_processes) == []


def test_reports_of_several_devices_add_up_in_whatever_order_they_come(
    two_processes: Fleet, make: Factories, many: Racers
) -> None:
    course = make.course(lectures=0)
    person = make.user()
    make.enrollment(person, course)
    bearer = two_processes.token(person)
    section = course.sections[0]
    for video in [make.lecture(section, order_index=place, duration=1_000) for place in range(ROUNDS)]:
        mine = (LectureProgress.lecture_id == video.id, LectureProgress.user_id == person.id)
        stretches = [(7 * step, 7 * step + 10) for step in range(CLIENTS)]
        asks = [RaceRequest(BARE_REPORT, {"input": report_of(video, stretch)}, bearer) for stretch in stretches]
        answers = many.race(*asks)
        assert codes(answers) == {None: CLIENTS}
        assert read(two_processes, select(LectureProgress.watch_time).where(*mine)) == 7 * (CLIENTS - 1) + 10
        assert sorted(answer.payload["progress"]["watchSeconds"] for answer in answers)[-1] == 73
    assert drift(two_processes) == []


def deadlocks(fleet: Fleet) -> int:
    told = text("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
    return int(fleet.database.read_sync(lambda session: session.execute(told).one()[1]))


class Classroom:
    """Learners at work in a course whose author is at work, too."""

    def __init__(self, fleet: Fleet, make: Factories, learners: int) -> None:
        self.fleet, self.make = fleet, make
        self.course: CourseTree = make.course(lectures=4)
        self.author = fleet.token(self.course.instructor)
        self.people = [make.user() for _ in range(learners)]
        self.tokens = [fleet.token(person) for person in self.people]
        for person in self.people:
            make.enrollment(person, self.course, enrolled_at=clock.now() - timedelta(minutes=5))
        self.number = 4

    def new_lecture(self) -> Lecture:
        self.number += 1
        return self.make.lecture(self.course.sections[0], order_index=self.number)

    def deletes(self, lecture: Lecture) -> RaceRequest:
        return RaceRequest(DELETE, {"input": {"lectureId": global_id("Lecture", lecture)}}, self.author)

    def adds(self) -> RaceRequest:
        section = global_id("Section", self.course.sections[0])
        return RaceRequest(CREATE, {"input": {"sectionId": section, "title": "New", "type": "TEXT"}}, self.author)


def test_who_leaves_while_devices_report_is_not_in_their_way(
    two_processes: Fleet, make: Factories, many: Racers
) -> None:
    """Each would hold what the other needs next, if only the place were locked: the rows of indexes have an order."""
    course, person = make.course(), make.user()
    enrollment = make.enrollment(person, course)
    bearer, before = two_processes.token(person), deadlocks(two_processes)
    leave = RaceRequest(CANCEL, {"input": {"enrollmentId": global_id("Enrollment", enrollment)}}, bearer)
    back = RaceRequest(ENROLL, {"input": {"courseId": course.global_id}}, bearer)
    report = RaceRequest(BARE_REPORT, {"input": report_of(course.lectures[0], (0, 5))}, bearer)
    for _ in range(ROUNDS):
        answers = many.race(report, leave, report, leave, back, report, leave, report, back, report)
        assert set(codes(answers)) <= {None, "NOT_ENROLLED"}
    assert deadlocks(two_processes) == before


def test_progress_and_changes_of_the_curriculum_at_once_agree_at_the_end(
    two_processes: Fleet, make: Factories, many: Racers
) -> None:
    before = deadlocks(two_processes)
    for number in range(ROUNDS):
        if number % 100 == 0:  # a section has room for 200 lectures
            room = Classroom(two_processes, make, CLIENTS - 2)
        lecture, kept = room.new_lecture(), room.course.lectures[number % 4]
        asks = [
            RaceRequest(BARE_REPORT, {"input": report_of(lecture, (0, 60))}, bearer)
            if place % 2
            else RaceRequest(BARE_TICK, {"input": tick_of(lecture if place % 4 else kept, number % 3 > 0)}, bearer)
            for place, bearer in enumerate(room.tokens)
        ]
        removed, added, *others = many.race(room.deletes(lecture), room.adds(), *asks)
        assert (removed.code, added.code) == (None, None)
        assert set(codes(others)) <= {None, "NOT_FOUND"}
        assert drift(two_processes) == []
    assert deadlocks(two_processes) == before, "locks are taken in one order"


def test_whoever_finishes_while_another_lecture_is_removed_is_completed(
    two_processes: Fleet, make: Factories, many: Racers
) -> None:
    for number in range(1, ROUNDS + 1):
        course, person = make.course(lectures=3), make.user()
        first, second, third = course.lectures
        make.enrollment(person, course)
        make.lecture_progress(person, first, is_completed=True)
        bearer, author = two_processes.token(person), two_processes.token(course.instructor)
        ticks = [RaceRequest(BARE_TICK, {"input": tick_of(second)}, bearer)] * 3
        removal = RaceRequest(DELETE, {"input": {"lectureId": global_id("Lecture", third)}}, author)
        assert codes(many.race(removal, *ticks)) == {None: 4}
        mine = select(Enrollment.status).where(Enrollment.user_id == person.id)
        assert read(two_processes, mine) is EnrollmentStatus.COMPLETED
        assert count(two_processes, Certificate) == number
    assert drift(two_processes) == []


def test_several_sweeps_at_once_count_everybody_and_complete_them_once(two_processes: Fleet, make: Factories) -> None:
    wiring.register_hooks()
    course, people = make.course(lectures=2), [make.user() for _ in range(60)]
    first, second = course.lectures
    for person in people:
        make.enrollment(person, course)
        make.lecture_progress(person, first, is_completed=True)
    gone = update(Lecture).where(Lecture.id == second.id).values(deleted_at=clock.now())
    write(two_processes, gone)
    database, settings = two_processes.database, two_processes.settings
    database.write_sync(lambda session: progress_recount.schedule_recount(session, [course.row.id]))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: progress_recount.recount_pending(database, settings), range(4)))
    assert count(two_processes, Certificate) == count(two_processes, Mail) == len(people)
    assert drift(two_processes) == []


def test_a_sweep_that_breaks_off_is_gone_on_with(two_processes: Fleet, make: Factories) -> None:
    """What it has done stays, what it was about to do is done by the next."""
    wiring.register_hooks()
    course = make.course(lectures=1)
    rows = [make.user().id for _ in range(progress_recount.MAX_COMPLETIONS_PER_BATCH + 5)]
    enrolled = {"course_id": course.row.id, "source": "free", "enrolled_at": clock.now()}
    values = [{"user_id": key, **enrolled} for key in rows]
    done = {"lecture_id": course.lectures[0].id, "is_completed": True, "started_at": clock.now()}
    progress = [{"user_id": key, **done, "last_accessed": clock.now()} for key in rows]
    database, settings = two_processes.database, two_processes.settings

    def plant(session: Any) -> None:
        session.execute(insert(Enrollment), values)
        session.execute(insert(LectureProgress), progress)
        progress_recount.schedule_recount(session, [course.row.id])

    database.write_sync(plant)

    def killed(session: Any) -> None:
        progress_recount._recount_batch(session, course.row.id, settings)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.write_sync(killed)
    assert count(two_processes, Certificate) == 0
    portion = progress_recount._recount_batch
    first = database.write_sync(lambda session: portion(session, course.row.id, settings))
    assert first == count(two_processes, Certificate) == progress_recount.MAX_COMPLETIONS_PER_BATCH
    assert progress_recount.recount_pending(database, settings) == 5
    assert count(two_processes, Certificate) == len(rows)
    assert count(two_processes, CourseProgress) == len(rows)
