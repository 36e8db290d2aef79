"""What is done in lectures: each rule of reports and ticks, on real databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import CourseStatus, Enrollment, EnrollmentStatus, Lecture, LectureType
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import ANONYMOUS, Role
from lms_graphql.learning.models import CourseProgress, LectureProgress
from tests.auth import Reception
from tests.factories import START, CourseTree, Factories, global_id
from tests.learning.progress_client import BARE_REPORT, BARE_TICK, REPORT, TICK, Learner, report_of, tick_of
from tests.live_service import Client, Service, Statements

LONG = 1_000


@pytest.fixture
def course(make: Factories) -> CourseTree:
    """Of two videos, a minute each, and a text."""
    course = make.course()
    text = make.lecture(course.sections[0], order_index=2, lecture_type=LectureType.TEXT, duration=0)
    course.lectures.append(text)
    return course


@pytest.fixture
def person(make: Factories, course: CourseTree) -> User:
    person = make.user()
    make.enrollment(person, course)
    return person


@pytest.fixture
def learner(client: Client, make: Factories, person: User) -> Learner:
    return Learner(client, make.actor(person))


def reported(service: Service, ago: timedelta) -> None:
    """The last report was so long ago."""
    then = update(CourseProgress).values(reported_at=clock.now() - ago)
    service.database.write_sync(lambda session: session.execute(then) and None)


def rows(service: Service, model: Any) -> list[Any]:
    return list(service.database.read_sync(lambda session: session.scalars(select(model)).all()))


def test_a_video_is_watched_in_stretches_until_it_is_done(
    learner: Learner, service: Service, course: CourseTree
) -> None:
    video = course.lectures[0]
    payload = learner.watches(video, (0, 20), (10, 30), position=30)
    progress, enrollment = payload["progress"], payload["enrollment"]
    assert (progress["watchSeconds"], progress["positionSeconds"], progress["isCompleted"]) == (30, 30, False)
    assert progress["startedAt"] == progress["lastAccessedAt"]
    assert progress["lecture"]["id"] == global_id("Lecture", video)
    assert enrollment["lastAccessedAt"][:16] == progress["lastAccessedAt"][:16]
    assert enrollment["progress"]["currentLecture"]["id"] == global_id("Lecture", video)
    assert enrollment["progress"]["watchSeconds"] == 30
    payload = learner.watches(video, (40, 50), position=50)
    assert (payload["progress"]["watchSeconds"], payload["progress"]["isCompleted"]) == (40, False)
    assert payload["progress"]["id"] == progress["id"]
    reported(service, timedelta(seconds=10))
    done = learner.watches(video, (30, 40), (50, 54), position=54)
    assert (done["progress"]["watchSeconds"], done["progress"]["isCompleted"]) == (54, True)
    assert done["progress"]["completedAt"] is not None
    course_progress = done["enrollment"]["progress"]
    assert (course_progress["percent"], course_progress["completedLectures"]) == (33.33, 1)
    assert course_progress["currentLecture"]["id"] == global_id("Lecture", course.lectures[1]), "the next one to do"


def test_nothing_is_lowered_by_an_old_report_or_an_empty_one(learner: Learner, course: CourseTree) -> None:
    video = course.lectures[0]
    done = learner.watches(video, (0, 60), position=60)["progress"]
    for stretches in ([], [(0, 5)], [(30, 30)]):
        again = learner.watches(video, *stretches, position=5)["progress"]
        assert (again["watchSeconds"], again["isCompleted"]) == (60, True)
        assert again["completedAt"] == done["completedAt"]
        assert again["positionSeconds"] == 5


def test_stretches_and_positions_are_cut_to_the_lecture(learner: Learner, course: CourseTree) -> None:
    largest = 2**31 - 1
    payload = learner.watches(course.lectures[0], (-50, 10), (50, largest), position=largest)
    assert (payload["progress"]["watchSeconds"], payload["progress"]["positionSeconds"]) == (20, 60)
    payload = learner.watches(course.lectures[0], (-(2**31), -5), (70, 80), position=-3)
    assert (payload["progress"]["watchSeconds"], payload["progress"]["positionSeconds"]) == (20, 0)
    text = learner.watches(course.lectures[2], (0, 60), position=9)["progress"]
    assert (text["watchSeconds"], text["positionSeconds"], text["isCompleted"]) == (0, 0, False)


def test_a_lecture_that_is_no_video_is_not_done_by_watching(
    learner: Learner, make: Factories, course: CourseTree
) -> None:
    page = make.lecture(course.sections[0], order_index=3, lecture_type=LectureType.RESOURCE, duration=30)
    progress = learner.watches(page, (0, 30))["progress"]
    assert (progress["watchSeconds"], progress["isCompleted"]) == (30, False)


def test_nobody_claims_more_than_twice_the_time_that_has_passed(
    client: Client, service: Service, make: Factories
) -> None:
    course = make.course(lectures=0)
    video, other = (make.lecture(course.sections[0], order_index=place, duration=LONG) for place in (0, 1))
    person = make.user()
    make.enrollment(person, course, enrolled_at=clock.now() - timedelta(seconds=20))
    learner = Learner(client, make.actor(person))
    first = learner.watches(video, (0, LONG))["progress"]["watchSeconds"]
    assert 50 <= first < 70, "since they enrolled"
    reported(service, timedelta(seconds=0))
    assert 10 <= learner.watches(other, (0, LONG))["progress"]["watchSeconds"] < 30, "a report of any lecture counts"
    reported(service, timedelta(seconds=100))
    payload = learner.watches(other, (500, 600), (700, 800), (900, LONG))
    assert 210 <= payload["progress"]["watchSeconds"] - 10 < 260, "of all stretches together"


@pytest.mark.parametrize(
    ("stretches", "faults"),
    [
        ([(0, 1)] * 101, [("LIMIT_REACHED", ["input", "watched"])]),
        ([(2, 1)], [("INVALID", ["input", "watched", "0"])]),
        ([(0, 1), (5, -5), (2, 1)], [("INVALID", ["input", "watched", "1"]), ("INVALID", ["input", "watched", "2"])]),
    ],
)
def test_reports_that_cannot_be(
    learner: Learner, service: Service, course: CourseTree, stretches: list[tuple[int, int]], faults: list[Any]
) -> None:
    assert learner.user_errors(REPORT, report_of(course.lectures[0], *stretches)) == faults
    assert rows(service, LectureProgress) == []
    (enrollment,) = rows(service, Enrollment)
    assert enrollment.last_accessed is None


def test_a_hundred_stretches_are_taken(learner: Learner, course: CourseTree) -> None:
    stretches = [(second % 60, second % 60 + 1) for second in range(100)]
    assert learner.watches(course.lectures[0], *stretches)["progress"]["watchSeconds"] == 60


@pytest.mark.parametrize("value", ["1", 1.5, 2**31, None])
def test_seconds_are_whole_numbers(client: Client, learner: Learner, course: CourseTree, value: Any) -> None:
    said = {**report_of(course.lectures[0]), "positionSeconds": value}
    assert client.error_codes(REPORT, as_=learner.actor, input=said) == ["BAD_USER_INPUT"]


def test_lectures_are_ticked_and_unticked_by_hand(learner: Learner, course: CourseTree) -> None:
    text = course.lectures[2]
    ticked = learner.ticks(text)
    assert ticked["progress"]["isCompleted"] is True
    assert ticked["progress"]["completedAt"] is not None
    assert ticked["enrollment"]["lastAccessedAt"] is not None
    assert ticked["enrollment"]["progress"]["percent"] == 33.33
    again = learner.ticks(text)["progress"]
    assert again["completedAt"] == ticked["progress"]["completedAt"]
    back = learner.ticks(text, False)
    assert (back["progress"]["isCompleted"], back["progress"]["completedAt"]) == (False, None)
    assert back["progress"]["id"] == ticked["progress"]["id"]
    assert back["enrollment"]["progress"]["percent"] == 0
    never = learner.ticks(course.lectures[1], False)["progress"]
    assert (never["isCompleted"], never["watchSeconds"]) == (False, 0)


def test_a_tick_that_was_taken_back_stays_so_until_more_is_watched(learner: Learner, course: CourseTree) -> None:
    video = course.lectures[0]
    assert learner.watches(video, (0, 55))["progress"]["isCompleted"]
    learner.ticks(video, False)
    assert not learner.watches(video, (0, 55))["progress"]["isCompleted"], "a report that was late"
    assert learner.watches(video, (55, 60))["progress"]["isCompleted"]


def test_a_tick_is_no_report_and_takes_nobody_their_time(
    learner: Learner, service: Service, course: CourseTree
) -> None:
    learner.watches(course.lectures[1], (0, 1))
    reported(service, timedelta(seconds=60))
    learner.ticks(course.lectures[2])
    assert learner.watches(course.lectures[0], (0, 60))["progress"]["watchSeconds"] == 60


def test_a_quiz_is_not_done_by_hand(learner: Learner, make: Factories, course: CourseTree) -> None:
    quiz = make.lecture(course.sections[0], order_index=3, lecture_type=LectureType.QUIZ)
    for is_completed in (True, False):
        assert learner.user_errors(TICK, tick_of(quiz, is_completed)) == [("INVALID", ["input", "lectureId"])]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("status", list(CourseStatus))
def test_who_is_not_enrolled_gets_nowhere(client: Client, make: Factories, role: Role, status: CourseStatus) -> None:
    course = make.course(status=status)
    for person in (make.user(role), course.instructor):
        stranger = Learner(client, make.actor(person))
        is_seen = status is CourseStatus.PUBLISHED or person is course.instructor or person.role is Role.SUPER_ADMIN
        expected = [("NOT_ENROLLED" if is_seen else "NOT_FOUND", ["input", "lectureId"])]
        for lecture in course.lectures:  # the first one is a preview
            assert stranger.user_errors(REPORT, report_of(lecture, (0, 5))) == expected
            assert stranger.user_errors(TICK, tick_of(lecture)) == expected


@pytest.mark.parametrize(
    ("status", "expires", "opens"),
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
@pytest.mark.parametrize("where", [CourseStatus.PUBLISHED, CourseStatus.ARCHIVED])
def test_progress_is_written_by_those_with_access_and_read_by_all_who_have_enrolled(
    client: Client,
    make: Factories,
    status: EnrollmentStatus,
    expires: timedelta | None,
    opens: bool,
    where: CourseStatus,
) -> None:
    course, person = make.course(status=where), make.user()
    until = None if expires is None else clock.now() + expires
    make.enrollment(person, course, status, access_expires_at=until)
    make.lecture_progress(person, course.lectures[1], watch_time=7)
    learner = Learner(client, make.actor(person))
    refused = [("NOT_ENROLLED", ["input", "lectureId"])]
    if opens:
        learner.watches(course.lectures[0], (0, 5))
        learner.ticks(course.lectures[0])
    else:
        assert learner.user_errors(REPORT, report_of(course.lectures[0], (0, 5))) == refused
        assert learner.user_errors(TICK, tick_of(course.lectures[0])) == refused
        assert learner.user_errors(REPORT, report_of(course.lectures[0], (5, 0)))[0][0] == "INVALID", (
            "faults come first"
        )
    lectures = learner.sees(course.global_id)["sections"][0]["lectures"]
    assert lectures[1]["viewerProgress"]["watchSeconds"] == 7
    assert (lectures[0]["viewerProgress"] is not None) is opens


def test_ids_of_nothing_of_other_kinds_and_of_what_is_gone_are_not_found(
    client: Client, learner: Learner, make: Factories, course: CourseTree
) -> None:
    gone = make.lecture(course.sections[0], order_index=3, deleted_at=START)
    below = make.lecture(make.section(course, order_index=1, deleted_at=START))
    draft = make.course(status=CourseStatus.DRAFT)
    make.enrollment(make.user(), draft)
    other = [global_id("Lecture", lecture) for lecture in (gone, below, draft.lectures[0])]
    for id in ("", "nonsense", global_ids.encode("Lecture", 10**9), global_id("Section", course.sections[0]), *other):
        assert learner.user_errors(REPORT, report_of(id, (3, 1))) == [("NOT_FOUND", ["input", "lectureId"])]
        assert learner.user_errors(TICK, tick_of(id)) == [("NOT_FOUND", ["input", "lectureId"])]
    for document, input in ((REPORT, report_of(course.lectures[0])), (TICK, tick_of(course.lectures[0]))):
        assert client.error_codes(document, as_=ANONYMOUS, input=input) == ["UNAUTHENTICATED"]


def test_a_lecture_of_another_course_is_not_reached_through_ones_own(
    learner: Learner, service: Service, make: Factories
) -> None:
    other = make.course()
    make.enrollment(make.user(), other)
    assert learner.user_errors(REPORT, report_of(other.lectures[0], (0, 5)))[0][0] == "NOT_ENROLLED"
    assert rows(service, LectureProgress) == []


def test_everybody_has_progress_of_their_own(
    client: Client, make: Factories, learner: Learner, course: CourseTree
) -> None:
    fellow = make.user()
    make.enrollment(fellow, course)
    theirs = Learner(client, make.actor(fellow))
    learner.watches(course.lectures[0], (0, 20))
    assert theirs.watches(course.lectures[0], (30, 35))["progress"]["watchSeconds"] == 5
    for who, seconds in ((learner, 20), (theirs, 5)):
        lecture = who.sees(course.global_id)["sections"][0]["lectures"][0]
        assert lecture["viewerProgress"]["watchSeconds"] == seconds
    for other in (make.user(), course.instructor, make.user(Role.SUPER_ADMIN)):
        stranger = Learner(client, make.actor(other)).sees(course.global_id)
        assert [lecture["viewerProgress"] for lecture in stranger["sections"][0]["lectures"]] == [None] * 3


def test_two_devices_add_up(learner: Learner, service: Service, course: CourseTree) -> None:
    video = course.lectures[0]
    learner.watches(video, (0, 20), position=20)
    for_each = timedelta(seconds=20)
    reported(service, for_each)
    learner.watches(video, (40, 60), position=60)
    reported(service, for_each)
    progress = learner.watches(video, (10, 45), position=45)["progress"]
    assert (progress["watchSeconds"], progress["positionSeconds"]) == (60, 45)


def test_a_lecture_that_became_shorter_lowers_nothing(learner: Learner, service: Service, course: CourseTree) -> None:
    video = course.lectures[0]
    learner.watches(video, (0, 50))
    shorter = update(Lecture).where(Lecture.id == video.id).values(duration=40)
    service.database.write_sync(lambda session: session.execute(shorter) and None)
    assert learner.watches(video, (0, 40), position=60)["progress"]["watchSeconds"] == 50


@pytest.mark.parametrize("number", [1, 40])
def test_the_progress_of_a_whole_tree_is_one_statement(
    client: Client, make: Factories, statements: Statements, number: int
) -> None:
    course, person = make.course(lectures=number), make.user()
    make.enrollment(person, course)
    for lecture in course.lectures:
        make.lecture_progress(person, lecture)
    document = "query C($id: ID!) { node(id: $id) { ... on Course { sections { lectures { id %s } } } } }"

    def count(more: str) -> int:
        with statements:
            client.execute(document % more, as_=make.actor(person), id=course.global_id)
        return statements.count

    assert count("viewerProgress { isCompleted }") == count("") + 1


def sent(statements: Statements) -> list[str]:
    """BEGIN IMMEDIATE is counted on SQLite alone: elsewhere the driver sends it by itself."""
    return [text for text in statements.texts if not text.startswith("BEGIN")]


def test_a_report_takes_six_statements_with_those_that_ask_who_it_is(
    client: Client, service: Service, make: Factories, course: CourseTree, person: User, statements: Statements
) -> None:
    reception = Reception(service.database, service.resources.settings, service.resources.signer)
    bearer = reception.sign_in(person).access_token
    said = report_of(course.lectures[0], (0, 5))
    client.execute(BARE_REPORT, bearer=bearer, input=said)
    for second in range(5, 40, 5):
        with statements:
            client.execute(BARE_REPORT, bearer=bearer, input=report_of(course.lectures[0], (second, second + 5)))
        assert len(sent(statements)) == 6, sent(statements)
        assert sum("user_sessions" in text or " sessions" in text for text in sent(statements)) == 2, (
            "asked who it is, then whether still"
        )
    with statements:
        client.execute(BARE_TICK, bearer=bearer, input=tick_of(course.lectures[1]))
    assert len(sent(statements)) <= 13, sent(statements)


def test_a_right_answer_comes_back_without_reading_again(
    client: Client, make: Factories, course: CourseTree, person: User, statements: Statements
) -> None:
    document = BARE_REPORT.replace("enrollment { id status }", "enrollment { id status progress { percent } }")
    client.execute(document, as_=make.actor(person), input=report_of(course.lectures[0], (0, 5)))
    with statements:
        client.execute(document, as_=make.actor(person), input=report_of(course.lectures[0], (0, 6)))
    assert len(sent(statements)) == 5, sent(statements)


def test_someone_with_progress_but_without_an_enrollment_sees_none(client: Client, make: Factories) -> None:
    course, person = make.course(), make.user()
    make.lecture_progress(person, course.lectures[0])
    lecture = Learner(client, make.actor(person)).sees(course.global_id)["sections"][0]["lectures"][0]
    assert lecture["viewerProgress"] is None


def test_an_enrollment_that_ran_out_long_ago_and_came_back_goes_on(client: Client, make: Factories) -> None:
    course, person = make.course(), make.user()
    done = datetime(2026, 2, 1, tzinfo=UTC)
    make.enrollment(person, course, EnrollmentStatus.COMPLETED, completed_at=done)
    learner = Learner(client, make.actor(person))
    payload = learner.watches(course.lectures[0], (0, 30))
    assert payload["enrollment"]["status"] == "COMPLETED"
    assert payload["enrollment"]["completedAt"] == "2026-02-01T00:00:00Z"
