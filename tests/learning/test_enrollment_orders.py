"""Orders of enrollments, with pages in both directions, and the search for learners by name."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from lms_graphql.accounts.services import users
from lms_graphql.catalog.models import Enrollment
from lms_graphql.core.actor import Actor, Role
from lms_graphql.learning.services import progress_repair
from tests.factories import Factories, global_id
from tests.learning.enrollment_client import rows
from tests.live_service import Client, Service
from tests.row_writer import START

FIELDS = """{
  totalCount nodes { id user { username } progress { percent } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
}"""
PAGE = "$orderBy: EnrollmentOrder, $first: Int, $after: String, $last: Int, $before: String"
ARGUMENTS = "orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before"
OF_COURSE = f"""query C($id: ID!, $search: String, {PAGE}) {{
  node(id: $id) {{ ... on Course {{ enrollments(search: $search, {ARGUMENTS}) {FIELDS} }} }}
}}"""
OF_USER = f"query U($id: ID!, {PAGE}) {{ node(id: $id) {{ ... on User {{ enrollments({ARGUMENTS}) {FIELDS} }} }} }}"
DAY = timedelta(days=1)
STATES = [
    # day of the enrollment, day of the last access, completed lectures of three
    (0, None, None),
    (1, 8, 1),
    (2, 9, 3),
    (3, None, 0),
    (3, 8, 1),
    (4, 7, 2),
]
ORDERS = {
    "NEWEST": [5, 4, 3, 2, 1, 0],
    "OLDEST": [0, 1, 2, 3, 4, 5],
    "LAST_ACCESSED": [2, 4, 1, 5, 3, 0],
    "MOST_PROGRESS": [2, 5, 4, 1, 3, 0],
    "LEAST_PROGRESS": [0, 3, 1, 4, 5, 2],
}


class Enrollments:
    """Enrollments in the states of `STATES`: all of one course, or all of one user."""

    def __init__(self, client: Client, make: Factories, *, of_user: bool) -> None:
        self._client = client
        learner, course = make.user(), make.course(lectures=3)
        self.document = OF_USER if of_user else OF_COURSE
        self.id = global_id("User", learner) if of_user else course.global_id
        self.actor: Actor = make.actor(make.user(Role.SUPER_ADMIN))
        self.ids = []
        for enrolled, accessed, completed in STATES:
            user, parent = (learner, make.course()) if of_user else (make.user(), course)
            accessed_at = None if accessed is None else START + accessed * DAY
            row = make.enrollment(user, parent, enrolled_at=START + enrolled * DAY, last_accessed=accessed_at)
            if completed is not None:
                make.progress(row, completed_lectures=completed, total_lectures=3)
            self.ids.append(global_id("Enrollment", row))

    def page(self, **variables: Any) -> Any:
        data = self._client.execute(self.document, as_=self.actor, id=self.id, **variables)
        return data["node"]["enrollments"]

    def numbers(self, page: Any) -> list[int]:
        return [self.ids.index(node["id"]) for node in page["nodes"]]


@pytest.mark.parametrize("of_user", [False, True])
def test_orders_hold_on_pages_in_both_directions(client: Client, make: Factories, of_user: bool) -> None:
    enrollments = Enrollments(client, make, of_user=of_user)
    assert enrollments.numbers(enrollments.page()) == ORDERS["NEWEST"]
    for order, expected in ORDERS.items():
        assert enrollments.numbers(enrollments.page(orderBy=order)) == expected, order
        forward: list[int] = []
        cursor, has_more = None, True
        while has_more:  # pages of one item, so that each item is a cursor
            page = enrollments.page(orderBy=order, first=1, after=cursor)
            forward += enrollments.numbers(page)
            cursor, has_more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        backward: list[int] = []
        cursor, has_more = None, True
        while has_more:
            page = enrollments.page(orderBy=order, last=1, before=cursor)
            backward = enrollments.numbers(page) + backward
            cursor, has_more = page["pageInfo"]["startCursor"], page["pageInfo"]["hasPreviousPage"]
        assert forward == backward == expected, order
        first, last = (enrollments.page(orderBy=order, **size)["pageInfo"] for size in ({"first": 1}, {"last": 1}))
        bounds = {"after": first["endCursor"], "before": last["startCursor"]}
        assert enrollments.numbers(enrollments.page(orderBy=order, **bounds)) == expected[1:-1], order


def test_cursor_of_another_order_is_rejected(client: Client, make: Factories) -> None:
    enrollments = Enrollments(client, make, of_user=False)
    cursor = enrollments.page(orderBy="MOST_PROGRESS", first=1)["pageInfo"]["endCursor"]
    arguments = {"as_": enrollments.actor, "id": enrollments.id, "after": cursor}
    for order in ("LEAST_PROGRESS", "LAST_ACCESSED", "NEWEST"):
        assert client.error_codes(OF_COURSE, **arguments, orderBy=order) == ["BAD_CURSOR"]


def test_progress_order_follows_progress(client: Client, make: Factories, service: Service) -> None:
    course, first, second = make.course(lectures=2), make.user(), make.user()
    instructor, learners = make.actor(course.instructor), (make.actor(first), make.actor(second))
    complete = """mutation S($course: ID!, $lecture: ID!) {
      enroll(input: {courseId: $course}) { errors { code } }
      setLectureCompleted(input: {lectureId: $lecture, isCompleted: %s}) { errors { code } }
    }"""

    def most_progress() -> list[tuple[str, float]]:
        data = client.execute(OF_COURSE, as_=instructor, id=course.global_id, orderBy="MOST_PROGRESS")
        nodes = data["node"]["enrollments"]["nodes"]
        return [(node["user"]["username"], node["progress"]["percent"]) for node in nodes]

    variables = {"course": course.global_id, "lecture": global_id("Lecture", course.lectures[0])}
    client.execute(complete % "false", as_=learners[1], **variables)
    client.execute(complete % "true", as_=learners[0], **variables)
    assert most_progress() == [(first.username, 50), (second.username, 0)]
    client.execute(complete % "false", as_=learners[0], **variables)
    client.execute(complete % "true", as_=learners[1], **variables)
    assert most_progress() == [(second.username, 50), (first.username, 0)]
    assert service.database.read_sync(progress_repair.find_progress_drift) == []


def test_percentages_of_enrollments_are_repaired(make: Factories, service: Service) -> None:
    course, learner = make.course(), make.user()
    make.lecture_progress(learner, course.lectures[0], is_completed=True)
    make.progress(make.enrollment(learner, course), completed_lectures=1, total_lectures=2)
    make.enrollment(make.user(), course)
    damage = text("UPDATE enrollments SET progress_hundredths = 10000")
    service.database.write_sync(lambda session: session.execute(damage) and None)
    line = "enrollments.progress_hundredths: wrong in 2 rows"
    assert service.database.read_sync(progress_repair.find_progress_drift) == [line]
    assert "enrollments.progress_hundredths: 2 rows repaired" in service.database.write_sync(
        progress_repair.repair_progress
    )
    stored = select(Enrollment.progress_hundredths).order_by(Enrollment.id)
    assert rows(service.database, stored) == [5000, 0]
    assert service.database.read_sync(progress_repair.find_progress_drift) == []


def test_search_finds_learners_by_name_only(client: Client, make: Factories, service: Service) -> None:
    course, admin = make.course(), make.actor(make.user(Role.SUPER_ADMIN))
    names = [("Øystein", "Łęcki"), ("Ann-Marie", "O'Neill"), ("机器", "学习"), ("Bob", "Gone")]
    learners = [make.user(first_name=first, last_name=last) for first, last in names]
    for learner in learners:
        make.enrollment(learner, course)
    make.user(first_name="Bob", last_name="Elsewhere")
    gone = global_id("User", learners[3])
    service.database.write_sync(lambda session: users.delete_user(session, admin, gone))

    def found(search: str | None) -> list[int]:
        variables = {"id": course.global_id, "search": search, "orderBy": "OLDEST"}
        data = client.execute(OF_COURSE, as_=make.actor(course.instructor), **variables)
        enrollments = data["node"]["enrollments"]
        assert enrollments["totalCount"] == len(enrollments["nodes"])
        usernames = [learner.username for learner in learners]
        return [
            usernames.index(node["user"]["username"]) if node["user"]["username"] in usernames else 3
            for node in enrollments["nodes"]
        ]

    assert found(None) == found("  ") == [0, 1, 2, 3]
    assert found("oystein lec") == found("LECKI øyst") == [0]
    assert found("neill") == found("marie o") == [1]
    assert found("器") == [2]
    for unseen in ("bob", "!!!", "example", learners[0].username, str(learners[0].email)):
        assert found(unseen) == [], unseen
    too_long = {"id": course.global_id, "search": "x" * 201}
    assert client.error_codes(OF_COURSE, as_=admin, **too_long) == ["BAD_USER_INPUT"]
