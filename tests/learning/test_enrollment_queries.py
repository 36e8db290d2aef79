"""Enrollments and progress: who sees them on which path, what their status reads as, and their pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import CourseStatus, Enrollment, EnrollmentSource, EnrollmentStatus
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.factories import START, Factories, global_id
from tests.live_service import Client

FIELDS = """
fragment Fields on Enrollment {
  id status source enrolledAt completedAt accessExpiresAt lastAccessedAt user { username } course { title }
}
"""
NODE = "query N($id: ID!) { node(id: $id) { ...Fields } }" + FIELDS
NODES = "query N($ids: [ID!]!) { nodes(ids: $ids) { ...Fields } }" + FIELDS
MINE = "query M($slug: String!) { course(slug: $slug) { viewerEnrollment { ...Fields } } }" + FIELDS
OF_COURSE = (
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
OF_USER = OF_COURSE.replace("... on Course", "... on User")
PROGRESS = """
query P($id: ID!) { node(id: $id) { ... on Enrollment { progress {
  id percent completedLectures totalLectures passedQuizzes totalQuizzes watchSeconds updatedAt
  currentLecture { id } lectures { id isCompleted watchSeconds positionSeconds lecture { id } }
} } } }
"""

SEES = {"enrolled", "teacher", "admin"}
VIEWERS = ["anonymous", "learner", "fellow", "rival", *sorted(SEES)]


class Cast:
    def __init__(self, make: Factories, status: CourseStatus = CourseStatus.PUBLISHED) -> None:
        self.make = make
        self.teacher = make.user(Role.INSTRUCTOR)
        self.rival = make.user(Role.INSTRUCTOR)
        self.admin = make.user(Role.SUPER_ADMIN)
        self.enrolled, self.fellow, self.learner = (make.user() for _ in range(3))
        self.course = make.course(instructor=self.teacher, status=status)
        make.course(instructor=self.rival)
        make.enrollment(self.fellow, self.course)
        self.enrollment = make.enrollment(
            self.enrolled,
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
def test_an_enrollment_is_there_for_the_person_and_course_staff_on_every_path(
    client: Client, make: Factories, viewer: str, status: CourseStatus
) -> None:
    cast = Cast(make, status)
    actor, id = cast.actor(viewer), global_id("Enrollment", cast.enrollment)
    expected = {
        "id": id,
        "status": "ACTIVE",
        "source": "GRANT",
        "enrolledAt": "2026-01-01T12:00:00Z",
        "completedAt": None,
        "accessExpiresAt": "2096-01-01T00:00:00Z",
        "lastAccessedAt": "2026-01-01T14:00:00Z",
        "user": {"username": cast.enrolled.username},
        "course": {"title": cast.course.row.title},
    }
    seen = expected if viewer in SEES else None
    assert client.execute(NODE, as_=actor, id=id)["node"] == seen
    assert client.execute(NODES, as_=actor, ids=[id])["nodes"] == [seen]
    for document, parent, admitted in (
        (OF_COURSE, global_id("Course", cast.course.row), {"teacher", "admin"}),
        (OF_USER, global_id("User", cast.enrolled), {"enrolled", "admin"}),
    ):
        answer = client.graphql(document, as_=actor, id=parent)
        if answer["data"]["node"] is None:  # an archived course, a person to an anonymous viewer
            assert viewer not in SEES
            assert "errors" not in answer
        elif viewer in admitted:
            assert expected in answer["data"]["node"]["enrollments"]["nodes"]
        else:
            assert answer["data"]["node"] == {"enrollments": None}
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


def test_the_viewers_own_enrollment_hangs_on_each_course(client: Client, make: Factories) -> None:
    cast = Cast(make)
    for viewer in VIEWERS:
        course = client.execute(MINE, as_=cast.actor(viewer), slug=cast.course.slug)["course"]
        own = course["viewerEnrollment"]
        username = getattr(cast, viewer).username if viewer in {"enrolled", "fellow"} else None
        assert (own and own["user"]["username"]) == username


def test_nobody_comes_to_another_persons_enrollment_through_their_own(client: Client, make: Factories) -> None:
    """The course of one's own enrollment is the way to the others in it."""
    cast = Cast(make)
    counted = "enrollments { totalCount }"
    own = f"{{ me {{ enrollments {{ nodes {{ course {{ {counted} }} user {{ {counted} }} }} }} }} }}"
    answer = client.graphql(own, as_=cast.actor("enrolled"))
    (node,) = answer["data"]["me"]["enrollments"]["nodes"]
    assert node == {"course": {"enrollments": None}, "user": {"enrollments": {"totalCount": 1}}}
    people_in = """query S($id: ID!) { node(id: $id) { ... on Course {
      enrollments { nodes { user { username enrollments { totalCount } email } } }
    } } }"""
    answer = client.graphql(people_in, as_=cast.actor("teacher"), id=cast.course.global_id)
    people = [node["user"] for node in answer["data"]["node"]["enrollments"]["nodes"]]
    assert {person["username"] for person in people} == {cast.enrolled.username, cast.fellow.username}
    assert all(person["enrollments"] is None and person["email"] is None for person in people)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}


PAST, FUTURE = timedelta(hours=-1), timedelta(hours=1)
READS = [
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


def test_expired_is_worked_out_when_read_also_in_filters_and_counts(client: Client, make: Factories) -> None:
    course, now = make.course(), datetime.now(UTC)
    expected: dict[str, set[str]] = {}
    for status, until, reads in READS:
        enrollment = make.enrollment(make.user(), course, status, access_expires_at=until and now + until)
        expected.setdefault(reads, set()).add(global_id("Enrollment", enrollment))
    staff = make.actor(course.instructor)
    for status in EnrollmentStatus:
        found = client.execute(OF_COURSE, as_=staff, id=course.global_id, status=status.name)["node"]["enrollments"]
        assert {node["id"] for node in found["nodes"]} == expected[status.name], status
        assert {node["status"] for node in found["nodes"]} == {status.name}
        assert found["totalCount"] == len(expected[status.name])
    every = client.execute(OF_COURSE, as_=staff, id=course.global_id)["node"]["enrollments"]
    assert every["totalCount"] == len(READS)
    for node in every["nodes"]:
        assert node["id"] in expected[node["status"]]
        assert client.execute(NODE, as_=staff, id=node["id"])["node"]["status"] == node["status"]


def test_a_persons_own_list_has_the_same_filter(client: Client, make: Factories) -> None:
    person, now = make.user(), datetime.now(UTC)
    for status, until, _ in READS:
        make.enrollment(person, make.course(lectures=0), status, access_expires_at=until and now + until)
    for status in EnrollmentStatus:
        wanted = [reads for *_, reads in READS if reads == status.name]
        answer = client.execute(OF_USER, as_=make.actor(person), id=global_id("User", person), status=status.name)
        found = answer["node"]["enrollments"]
        assert [node["status"] for node in found["nodes"]] == wanted
        assert found["totalCount"] == len(wanted)


@pytest.mark.parametrize("document", [OF_COURSE, OF_USER])
def test_pages_lead_through_a_list_from_both_ends(client: Client, make: Factories, document: str) -> None:
    course, person = make.course(), make.user()
    newest: list[Enrollment] = []
    for number in range(7):
        of_user, of_course = (person, make.course(lectures=0)) if document is OF_USER else (make.user(), course)
        minutes = timedelta(minutes=number // 2)  # two at a time: ties are broken by id
        newest.insert(0, make.enrollment(of_user, of_course, enrolled_at=START + minutes))
    ids = [global_id("Enrollment", row) for row in newest]
    id, actor = (global_id("User", person), person) if document is OF_USER else (course.global_id, course.instructor)

    def page(**asked: Any) -> Any:
        found = client.execute(document, as_=make.actor(actor), id=id, **asked)["node"]["enrollments"]
        assert found["totalCount"] == 7
        return [node["id"] for node in found["nodes"]], found["pageInfo"]

    forward: list[str] = []
    cursor, more = None, True
    while more:
        got, place = page(first=3, after=cursor)
        forward, cursor, more = forward + got, place["endCursor"], place["hasNextPage"]
    assert forward == ids
    backward: list[str] = []
    cursor, more = None, True
    while more:
        got, place = page(last=3, before=cursor)
        backward, cursor, more = got + backward, place["startCursor"], place["hasPreviousPage"]
    assert backward == ids
    other = OF_COURSE if document is OF_USER else OF_USER
    other_id = course.global_id if document is OF_USER else global_id("User", person)
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    assert client.error_codes(other, as_=admin, id=other_id, after=cursor) == ["BAD_CURSOR"]


def test_progress_tells_how_far_someone_has_come(client: Client, make: Factories) -> None:
    cast = Cast(make)
    first, second = cast.course.lectures
    id, actor = global_id("Enrollment", cast.enrollment), cast.actor("enrolled")
    before = client.execute(PROGRESS, as_=actor, id=id)["node"]["progress"]
    assert (before["percent"], before["completedLectures"], before["totalLectures"]) == (0, 0, 2)
    assert before["currentLecture"] == {"id": global_id("Lecture", first)}  # the first one to do
    assert before["lectures"] == []
    counts = {"completed_lectures": 1, "total_lectures": 2, "passed_quizzes": 0, "total_quizzes": 1}
    make.progress(cast.enrollment, total_watch_time=61, current_lecture_id=second.id, **counts)
    seen = make.lecture_progress(cast.enrolled, second, watch_time=60, last_position=59, is_completed=True)
    make.lecture_progress(cast.fellow, first)
    for viewer in sorted(SEES):
        after = client.execute(PROGRESS, as_=cast.actor(viewer), id=id)["node"]["progress"]
        assert after["id"] == before["id"]
        assert (after["percent"], after["passedQuizzes"], after["totalQuizzes"]) == (33.33, 0, 1)
        assert after["watchSeconds"] == 61
        assert after["currentLecture"] == {"id": global_id("Lecture", second)}
        opened = {"isCompleted": True, "watchSeconds": 60, "positionSeconds": 59}
        lecture = {"id": global_id("Lecture", second)}
        assert after["lectures"] == [{"id": global_id("LectureProgress", seen), "lecture": lecture, **opened}]


@pytest.mark.parametrize("viewer", VIEWERS)
def test_progress_in_a_lecture_is_for_the_person_and_course_staff(
    client: Client, make: Factories, viewer: str
) -> None:
    cast = Cast(make)
    progress = make.lecture_progress(cast.enrolled, cast.course.lectures[0])
    document = "query N($id: ID!) { node(id: $id) { id ... on LectureProgress { lecture { id } } } }"
    found = client.execute(document, as_=cast.actor(viewer), id=global_id("LectureProgress", progress))["node"]
    assert (found is not None) is (viewer in SEES)


def test_a_lecture_that_was_removed_is_no_place_to_go_on(client: Client, make: Factories) -> None:
    cast = Cast(make)
    gone = make.lecture(cast.course.sections[0], order_index=2, deleted_at=datetime.now(UTC))
    make.progress(cast.enrollment, current_lecture_id=gone.id)
    gone_progress = make.lecture_progress(cast.enrolled, gone)
    make.lecture_progress(cast.enrolled, cast.course.lectures[0], is_completed=True)
    id, actor = global_id("Enrollment", cast.enrollment), cast.actor("enrolled")
    progress = client.execute(PROGRESS, as_=actor, id=id)["node"]["progress"]
    assert progress["currentLecture"] == {"id": global_id("Lecture", cast.course.lectures[1])}
    assert [one["lecture"]["id"] for one in progress["lectures"]] == [global_id("Lecture", cast.course.lectures[0])]
    assert client.execute(NODE, as_=actor, id=global_id("LectureProgress", gone_progress))["node"] is None
