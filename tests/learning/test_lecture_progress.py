"""Progress in lectures: each rule of reports and of marking by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import CourseStatus, Enrollment, EnrollmentStatus, Lecture, LectureType
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import ANONYMOUS, Role
from lms_graphql.learning.models import CourseProgress, LectureProgress
from tests.auth import SessionIssuer
from tests.factories import CourseTree, Factories, global_id
from tests.learning.progress_client import (
    BRIEF_RECORD,
    BRIEF_SET_COMPLETED,
    ProgressClient,
    completed_input,
    record_input,
)
from tests.live_service import Client, Service, StatementRecorder
from tests.row_writer import START

LONG = 1_000
MAX_INT = 2**31 - 1
RECORD_MUTATION, COMPLETED_MUTATION = "recordLectureProgress", "setLectureCompleted"


@pytest.fixture
def course(make: Factories) -> CourseTree:
    """Two videos of a minute, and a text."""
    course = make.course()
    text = make.lecture(course.sections[0], order_index=2, lecture_type=LectureType.TEXT, duration=0)
    course.lectures.append(text)
    return course


@pytest.fixture
def user(make: Factories, course: CourseTree) -> User:
    user = make.user()
    make.enrollment(user, course)
    return user


@pytest.fixture
def learner(client: Client, make: Factories, user: User) -> ProgressClient:
    return ProgressClient(client, make.actor(user))


def set_last_report(service: Service, age: timedelta) -> None:
    statement = update(CourseProgress).values(credit_since=clock.now() - age)
    service.database.write_sync(lambda session: session.execute(statement) and None)


def rows(service: Service, model: Any) -> list[Any]:
    return list(service.database.read_sync(lambda session: session.scalars(select(model)).all()))


def test_video_is_completed_by_watching_it_in_parts(
    learner: ProgressClient, service: Service, course: CourseTree
) -> None:
    video = course.lectures[0]
    payload = learner.record(video, (0, 20), (10, 30), position=30)
    progress, enrollment = payload["progress"], payload["enrollment"]
    assert (progress["watchSeconds"], progress["positionSeconds"], progress["isCompleted"]) == (30, 30, False)
    assert progress["startedAt"] == progress["lastAccessedAt"]
    assert progress["lecture"]["id"] == global_id("Lecture", video)
    assert enrollment["lastAccessedAt"][:16] == progress["lastAccessedAt"][:16]
    assert enrollment["progress"]["currentLecture"]["id"] == global_id("Lecture", video)
    assert enrollment["progress"]["watchSeconds"] == 30
    payload = learner.record(video, (40, 50), position=50)
    assert (payload["progress"]["watchSeconds"], payload["progress"]["isCompleted"]) == (40, False)
    assert payload["progress"]["id"] == progress["id"]
    set_last_report(service, timedelta(seconds=10))
    payload = learner.record(video, (30, 40), (50, 54), position=54)
    assert (payload["progress"]["watchSeconds"], payload["progress"]["isCompleted"]) == (54, True)
    assert payload["progress"]["completedAt"] is not None
    course_progress = payload["enrollment"]["progress"]
    assert (course_progress["percent"], course_progress["completedLectures"]) == (33.33, 1)
    next_lecture = global_id("Lecture", course.lectures[1])
    assert course_progress["currentLecture"]["id"] == next_lecture, "the next incomplete one"


def test_late_or_empty_report_never_reduces_progress(learner: ProgressClient, course: CourseTree) -> None:
    video = course.lectures[0]
    completed = learner.record(video, (0, 60), position=60)["progress"]
    for ranges in ([], [(0, 5)], [(30, 30)]):
        repeated = learner.record(video, *ranges, position=5)["progress"]
        assert (repeated["watchSeconds"], repeated["isCompleted"]) == (60, True)
        assert repeated["completedAt"] == completed["completedAt"]
        assert repeated["positionSeconds"] == 5


def test_ranges_and_position_are_clipped_to_lecture(learner: ProgressClient, course: CourseTree) -> None:
    video, _, text = course.lectures
    progress = learner.record(video, (-50, 10), (50, MAX_INT), position=MAX_INT)["progress"]
    assert (progress["watchSeconds"], progress["positionSeconds"]) == (20, 60)
    progress = learner.record(video, (-(2**31), -5), (70, 80), position=-3)["progress"]
    assert (progress["watchSeconds"], progress["positionSeconds"]) == (20, 0)
    progress = learner.record(text, (0, 60), position=9)["progress"]
    assert (progress["watchSeconds"], progress["positionSeconds"], progress["isCompleted"]) == (0, 0, False)


def test_only_videos_are_completed_by_watching(learner: ProgressClient, make: Factories, course: CourseTree) -> None:
    resource = make.lecture(course.sections[0], order_index=3, lecture_type=LectureType.RESOURCE, duration=30)
    progress = learner.record(resource, (0, 30))["progress"]
    assert (progress["watchSeconds"], progress["isCompleted"]) == (30, False)


def test_report_claims_at_most_twice_elapsed_time(client: Client, service: Service, make: Factories) -> None:
    course = make.course(lectures=0)
    first, second = (make.lecture(course.sections[0], order_index=index, duration=LONG) for index in (0, 1))
    user = make.user()
    make.enrollment(user, course, enrolled_at=clock.now() - timedelta(seconds=20))
    learner = ProgressClient(client, make.actor(user))
    seconds = learner.record(first, (0, LONG))["progress"]["watchSeconds"]
    assert 50 <= seconds < 70, "the first report is limited by the time since enrollment"
    seconds = learner.record(second, (0, LONG))["progress"]["watchSeconds"]
    assert 0 <= seconds < 20, "a report for any lecture of the course counts as the last one"
    set_last_report(service, timedelta(seconds=100))
    progress = learner.record(second, (500, 600), (700, 800), (900, LONG))["progress"]
    assert 200 <= progress["watchSeconds"] - seconds < 250, "the limit applies to all ranges together"


@pytest.mark.parametrize(
    ("ranges", "errors"),
    [
        ([(0, 1)] * 101, [("LIMIT_REACHED", "watched")]),
        ([(2, 1)], [("INVALID", "watched.0")]),
        ([(0, 1), (5, -5), (2, 1)], [("INVALID", "watched.1"), ("INVALID", "watched.2")]),
    ],
)
def test_invalid_ranges_are_rejected(
    learner: ProgressClient, service: Service, course: CourseTree, ranges: list[tuple[int, int]], errors: list[Any]
) -> None:
    assert learner.user_errors(RECORD_MUTATION, **record_input(course.lectures[0], *ranges)) == errors
    assert rows(service, LectureProgress) == []
    (enrollment,) = rows(service, Enrollment)
    assert enrollment.last_accessed is None


def test_report_accepts_hundred_ranges(learner: ProgressClient, course: CourseTree) -> None:
    ranges = [(second % 60, second % 60 + 1) for second in range(100)]
    assert learner.record(course.lectures[0], *ranges)["progress"]["watchSeconds"] == 60


@pytest.mark.parametrize("value", ["1", True, None])
def test_position_must_be_number(learner: ProgressClient, course: CourseTree, value: Any) -> None:
    input = {**record_input(course.lectures[0]), "positionSeconds": value}
    assert learner.error_codes(RECORD_MUTATION, **input) == ["BAD_USER_INPUT"]


def test_lecture_can_be_marked_and_unmarked(learner: ProgressClient, course: CourseTree) -> None:
    text = course.lectures[2]
    marked = learner.set_completed(text)
    assert marked["progress"]["isCompleted"] is True
    assert marked["progress"]["completedAt"] is not None
    assert marked["enrollment"]["lastAccessedAt"] is not None
    assert marked["enrollment"]["progress"]["percent"] == 33.33
    repeated = learner.set_completed(text)["progress"]
    assert repeated["completedAt"] == marked["progress"]["completedAt"]
    unmarked = learner.set_completed(text, False)
    assert (unmarked["progress"]["isCompleted"], unmarked["progress"]["completedAt"]) == (False, None)
    assert unmarked["progress"]["id"] == marked["progress"]["id"]
    assert unmarked["enrollment"]["progress"]["percent"] == 0
    never_opened = learner.set_completed(course.lectures[1], False)["progress"]
    assert (never_opened["isCompleted"], never_opened["watchSeconds"]) == (False, 0)


def test_unmarked_video_is_completed_by_new_seconds_only(learner: ProgressClient, course: CourseTree) -> None:
    video = course.lectures[0]
    assert learner.record(video, (0, 55))["progress"]["isCompleted"]
    learner.set_completed(video, False)
    assert not learner.record(video, (0, 55))["progress"]["isCompleted"], "a late report"
    assert learner.record(video, (55, 60))["progress"]["isCompleted"]


def test_marking_does_not_reduce_creditable_seconds(
    learner: ProgressClient, service: Service, course: CourseTree
) -> None:
    learner.record(course.lectures[1], (0, 1))
    set_last_report(service, timedelta(seconds=60))
    learner.set_completed(course.lectures[2])
    assert learner.record(course.lectures[0], (0, 60))["progress"]["watchSeconds"] == 60


def test_quiz_lecture_cannot_be_marked(learner: ProgressClient, make: Factories, course: CourseTree) -> None:
    quiz = make.lecture(course.sections[0], order_index=3, lecture_type=LectureType.QUIZ)
    for is_completed in (True, False):
        errors = learner.user_errors(COMPLETED_MUTATION, **completed_input(quiz, is_completed))
        assert errors == [("INVALID", "lectureId")]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("status", list(CourseStatus))
def test_progress_requires_enrollment(client: Client, make: Factories, role: Role, status: CourseStatus) -> None:
    course = make.course(status=status)
    for user in (make.user(role), course.instructor):
        client_without_enrollment = ProgressClient(client, make.actor(user))
        is_staff = user is course.instructor or user.role is Role.SUPER_ADMIN
        is_visible = status is CourseStatus.PUBLISHED or is_staff
        expected = [("NOT_ENROLLED" if is_visible else "NOT_FOUND", "lectureId")]
        for lecture in course.lectures:  # the first one is a preview
            assert client_without_enrollment.user_errors(RECORD_MUTATION, **record_input(lecture, (0, 5))) == expected
            assert client_without_enrollment.user_errors(COMPLETED_MUTATION, **completed_input(lecture)) == expected


@pytest.mark.parametrize(
    ("status", "expires", "has_access"),
    [
        (EnrollmentStatus.ACTIVE, timedelta(hours=1), True),
        (EnrollmentStatus.COMPLETED, None, True),
        (EnrollmentStatus.ACTIVE, timedelta(seconds=-1), False),
        (EnrollmentStatus.COMPLETED, timedelta(seconds=-1), False),
        (EnrollmentStatus.EXPIRED, None, False),
        (EnrollmentStatus.CANCELLED, None, False),
        (EnrollmentStatus.REFUNDED, None, False),
        (EnrollmentStatus.SUSPENDED, None, False),
    ],
)
@pytest.mark.parametrize("course_status", [CourseStatus.PUBLISHED, CourseStatus.ARCHIVED])
def test_progress_is_writable_only_with_access(
    client: Client,
    make: Factories,
    status: EnrollmentStatus,
    expires: timedelta | None,
    has_access: bool,
    course_status: CourseStatus,
) -> None:
    """Without access it can still be read."""
    course, user = make.course(status=course_status), make.user()
    expires_at = None if expires is None else clock.now() + expires
    make.enrollment(user, course, status, access_expires_at=expires_at)
    make.lecture_progress(user, course.lectures[1], watch_time=7)
    learner, lecture = ProgressClient(client, make.actor(user)), course.lectures[0]
    not_enrolled = [("NOT_ENROLLED", "lectureId")]
    if has_access:
        learner.record(lecture, (0, 5))
        learner.set_completed(lecture)
    else:
        assert learner.user_errors(RECORD_MUTATION, **record_input(lecture, (0, 5))) == not_enrolled
        assert learner.user_errors(COMPLETED_MUTATION, **completed_input(lecture)) == not_enrolled
        ((code, _),) = learner.user_errors(RECORD_MUTATION, **record_input(lecture, (5, 0)))
        assert code == "INVALID", "validation comes first"
    lectures = learner.course(course.global_id)["sections"][0]["lectures"]
    assert lectures[1]["viewerProgress"]["watchSeconds"] == 7
    assert (lectures[0]["viewerProgress"] is not None) is has_access


def test_invalid_lecture_ids_are_not_found(
    client: Client, learner: ProgressClient, make: Factories, course: CourseTree
) -> None:
    deleted = make.lecture(course.sections[0], order_index=3, deleted_at=START)
    in_deleted_section = make.lecture(make.section(course, order_index=1, deleted_at=START))
    draft = make.course(status=CourseStatus.DRAFT)
    make.enrollment(make.user(), draft)
    invisible = [global_id("Lecture", lecture) for lecture in (deleted, in_deleted_section, draft.lectures[0])]
    other_ids = ["", "nonsense", global_ids.encode("Lecture", 10**9), global_id("Section", course.sections[0])]
    for id in other_ids + invisible:
        errors = learner.user_errors(RECORD_MUTATION, **record_input(id, (3, 1)))
        assert errors == [("NOT_FOUND", "lectureId")]
        assert learner.user_errors(COMPLETED_MUTATION, **completed_input(id)) == [("NOT_FOUND", "lectureId")]
    anonymous, lecture = ProgressClient(client, ANONYMOUS), course.lectures[0]
    assert anonymous.error_codes(RECORD_MUTATION, **record_input(lecture)) == ["UNAUTHENTICATED"]
    assert anonymous.error_codes(COMPLETED_MUTATION, **completed_input(lecture)) == ["UNAUTHENTICATED"]


def test_enrollment_gives_no_access_to_other_courses(
    learner: ProgressClient, service: Service, make: Factories
) -> None:
    other = make.course()
    make.enrollment(make.user(), other)
    errors = learner.user_errors(RECORD_MUTATION, **record_input(other.lectures[0], (0, 5)))
    assert [code for code, _ in errors] == ["NOT_ENROLLED"]
    assert rows(service, LectureProgress) == []


def test_learners_see_only_their_own_progress(
    client: Client, make: Factories, learner: ProgressClient, course: CourseTree
) -> None:
    other_learner = make.user()
    make.enrollment(other_learner, course)
    other_client = ProgressClient(client, make.actor(other_learner))
    learner.record(course.lectures[0], (0, 20))
    assert other_client.record(course.lectures[0], (30, 35))["progress"]["watchSeconds"] == 5
    for api, seconds in ((learner, 20), (other_client, 5)):
        lecture = api.course(course.global_id)["sections"][0]["lectures"][0]
        assert lecture["viewerProgress"]["watchSeconds"] == seconds
    for user in (make.user(), course.instructor, make.user(Role.SUPER_ADMIN)):
        course_node = ProgressClient(client, make.actor(user)).course(course.global_id)
        assert [lecture["viewerProgress"] for lecture in course_node["sections"][0]["lectures"]] == [None] * 3


def test_reports_of_two_devices_add_up(learner: ProgressClient, service: Service, course: CourseTree) -> None:
    video = course.lectures[0]
    learner.record(video, (0, 20), position=20)
    set_last_report(service, timedelta(seconds=20))
    learner.record(video, (40, 60), position=60)
    set_last_report(service, timedelta(seconds=20))
    progress = learner.record(video, (10, 45), position=45)["progress"]
    assert (progress["watchSeconds"], progress["positionSeconds"]) == (60, 45)


def test_shortened_lecture_never_reduces_progress(
    learner: ProgressClient, service: Service, course: CourseTree
) -> None:
    video = course.lectures[0]
    learner.record(video, (0, 50))
    shortened = update(Lecture).where(Lecture.id == video.id).values(duration=40)
    service.database.write_sync(lambda session: session.execute(shortened) and None)
    assert learner.record(video, (0, 40), position=60)["progress"]["watchSeconds"] == 50


@pytest.mark.query_budget
@pytest.mark.parametrize("number", [1, 40])
def test_progress_of_all_lectures_is_one_statement(
    client: Client, make: Factories, statements: StatementRecorder, number: int
) -> None:
    course, user = make.course(lectures=number), make.user()
    make.enrollment(user, course)
    for lecture in course.lectures:
        make.lecture_progress(user, lecture)
    progress = "viewerProgress { isCompleted }"
    document = (
        f"query C($id: ID!) {{ node(id: $id) {{ ... on Course {{ sections {{ lectures {{ id {progress} }} }} }} }} }}"
    )
    with statements:
        client.execute(document, as_=make.actor(user), id=course.global_id)
    assert statements.count == 4  # course, sections, lectures and progress


def without_begin(statements: StatementRecorder) -> list[str]:
    """Return the statements without BEGIN IMMEDIATE. Only SQLite counts it: other drivers send BEGIN themselves."""
    return [text for text in statements.texts if not text.startswith("BEGIN")]


@pytest.mark.query_budget
def test_report_takes_six_statements(
    client: Client, service: Service, make: Factories, course: CourseTree, user: User, statements: StatementRecorder
) -> None:
    """Authentication is included."""
    session_issuer = SessionIssuer(service.database, service.resources.settings, service.resources.signer)
    bearer = session_issuer.sign_in(user).access_token
    client.execute(BRIEF_RECORD, bearer=bearer, input=record_input(course.lectures[0], (0, 5)))
    for second in range(5, 40, 5):
        input = record_input(course.lectures[0], (second, second + 5))
        with statements:
            client.execute(BRIEF_RECORD, bearer=bearer, input=input)
        texts = without_begin(statements)
        assert len(texts) == 6, texts
        session_statements = sum("user_sessions" in text or " sessions" in text for text in texts)
        assert session_statements == 2, "authentication, and whether the session is still active at the end"
    with statements:
        client.execute(BRIEF_SET_COMPLETED, bearer=bearer, input=completed_input(course.lectures[1]))
    assert len(without_begin(statements)) <= 13, without_begin(statements)


@pytest.mark.query_budget
def test_report_returns_rows_without_reading_them_again(
    client: Client, make: Factories, course: CourseTree, user: User, statements: StatementRecorder
) -> None:
    document = BRIEF_RECORD.replace("enrollment { id status }", "enrollment { id status progress { percent } }")
    client.execute(document, as_=make.actor(user), input=record_input(course.lectures[0], (0, 5)))
    with statements:
        client.execute(document, as_=make.actor(user), input=record_input(course.lectures[0], (0, 6)))
    assert len(without_begin(statements)) == 5, without_begin(statements)


def test_progress_without_enrollment_is_not_shown(client: Client, make: Factories) -> None:
    course, user = make.course(), make.user()
    make.lecture_progress(user, course.lectures[0])
    lecture = ProgressClient(client, make.actor(user)).course(course.global_id)["sections"][0]["lectures"][0]
    assert lecture["viewerProgress"] is None


def test_completed_enrollment_accepts_reports(client: Client, make: Factories) -> None:
    course, user = make.course(), make.user()
    completed_at = datetime(2026, 2, 1, tzinfo=UTC)
    make.enrollment(user, course, EnrollmentStatus.COMPLETED, completed_at=completed_at)
    enrollment = ProgressClient(client, make.actor(user)).record(course.lectures[0], (0, 30))["enrollment"]
    assert enrollment["status"] == "COMPLETED"
    assert enrollment["completedAt"] == "2026-02-01T00:00:00Z"
