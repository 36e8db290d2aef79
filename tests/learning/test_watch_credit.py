"""Credit of watched time: how many seconds reports may add, and what a changed duration means."""

import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lms_graphql.catalog.models import Lecture, LectureType
from lms_graphql.core import clock
from lms_graphql.learning.models import CourseProgress
from tests.factories import CourseTree, Factories
from tests.learning.progress_client import ProgressClient
from tests.live_service import Client, Service

LONG = 1_000
START_CREDIT = 10


@pytest.fixture
def course(make: Factories) -> CourseTree:
    course = make.course(lectures=0)
    course.lectures += [make.lecture(course.sections[0], order_index=index, duration=LONG) for index in range(2)]
    return course


@pytest.fixture
def learner(client: Client, make: Factories, course: CourseTree) -> ProgressClient:
    """Create a learner who has just enrolled."""
    user = make.user()
    make.enrollment(user, course, enrolled_at=clock.now())
    return ProgressClient(client, make.actor(user))


def execute(service: Service, statement: Any) -> None:
    service.database.write_sync(lambda session: session.execute(statement) and None)


def set_credit(service: Service, seconds: int) -> None:
    """Set the credit that is available now."""
    since = clock.now() - timedelta(seconds=seconds / 2)
    execute(service, update(CourseProgress).values(credit_since=since))


def set_duration(service: Service, lecture: Lecture, seconds: int) -> None:
    execute(service, update(Lecture).where(Lecture.id == lecture.id).values(duration=seconds))


def watched(learner: ProgressClient, lecture: Lecture, *ranges: tuple[int, int]) -> int:
    return int(learner.record(lecture, *ranges)["progress"]["watchSeconds"])


def test_reports_in_a_row_claim_no_more_than_one(
    learner: ProgressClient, service: Service, course: CourseTree
) -> None:
    video = course.lectures[0]
    set_duration(service, video, 100)
    begin = time.monotonic()
    reports = [learner.record(video, (start, start + 10))["progress"] for start in range(0, 100, 10)]
    elapsed = time.monotonic() - begin
    assert START_CREDIT <= reports[-1]["watchSeconds"] <= START_CREDIT + 2 * elapsed + 2
    assert not reports[-1]["isCompleted"] or elapsed > 30


def test_reports_of_all_lectures_share_credit(learner: ProgressClient, course: CourseTree) -> None:
    begin = time.monotonic()
    seconds = [watched(learner, lecture, (0, LONG)) for lecture in course.lectures]
    assert START_CREDIT <= sum(seconds) <= START_CREDIT + 2 * (time.monotonic() - begin) + 2


@pytest.mark.parametrize(("used", "remaining"), [(20, 10), (95, 5), (100, 0)])
def test_unused_credit_is_carried_over_up_to_ten_seconds(
    learner: ProgressClient, service: Service, course: CourseTree, used: int, remaining: int
) -> None:
    video = course.lectures[0]
    watched(learner, video)
    begin = time.monotonic()
    set_credit(service, 100)
    assert watched(learner, video, (0, used)) == used
    seconds = watched(learner, video, (0, LONG)) - used
    assert remaining <= seconds <= remaining + 2 * (time.monotonic() - begin) + 2


def test_repeated_ranges_need_no_credit(learner: ProgressClient, service: Service, course: CourseTree) -> None:
    video = course.lectures[0]
    watched(learner, video, (0, 10))
    for _ in range(3):
        assert watched(learner, video, (0, 10)) == 10
    set_credit(service, 20)
    assert watched(learner, video, (0, 30)) == 30, "a report may contain all that was played"


def test_instant_in_future_becomes_now(learner: ProgressClient, service: Service, course: CourseTree) -> None:
    video = course.lectures[0]
    watched(learner, video)
    execute(service, update(CourseProgress).values(credit_since=clock.now() + timedelta(days=1)))
    assert watched(learner, video, (0, LONG)) == 0
    credit_since = service.database.read_sync(lambda session: session.scalar(select(CourseProgress.credit_since)))
    assert credit_since is not None
    assert credit_since <= clock.now(), "a clock that was ahead stops nobody for a day"


def test_video_of_unknown_duration_keeps_ranges_and_position(
    learner: ProgressClient, service: Service, course: CourseTree
) -> None:
    video = course.lectures[0]
    set_duration(service, video, 0)
    watched(learner, video)
    set_credit(service, 100)
    progress = learner.record(video, (-5, 50), (60, 100), position=100)["progress"]
    assert (progress["watchSeconds"], progress["positionSeconds"], progress["isCompleted"]) == (90, 100, False)
    assert learner.record(video, position=-1)["progress"]["positionSeconds"] == 0
    set_duration(service, video, 100)
    progress = learner.record(video, position=200)["progress"]
    assert (progress["isCompleted"], progress["positionSeconds"]) == (True, 100)


@pytest.mark.parametrize("kind", [LectureType.TEXT, LectureType.RESOURCE])
def test_other_lectures_without_duration_keep_nothing(
    learner: ProgressClient, make: Factories, course: CourseTree, kind: LectureType
) -> None:
    lecture = make.lecture(course.sections[0], order_index=2, lecture_type=kind, duration=0)
    progress = learner.record(lecture, (0, 5), position=5)["progress"]
    assert (progress["watchSeconds"], progress["positionSeconds"]) == (0, 0)


def test_shortened_video_is_completed_by_next_report(
    learner: ProgressClient, service: Service, course: CourseTree
) -> None:
    video = course.lectures[0]
    watched(learner, video)
    set_credit(service, 100)
    assert not learner.record(video, (0, 60))["progress"]["isCompleted"]
    set_duration(service, video, 50)
    progress = learner.record(video, position=50)["progress"]
    assert (progress["isCompleted"], progress["watchSeconds"]) == (True, 60)


def test_unmarked_video_is_completed_by_new_seconds_only_when_shortened(
    learner: ProgressClient, service: Service, course: CourseTree
) -> None:
    video = course.lectures[0]
    watched(learner, video)
    set_credit(service, 100)
    learner.record(video, (0, 40))
    learner.set_completed(video, False)
    set_duration(service, video, 40)
    assert not learner.record(video, (0, 40))["progress"]["isCompleted"]
    set_duration(service, video, 42)
    assert learner.record(video, (40, 41))["progress"]["isCompleted"]
