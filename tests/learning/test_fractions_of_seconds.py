"""Reports of players with fractions of seconds, and numbers that are no positions."""

from typing import Any

import pytest

from tests.factories import CourseTree, Factories
from tests.learning.progress_client import RECORD, ProgressClient, record_input
from tests.live_service import Client

MUTATION = "recordLectureProgress"
MIN_INT, MAX_INT = -(2**31), 2**31 - 1


@pytest.fixture
def course(make: Factories) -> CourseTree:
    """Two videos of a minute."""
    return make.course()


@pytest.fixture
def learner(client: Client, make: Factories, course: CourseTree) -> ProgressClient:
    user = make.user()
    make.enrollment(user, course)
    return ProgressClient(client, make.actor(user))


def test_fractions_are_rounded_down_and_add_up(learner: ProgressClient, course: CourseTree) -> None:
    reports: list[tuple[list[tuple[float, float]], float, int, int]] = [
        ([(0, 4.7)], 4.7, 4, 4),
        ([(4.7, 4.95)], 4.95, 4, 4),
        ([(4.95, 9.3)], 9.3, 9, 9),
        ([(20.2, 20.9), (20.9, 21.999)], 21.999, 10, 21),
        ([(-0.5, 0.5), (59.5, 60.5)], 60.5, 11, 60),
        ([], -0.5, 11, 0),
    ]
    for ranges, position, seconds, stored_position in reports:
        progress = learner.record(course.lectures[0], *ranges, position=position)["progress"]
        assert (progress["watchSeconds"], progress["positionSeconds"]) == (seconds, stored_position), ranges


def test_seconds_that_cannot_be_stored_are_rejected(learner: ProgressClient, course: CourseTree) -> None:
    start, end = "watched.0.startSeconds", "watched.0.endSeconds"
    reports: list[tuple[float, tuple[float, float], list[tuple[str, str]]]] = [
        (MAX_INT, (MIN_INT, MAX_INT), []),
        (2.0**31, (0, 1), [("OUT_OF_RANGE", "positionSeconds")]),
        (-1e300, (1e300, 1), [("OUT_OF_RANGE", "positionSeconds"), ("OUT_OF_RANGE", start)]),
        (0, (MIN_INT - 0.5, 10**30), [("OUT_OF_RANGE", start), ("OUT_OF_RANGE", end)]),
        (0, (4.7, 4.2), [("INVALID", "watched.0")]),
    ]
    for position, seconds_range, expected in reports:
        input = record_input(course.lectures[1], seconds_range, position=position)
        errors = learner.payload(MUTATION, **input)["errors"]
        assert [(error["code"], ".".join(error["path"][1:])) for error in errors] == expected


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_infinite_numbers_and_nan_are_rejected(client: Client, learner: ProgressClient, course: CourseTree) -> None:
    literal = RECORD.replace("$input: RecordLectureProgressInput!", "$id: ID!")
    literal = literal.replace("input: $input", "input: {lectureId: $id, positionSeconds: 1e400, watched: []}")
    lecture_id = record_input(course.lectures[0])["lectureId"]
    (error,) = client.execute(literal, as_=learner.actor, id=lecture_id)[MUTATION]["errors"]
    assert (error["code"], error["path"]) == ("OUT_OF_RANGE", ["input", "positionSeconds"])
    for number in (b"NaN", b"Infinity", b"1e400"):
        body = b'{"query": "query Q($n: Float) { courses { totalCount } }", "variables": {"n": %s}}' % number
        response: Any = client.send(
            "POST", "/graphql", content=body, headers={"content-type": "application/json"}
        ).json()
        assert response["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", number
