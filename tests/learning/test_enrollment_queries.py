"""Queries of enrollments and progress: visibility on each path, status, filters and pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.factories import Factories, global_id
from tests.live_service import Client
from tests.row_writer import START

FIELDS = """
fragment Fields on Enrollment {
  id status source enrolledAt completedAt accessExpiresAt lastAccessedAt user { username } course { title }
}
"""
NODE = "query N($id: ID!) { node(id: $id) { ...Fields } }" + FIELDS
NODES = "query N($ids: [ID!]!) { nodes(ids: $ids) { ...Fields } }" + FIELDS
VIEWER_ENROLLMENT = "query M($slug: String!) { course(slug: $slug) { viewerEnrollment { ...Fields } } }" + FIELDS
COURSE_ENROLLMENTS = (
    """
query C($id: ID!, $status: EnrollmentStatus, $first: Int, $after: String, $last: Int, $before: String) {
  node(id: $id) { ... on Course {
    enrollments(status: $status, first: $first, after: $after, last: $last, before: $before) {
      totalCount nodes { ...Fields } edges { cursor }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  } }
}
"""
    + FIELDS
)
USER_ENROLLMENTS = COURSE_ENROLLMENTS.replace("... on Course", "... on User")
PROGRESS = """
query P($id: ID!) { node(id: $id) { ... on Enrollment { progress {
  id percent completedLectures totalLectures passedQuizzes totalQuizzes watchSeconds updatedAt
  currentLecture { id } lectures { id isCompleted watchSeconds positionSeconds lecture { id } }
} } } }
"""

STAFF_AND_LEARNER = {"learner", "instructor", "admin"}
VIEWERS = ["anonymous", "other_user", "other_learner", "other_instructor", *sorted(STAFF_AND_LEARNER)]


class Scenario:
    """A course with two learners, and users who are not in it."""

    def __init__(self, make: Factories, status: CourseStatus = CourseStatus.PUBLISHED) -> None:
        self.make = make
        self.instructor = make.user(Role.INSTRUCTOR)
        self.other_instructor = make.user(Role.INSTRUCTOR)
        self.admin = make.user(Role.SUPER_ADMIN)
        self.learner, self.other_learner, self.other_user = (make.user() for _ in range(3))
        self.course = make.course(instructor=self.instructor, status=status)
        make.course(instructor=self.other_instructor)
        make.enrollment(self.other_learner, self.course)
        self.enrollment = make.enrollment(
            self.learner,
            self.course,
            source=EnrollmentSource.GRANT,
            last_accessed=START + timedelta(hours=2),
            access_expires_at=datetime(2096, 1, 1, tzinfo=UTC),
        )

    def actor(self, name: str) -> Actor:
        user: User | None = getattr(self, name, None)
        return ANONYMOUS if user is None else self.make.actor(user)


@pytest.mark.parametrize("status", [CourseStatus.PUBLISHED, CourseStatus.ARCHIVED])
@pytest.mark.parametrize("viewer", VIEWERS)
def test_enrollment_is_visible_to_learner_and_staff(
    client: Client, make: Factories, viewer: str, status: CourseStatus
) -> None:
    scenario = Scenario(make, status)
    actor, id = scenario.actor(viewer), global_id("Enrollment", scenario.enrollment)
    enrollment = {
        "id": id,
        "status": "ACTIVE",
        "source": "GRANT",
        "enrolledAt": "2026-01-01T12:00:00Z",
        "completedAt": None,
        "accessExpiresAt": "2096-01-01T00:00:00Z",
        "lastAccessedAt": "2026-01-01T14:00:00Z",
        "user": {"username": scenario.learner.username},
        "course": {"title": scenario.course.row.title},
    }
    expected = enrollment if viewer in STAFF_AND_LEARNER else None
    assert client.execute(NODE, as_=actor, id=id)["node"] == expected
    assert client.execute(NODES, as_=actor, ids=[id])["nodes"] == [expected]
    for document, parent, allowed in (
        (COURSE_ENROLLMENTS, global_id("Course", scenario.course.row), {"instructor", "admin"}),
        (USER_ENROLLMENTS, global_id("User", scenario.learner), {"learner", "admin"}),
    ):
        body = client.graphql(document, as_=actor, id=parent)
        if body["data"]["node"] is None:  # the viewer does not see the archived course, or the user if anonymous
            assert viewer not in STAFF_AND_LEARNER
            assert "errors" not in body
        elif viewer in allowed:
            assert enrollment in body["data"]["node"]["enrollments"]["nodes"]
        else:
            assert body["data"]["node"] == {"enrollments": None}
            assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]


def test_course_has_enrollment_of_viewer(client: Client, make: Factories) -> None:
    scenario = Scenario(make)
    for viewer in VIEWERS:
        slug = scenario.course.slug
        course = client.execute(VIEWER_ENROLLMENT, as_=scenario.actor(viewer), slug=slug)["course"]
        enrollment = course["viewerEnrollment"]
        username = getattr(scenario, viewer).username if viewer in {"learner", "other_learner"} else None
        assert (enrollment and enrollment["user"]["username"]) == username


def test_own_enrollment_exposes_no_other_enrollments(client: Client, make: Factories) -> None:
    """The course of an enrollment leads to the other learners in it."""
    scenario = Scenario(make)
    total_count = "enrollments { totalCount }"
    document = f"{{ me {{ enrollments {{ nodes {{ course {{ {total_count} }} user {{ {total_count} }} }} }} }} }}"
    body = client.graphql(document, as_=scenario.actor("learner"))
    (node,) = body["data"]["me"]["enrollments"]["nodes"]
    assert node == {"course": {"enrollments": None}, "user": {"enrollments": {"totalCount": 1}}}
    learners = """query S($id: ID!) { node(id: $id) { ... on Course {
      enrollments { nodes { user { username enrollments { totalCount } email } } }
    } } }"""
    body = client.graphql(learners, as_=scenario.actor("instructor"), id=scenario.course.global_id)
    users = [node["user"] for node in body["data"]["node"]["enrollments"]["nodes"]]
    assert {user["username"] for user in users} == {scenario.learner.username, scenario.other_learner.username}
    assert all(user["enrollments"] is None and user["email"] is None for user in users)
    assert {error["extensions"]["code"] for error in body["errors"]} == {"FORBIDDEN"}


PAST, FUTURE = timedelta(hours=-1), timedelta(hours=1)
STATUSES = [
    # stored status, end of access, and the status that is read
    (EnrollmentStatus.ACTIVE, None, "ACTIVE"),
    (EnrollmentStatus.ACTIVE, FUTURE, "ACTIVE"),
    (EnrollmentStatus.ACTIVE, PAST, "EXPIRED"),
    (EnrollmentStatus.COMPLETED, None, "COMPLETED"),
    (EnrollmentStatus.COMPLETED, PAST, "EXPIRED"),
    (EnrollmentStatus.EXPIRED, FUTURE, "EXPIRED"),
    (EnrollmentStatus.CANCELLED, PAST, "CANCELLED"),
    (EnrollmentStatus.REFUNDED, PAST, "REFUNDED"),
    (EnrollmentStatus.SUSPENDED, PAST, "SUSPENDED"),
]


def test_expired_status_applies_to_filters_and_counts(client: Client, make: Factories) -> None:
    course, now = make.course(), datetime.now(UTC)
    expected: dict[str, set[str]] = {}
    for stored, expires, status_now in STATUSES:
        enrollment = make.enrollment(make.user(), course, stored, access_expires_at=expires and now + expires)
        expected.setdefault(status_now, set()).add(global_id("Enrollment", enrollment))
    staff, id = make.actor(course.instructor), course.global_id
    for status in EnrollmentStatus:
        response = client.execute(COURSE_ENROLLMENTS, as_=staff, id=id, status=status.name)
        enrollments = response["node"]["enrollments"]
        assert {node["id"] for node in enrollments["nodes"]} == expected[status.name], status
        assert {node["status"] for node in enrollments["nodes"]} == {status.name}
        assert enrollments["totalCount"] == len(expected[status.name])
    all_enrollments = client.execute(COURSE_ENROLLMENTS, as_=staff, id=id)["node"]["enrollments"]
    assert all_enrollments["totalCount"] == len(STATUSES)
    for node in all_enrollments["nodes"]:
        assert node["id"] in expected[node["status"]]
        assert client.execute(NODE, as_=staff, id=node["id"])["node"]["status"] == node["status"]


def test_status_filter_applies_to_enrollments_of_user(client: Client, make: Factories) -> None:
    user, now = make.user(), datetime.now(UTC)
    for stored, expires, _ in STATUSES:
        make.enrollment(user, make.course(lectures=0), stored, access_expires_at=expires and now + expires)
    for status in EnrollmentStatus:
        expected = [status_now for *_, status_now in STATUSES if status_now == status.name]
        variables = {"id": global_id("User", user), "status": status.name}
        enrollments = client.execute(USER_ENROLLMENTS, as_=make.actor(user), **variables)["node"]["enrollments"]
        assert [node["status"] for node in enrollments["nodes"]] == expected
        assert enrollments["totalCount"] == len(expected)


@pytest.mark.parametrize("document", [COURSE_ENROLLMENTS, USER_ENROLLMENTS])
def test_enrollments_can_be_paged_in_both_directions(client: Client, make: Factories, document: str) -> None:
    is_user_list = document is USER_ENROLLMENTS
    course, user = make.course(), make.user()
    newest: list[Enrollment] = []
    for number in range(7):
        owner, parent = (user, make.course(lectures=0)) if is_user_list else (make.user(), course)
        minutes = timedelta(minutes=number // 2)  # pairs with the same time, which are ordered by id
        newest.insert(0, make.enrollment(owner, parent, enrolled_at=START + minutes))
    ids = [global_id("Enrollment", row) for row in newest]
    id, viewer = (global_id("User", user), user) if is_user_list else (course.global_id, course.instructor)

    def page(**arguments: Any) -> Any:
        response = client.execute(document, as_=make.actor(viewer), id=id, **arguments)
        enrollments = response["node"]["enrollments"]
        assert enrollments["totalCount"] == 7
        return [node["id"] for node in enrollments["nodes"]], enrollments["pageInfo"]

    forward: list[str] = []
    cursor, has_more = None, True
    while has_more:
        page_ids, page_info = page(first=3, after=cursor)
        forward, cursor, has_more = forward + page_ids, page_info["endCursor"], page_info["hasNextPage"]
    assert forward == ids
    backward: list[str] = []
    cursor, has_more = None, True
    while has_more:
        page_ids, page_info = page(last=3, before=cursor)
        backward, cursor, has_more = page_ids + backward, page_info["startCursor"], page_info["hasPreviousPage"]
    assert backward == ids
    other_list = COURSE_ENROLLMENTS if is_user_list else USER_ENROLLMENTS
    other_id = course.global_id if is_user_list else global_id("User", user)
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    assert client.error_codes(other_list, as_=admin, id=other_id, after=cursor) == ["BAD_CURSOR"]


def test_enrollment_has_progress_in_course(client: Client, make: Factories) -> None:
    scenario = Scenario(make)
    first, second = scenario.course.lectures
    id, actor = global_id("Enrollment", scenario.enrollment), scenario.actor("learner")
    before = client.execute(PROGRESS, as_=actor, id=id)["node"]["progress"]
    assert (before["percent"], before["completedLectures"], before["totalLectures"]) == (0, 0, 2)
    assert before["currentLecture"] == {"id": global_id("Lecture", first)}, "the first incomplete one"
    assert before["lectures"] == []
    counts = {"completed_lectures": 1, "total_lectures": 2, "passed_quizzes": 0, "total_quizzes": 1}
    make.progress(scenario.enrollment, total_watch_time=61, current_lecture_id=second.id, **counts)
    values = {"watch_time": 60, "last_position": 59, "is_completed": True}
    lecture_progress = make.lecture_progress(scenario.learner, second, **values)
    make.lecture_progress(scenario.other_learner, first)
    for viewer in sorted(STAFF_AND_LEARNER):
        after = client.execute(PROGRESS, as_=scenario.actor(viewer), id=id)["node"]["progress"]
        assert after["id"] == before["id"]
        assert (after["percent"], after["passedQuizzes"], after["totalQuizzes"]) == (33.33, 0, 1)
        assert after["watchSeconds"] == 61
        lecture = {"id": global_id("Lecture", second)}
        assert after["currentLecture"] == lecture
        expected = {"isCompleted": True, "watchSeconds": 60, "positionSeconds": 59, "lecture": lecture}
        assert after["lectures"] == [{"id": global_id("LectureProgress", lecture_progress), **expected}]


@pytest.mark.parametrize("viewer", VIEWERS)
def test_lecture_progress_is_visible_to_learner_and_staff(client: Client, make: Factories, viewer: str) -> None:
    scenario = Scenario(make)
    progress = make.lecture_progress(scenario.learner, scenario.course.lectures[0])
    document = "query N($id: ID!) { node(id: $id) { id ... on LectureProgress { lecture { id } } } }"
    id = global_id("LectureProgress", progress)
    node = client.execute(document, as_=scenario.actor(viewer), id=id)["node"]
    assert (node is not None) is (viewer in STAFF_AND_LEARNER)


def test_deleted_lecture_is_not_the_current_one(client: Client, make: Factories) -> None:
    scenario = Scenario(make)
    first, second = scenario.course.lectures
    deleted = make.lecture(scenario.course.sections[0], order_index=2, deleted_at=datetime.now(UTC))
    make.progress(scenario.enrollment, current_lecture_id=deleted.id)
    progress_of_deleted = make.lecture_progress(scenario.learner, deleted)
    make.lecture_progress(scenario.learner, first, is_completed=True)
    id, actor = global_id("Enrollment", scenario.enrollment), scenario.actor("learner")
    progress = client.execute(PROGRESS, as_=actor, id=id)["node"]["progress"]
    assert progress["currentLecture"] == {"id": global_id("Lecture", second)}
    assert [lecture_progress["lecture"]["id"] for lecture_progress in progress["lectures"]] == [
        global_id("Lecture", first)
    ]
    deleted_id = global_id("LectureProgress", progress_of_deleted)
    assert client.execute(NODE, as_=actor, id=deleted_id)["node"] is None
