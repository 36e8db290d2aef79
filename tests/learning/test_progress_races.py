"""Races of progress on two processes of the service."""

import time
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
from tests.concurrency import RaceClients, RaceRequest, code_counts, race_clients, race_rounds
from tests.factories import CourseTree, Factories, global_id
from tests.learning.enrollment_client import enrollment_request
from tests.learning.progress_client import completed_request, record_request
from tests.processes import Cluster
from tests.row_writer import START

pytestmark = pytest.mark.slow

CLIENTS = 10
ROUNDS = race_rounds(30)
DELETE_LECTURE = "mutation D($input: LectureIdInput!) { deleteLecture(input: $input) { errors { code path } } }"
CREATE_LECTURE = "mutation C($input: CreateLectureInput!) { createLecture(input: $input) { errors { code path } } }"


@pytest.fixture
def make(two_processes: Cluster) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def clients(two_processes: Cluster) -> Iterator[RaceClients]:
    with race_clients(two_processes.urls, CLIENTS) as clients:
        yield clients


def read(cluster: Cluster, statement: Any) -> Any:
    return cluster.database.read_sync(lambda session: session.scalar(statement))


def count(cluster: Cluster, table: Any, *where: Any) -> int:
    return int(read(cluster, select(func.count()).select_from(table).where(*where)))


def write(cluster: Cluster, statement: Any) -> None:
    cluster.database.write_sync(lambda session: session.execute(statement) and None)


def drift(cluster: Cluster) -> list[str]:
    wiring.register_hooks()
    return cluster.database.read_sync(progress_repair.find_progress_drift)


def deadlock_count(cluster: Cluster) -> int:
    status = text("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
    return int(cluster.database.read_sync(lambda session: session.execute(status).one()[1]))


def deletion_request(bearer: str, lecture: Lecture) -> RaceRequest:
    return RaceRequest(DELETE_LECTURE, {"input": {"lectureId": global_id("Lecture", lecture)}}, bearer)


class CourseScenario:
    """A course with learners, and an author who changes it."""

    def __init__(self, cluster: Cluster, make: Factories, learners: int) -> None:
        self.make = make
        self.course: CourseTree = make.course(lectures=4)
        self.author = cluster.access_token(self.course.instructor)
        users = [make.user() for _ in range(learners)]
        self.tokens = [cluster.access_token(user) for user in users]
        for user in users:
            make.enrollment(user, self.course, enrolled_at=clock.now() - timedelta(minutes=5))
        self.lecture_count = 4

    def new_lecture(self) -> Lecture:
        self.lecture_count += 1
        return self.make.lecture(self.course.sections[0], order_index=self.lecture_count)

    def creation_request(self) -> RaceRequest:
        section = global_id("Section", self.course.sections[0])
        values = {"sectionId": section, "title": "New", "type": "TEXT", "body": "Words"}
        return RaceRequest(CREATE_LECTURE, {"input": values}, self.author)


def test_concurrent_last_reports_complete_course_once(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    course = make.course()
    first, second = course.lectures
    for number in range(1, ROUNDS + 1):
        user = make.user()
        make.enrollment(user, course)
        make.lecture_progress(user, first, is_completed=True)
        bearer = two_processes.access_token(user)
        requests = [record_request(bearer, second, (0, 60)), completed_request(bearer, second)]
        responses = clients.race(*requests * (CLIENTS // 2))
        assert code_counts(responses) == {None: CLIENTS}
        assert {response.payload["enrollment"]["status"] for response in responses} == {"COMPLETED"}
        completed = (Enrollment.user_id == user.id, Enrollment.status == EnrollmentStatus.COMPLETED)
        assert count(two_processes, Enrollment, *completed) == 1
        issued = AuditEvent.action == "certificate.issued"
        counts = [count(two_processes, Certificate), count(two_processes, Mail)]
        assert [*counts, count(two_processes, AuditEvent, issued)] == [number] * 3
    assert drift(two_processes) == []


def test_concurrent_reports_share_credit(two_processes: Cluster, make: Factories, clients: RaceClients) -> None:
    course = make.course(lectures=0)
    videos = [make.lecture(course.sections[0], order_index=index, duration=1_000) for index in range(CLIENTS)]
    for number in range(ROUNDS):
        user = make.user()
        make.enrollment(user, course, enrolled_at=clock.now())
        bearer = two_processes.access_token(user)
        begin = time.monotonic()
        # Half of the rounds report one lecture, the other half one lecture each.
        chosen = videos if number % 2 else [videos[0]] * CLIENTS
        claims = [record_request(bearer, lecture, (10 * i, 10 * i + 10)) for i, lecture in enumerate(chosen)]
        assert code_counts(clients.race(*claims)) == {None: CLIENTS}
        statement = select(func.sum(LectureProgress.watch_time)).where(LectureProgress.user_id == user.id)
        seconds = int(read(two_processes, statement))
        assert 10 <= seconds <= 10 + 2 * (time.monotonic() - begin) + 2
    assert drift(two_processes) == []


def test_concurrent_last_lectures_complete_course_once(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    course = make.course(lectures=CLIENTS)
    for number in range(1, ROUNDS // 3 + 1):
        user = make.user()
        make.enrollment(user, course)
        bearer = two_processes.access_token(user)
        responses = clients.race(*[completed_request(bearer, lecture) for lecture in course.lectures])
        assert code_counts(responses) == {None: CLIENTS}
        statuses = Counter(response.payload["enrollment"]["status"] for response in responses)
        assert statuses == {"ACTIVE": CLIENTS - 1, "COMPLETED": 1}
        assert count(two_processes, Certificate) == number
    assert drift(two_processes) == []


def test_concurrent_reports_of_devices_add_up(two_processes: Cluster, make: Factories, clients: RaceClients) -> None:
    course = make.course(lectures=0)
    user = make.user()
    make.enrollment(user, course)
    bearer = two_processes.access_token(user)
    section = course.sections[0]
    for video in [make.lecture(section, order_index=index, duration=1_000) for index in range(ROUNDS)]:
        ranges = [(step, step + 2) for step in range(CLIENTS - 1)]
        write(two_processes, update(CourseProgress).values(credit_since=START))
        responses = clients.race(*[record_request(bearer, video, seconds_range) for seconds_range in ranges])
        assert code_counts(responses) == {None: CLIENTS - 1}
        progress = (LectureProgress.lecture_id == video.id, LectureProgress.user_id == user.id)
        seconds = read(two_processes, select(LectureProgress.watch_time).where(*progress))
        assert seconds == CLIENTS
        assert max(response.payload["progress"]["watchSeconds"] for response in responses) == CLIENTS
    assert drift(two_processes) == []


def test_cancelling_during_reports_causes_no_deadlocks(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    """If only the enrollment were locked, each transaction would hold an index entry that the other needs next."""
    course, user = make.course(), make.user()
    enrollment = make.enrollment(user, course)
    bearer, before = two_processes.access_token(user), deadlock_count(two_processes)
    cancel = enrollment_request("cancelEnrollment", bearer, enrollmentId=global_id("Enrollment", enrollment))
    enroll = enrollment_request("enroll", bearer, courseId=course.global_id)
    report = record_request(bearer, course.lectures[0], (0, 5))
    for _ in range(ROUNDS):
        responses = clients.race(report, cancel, report, cancel, enroll, report, cancel, report, enroll, report)
        assert set(code_counts(responses)) <= {None, "NOT_ENROLLED"}
    assert deadlock_count(two_processes) == before


def test_progress_stays_consistent_during_curriculum_changes(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    before = deadlock_count(two_processes)
    for number in range(ROUNDS):
        if number % 100 == 0:  # a section has at most 200 lectures
            scenario = CourseScenario(two_processes, make, CLIENTS - 2)
        deleted, other = scenario.new_lecture(), scenario.course.lectures[number % 4]
        requests = [
            record_request(bearer, deleted, (0, 60))
            if index % 2
            else completed_request(bearer, deleted if index % 4 else other, number % 3 > 0)
            for index, bearer in enumerate(scenario.tokens)
        ]
        deletion = deletion_request(scenario.author, deleted)
        deletion_response, creation_response, *responses = clients.race(
            deletion, scenario.creation_request(), *requests
        )
        assert (deletion_response.code, creation_response.code) == (None, None)
        assert set(code_counts(responses)) <= {None, "NOT_FOUND"}
        assert drift(two_processes) == []
    assert deadlock_count(two_processes) == before, "locks are taken in one order"


def test_course_is_completed_during_lecture_deletion(
    two_processes: Cluster, make: Factories, clients: RaceClients
) -> None:
    for number in range(1, ROUNDS + 1):
        course, user = make.course(lectures=3), make.user()
        first, second, third = course.lectures
        make.enrollment(user, course)
        make.lecture_progress(user, first, is_completed=True)
        completion = completed_request(two_processes.access_token(user), second)
        deletion = deletion_request(two_processes.access_token(course.instructor), third)
        assert code_counts(clients.race(deletion, *[completion] * 3)) == {None: 4}
        status = select(Enrollment.status).where(Enrollment.user_id == user.id)
        assert read(two_processes, status) is EnrollmentStatus.COMPLETED
        assert count(two_processes, Certificate) == number
    assert drift(two_processes) == []


def test_concurrent_recounts_complete_each_learner_once(two_processes: Cluster, make: Factories) -> None:
    wiring.register_hooks()
    course, users = make.course(lectures=2), [make.user() for _ in range(60)]
    first, second = course.lectures
    for user in users:
        make.enrollment(user, course)
        make.lecture_progress(user, first, is_completed=True)
    write(two_processes, update(Lecture).where(Lecture.id == second.id).values(deleted_at=clock.now()))
    database, settings = two_processes.database, two_processes.settings
    database.write_sync(lambda session: progress_recount.schedule_recount(session, [course.row.id]))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: progress_recount.recount_pending(database, settings), range(4)))
    assert count(two_processes, Certificate) == count(two_processes, Mail) == len(users)
    assert drift(two_processes) == []


def test_interrupted_recount_is_continued_by_next_run(two_processes: Cluster, make: Factories) -> None:
    """Committed batches remain. The interrupted one is done by the next run."""
    wiring.register_hooks()
    course = make.course(lectures=1)
    user_keys = [make.user().id for _ in range(progress_recount.MAX_COMPLETIONS_PER_BATCH + 5)]
    enrolled = {"course_id": course.row.id, "source": "free", "enrolled_at": clock.now()}
    completed = {"lecture_id": course.lectures[0].id, "is_completed": True, "started_at": clock.now()}
    completed["last_accessed"] = clock.now()
    database, settings = two_processes.database, two_processes.settings

    def prepare(session: Any) -> None:
        session.execute(insert(Enrollment), [{"user_id": key, **enrolled} for key in user_keys])
        session.execute(insert(LectureProgress), [{"user_id": key, **completed} for key in user_keys])
        progress_recount.schedule_recount(session, [course.row.id])

    def recount(session: Any) -> int:
        return progress_recount._recount_batch(session, course.row.id, settings)

    def recount_and_stop(session: Any) -> None:
        recount(session)
        raise KeyboardInterrupt

    database.write_sync(prepare)
    with pytest.raises(KeyboardInterrupt):
        database.write_sync(recount_and_stop)
    assert count(two_processes, Certificate) == 0
    number = database.write_sync(recount)
    assert number == count(two_processes, Certificate) == progress_recount.MAX_COMPLETIONS_PER_BATCH
    assert progress_recount.recount_pending(database, settings) == 5
    assert count(two_processes, Certificate) == len(user_keys)
    assert count(two_processes, CourseProgress) == len(user_keys)
