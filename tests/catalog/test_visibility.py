"""What a viewer may not see is not there, on whatever path they come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import CourseStatus, EnrollmentStatus
from lms_graphql.core import global_ids
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client

NODE = "query N($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query N($ids: [ID!]!) { nodes(ids: $ids) { id } }"
BY_SLUG = "query S($slug: String!) { course(slug: $slug) { id } }"
LISTED = "query L($status: CourseStatus) { courses(filter: {status: $status}) { totalCount nodes { id } } }"
CONTENT = """
query C($slug: String!) {
  course(slug: $slug) { sections { lectures { isPreview content { videoUrl body resourceUrl } lock { reason } } } }
}
"""


class Cast:
    """One of each who might ask, and a course of one of them."""

    def __init__(self, make: Factories, status: CourseStatus) -> None:
        self.teacher = make.user(Role.INSTRUCTOR)
        self.course = make.course("Secrets", instructor=self.teacher, status=status)
        self.learner = make.user()
        self.enrolled = make.user()
        self.cancelled = make.user()
        self.rival = make.user(Role.INSTRUCTOR)
        self.admin = make.user(Role.SUPER_ADMIN)
        make.enrollment(self.enrolled, self.course)
        make.enrollment(self.cancelled, self.course, EnrollmentStatus.CANCELLED)

    def actor(self, name: str) -> Actor:
        if name == "anonymous":
            return ANONYMOUS
        user: User = getattr(self, name)
        return Actor(user.id, user.role)


SEES = {
    CourseStatus.PUBLISHED: {"anonymous", "learner", "enrolled", "cancelled", "rival", "teacher", "admin"},
    CourseStatus.DRAFT: {"teacher", "admin"},
    CourseStatus.ARCHIVED: {"enrolled", "cancelled", "teacher", "admin"},
}
EVERYONE = sorted(SEES[CourseStatus.PUBLISHED])


def node_ids(course: CourseTree) -> list[str]:
    rows = [("Course", course.row), ("Section", course.sections[0]), ("Lecture", course.lectures[1])]
    return [global_id(kind, row) for kind, row in rows]


@pytest.mark.parametrize("status", list(CourseStatus))
@pytest.mark.parametrize("who", EVERYONE)
def test_a_course_is_there_on_every_path_or_on_none(
    client: Client, make: Factories, status: CourseStatus, who: str
) -> None:
    cast = Cast(make, status)
    actor, sees = cast.actor(who), who in SEES[status]
    for id in node_ids(cast.course):
        assert (client.execute(NODE, as_=actor, id=id)["node"] is not None) is sees
    found = client.execute(NODES, as_=actor, ids=node_ids(cast.course))["nodes"]
    assert [node is not None for node in found] == [sees] * 3
    assert (client.execute(BY_SLUG, as_=actor, slug=cast.course.slug)["course"] is not None) is sees
    listed = client.execute(LISTED, as_=actor, status=status.name)["courses"]
    assert [node["id"] for node in listed["nodes"]] == ([cast.course.global_id] if sees else [])
    assert listed["totalCount"] == int(sees)


def test_drafts_and_archived_courses_are_in_no_list_that_does_not_ask_for_them(
    client: Client, make: Factories
) -> None:
    category = make.category("Shelf")
    teacher = make.user(Role.INSTRUCTOR)
    make.course("Hidden words", instructor=teacher, category=category, status=CourseStatus.DRAFT)
    make.course("Old words", instructor=teacher, category=category, status=CourseStatus.ARCHIVED)
    document = """{
      courses { totalCount }
      found: courses(search: "words") { totalCount }
      category(slug: "shelf") { courseCount courses { totalCount nodes { id } } }
    }"""
    for actor in (ANONYMOUS, make.actor(teacher), make.actor(make.user(Role.SUPER_ADMIN))):
        answer = client.execute(document, as_=actor)
        assert answer["courses"]["totalCount"] == answer["found"]["totalCount"] == 0
        assert answer["category"] == {"courseCount": 0, "courses": {"totalCount": 0, "nodes": []}}


OPENS = {
    "enrolled": None,
    "teacher": None,
    "admin": None,
    "anonymous": "SIGN_IN_REQUIRED",
    "learner": "ENROLLMENT_REQUIRED",
    "rival": "ENROLLMENT_REQUIRED",
    "cancelled": "ENROLLMENT_INACTIVE",
}


@pytest.mark.parametrize("who", EVERYONE)
def test_content_is_for_those_with_access_and_a_lock_tells_the_others_why(
    client: Client, make: Factories, who: str
) -> None:
    cast = Cast(make, CourseStatus.PUBLISHED)
    answer = client.execute(CONTENT, as_=cast.actor(who), slug=cast.course.slug)
    preview, closed = answer["course"]["sections"][0]["lectures"]
    assert preview["lock"] is None
    assert preview["content"]["body"] == "A secret body"
    assert (closed["lock"] or {}).get("reason") == OPENS[who]
    assert (closed["content"] is None) is (OPENS[who] is not None)


@pytest.mark.parametrize(
    ("status", "hours", "opens"),
    [
        (EnrollmentStatus.ACTIVE, 1, True),
        (EnrollmentStatus.ACTIVE, -1, False),
        (EnrollmentStatus.COMPLETED, None, True),
        (EnrollmentStatus.COMPLETED, -1, False),
        (EnrollmentStatus.EXPIRED, None, False),
        (EnrollmentStatus.REFUNDED, None, False),
        (EnrollmentStatus.SUSPENDED, None, False),
    ],
)
def test_access_lasts_as_long_as_the_enrollment_says(
    client: Client, make: Factories, status: EnrollmentStatus, hours: int | None, opens: bool
) -> None:
    course, learner = make.course(), make.user()
    until = None if hours is None else datetime.now(UTC) + timedelta(hours=hours)
    make.enrollment(learner, course, status, access_expires_at=until)
    answer = client.execute(CONTENT, as_=make.actor(learner), slug=course.slug)
    closed = answer["course"]["sections"][0]["lectures"][1]
    assert (closed["content"] is not None) is opens
    assert closed["lock"] == (None if opens else {"reason": "ENROLLMENT_INACTIVE"})


PERSON = "query P($id: ID!) { node(id: $id) { ... on User { fullName username role } } }"


def test_anonymous_viewers_know_only_those_who_teach_or_have_taught(client: Client, make: Factories) -> None:
    teaches, wrote, archived = (make.user(Role.INSTRUCTOR) for _ in range(3))
    make.course(instructor=teaches)
    make.course(instructor=wrote, status=CourseStatus.DRAFT)
    make.course(instructor=archived, status=CourseStatus.ARCHIVED)
    learner = make.user()

    def known(user: User, actor: Actor) -> bool:
        return client.execute(PERSON, as_=actor, id=global_id("User", user))["node"] is not None

    everyone = (teaches, wrote, archived, learner)
    assert [known(user, ANONYMOUS) for user in everyone] == [True, False, True, False]
    assert all(known(user, make.actor(learner)) for user in everyone)


def test_a_deleted_person_is_a_deleted_user(client: Client, make: Factories) -> None:
    gone = make.user(Role.INSTRUCTOR, deleted_at=datetime.now(UTC))
    make.course(instructor=gone)
    assert client.execute(PERSON, id=global_id("User", gone))["node"]["fullName"] == "Deleted user"


GATED = ["email", "isActive", "isEmailVerified", "lastLoginAt", "permissions"]


@pytest.mark.parametrize("field", GATED)
def test_a_field_marked_self_is_null_and_forbidden_for_everyone_else(
    client: Client, make: Factories, field: str
) -> None:
    person = make.user(Role.INSTRUCTOR, last_login=datetime.now(UTC))
    make.course(instructor=person)
    document = f"query G($id: ID!) {{ node(id: $id) {{ id ... on User {{ {field} username }} }} }}"
    id = global_id("User", person)
    for actor in (ANONYMOUS, make.actor(make.user()), make.actor(make.user(Role.INSTRUCTOR))):
        answer = client.graphql(document, as_=actor, id=id)
        assert answer["data"]["node"][field] is None
        assert answer["data"]["node"]["username"] == person.username
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
        assert answer["errors"][0]["path"] == ["node", field]
    for actor in (make.actor(person), make.actor(make.user(Role.SUPER_ADMIN))):
        assert client.execute(document, as_=actor, id=id)["node"][field] is not None


@pytest.mark.parametrize(
    "id",
    [
        "",
        "x",
        "Course:1",
        "é",
        "a" * 10_000,
        global_ids.encode("Course", 10**9),
        global_ids.encode("Certificate", 1),
        global_ids.encode("Course", 1) + "=",
        "Q291cnNlOjAx",  # Course:01
        "Q291cnNlOi0x",  # Course:-1
        "Q291cnNlOjk5OTk5OTk5OTk5OTk5OTk5OTk",  # beyond 64 bits
    ],
)
def test_an_id_that_is_none_finds_nothing(client: Client, make: Factories, id: str) -> None:
    make.course()
    assert client.execute(NODE, id=id) == {"node": None}
    assert client.execute(NODES, ids=[id]) == {"nodes": [None]}


def test_nodes_come_in_the_order_asked_and_at_most_a_hundred(client: Client, make: Factories) -> None:
    courses = [make.course(lectures=0) for _ in range(3)]
    asked = [courses[2].global_id, "nonsense", courses[0].global_id, courses[2].global_id]
    found = client.execute(NODES, ids=asked)["nodes"]
    assert [node and node["id"] for node in found] == [
        courses[2].global_id,
        None,
        courses[0].global_id,
        courses[2].global_id,
    ]
    assert client.error_codes(NODES, ids=["x"] * 101) == ["BAD_USER_INPUT"]


def test_who_can_edit_is_told(client: Client, make: Factories) -> None:
    cast = Cast(make, CourseStatus.PUBLISHED)
    document = "query E($slug: String!) { course(slug: $slug) { viewerCanEdit } }"
    may: dict[str, Any] = {
        who: client.execute(document, as_=cast.actor(who), slug=cast.course.slug)["course"]["viewerCanEdit"]
        for who in EVERYONE
    }
    assert {who for who, allowed in may.items() if allowed} == {"teacher", "admin"}


def test_who_taught_a_course_and_is_a_learner_now_sees_that_they_cannot_edit(client: Client, make: Factories) -> None:
    course = make.course(status=CourseStatus.DRAFT)
    former = Actor(course.instructor.id, Role.LEARNER)
    document = "query E($slug: String!) { course(slug: $slug) { viewerCanEdit } }"
    assert client.execute(document, as_=former, slug=course.slug) == {"course": {"viewerCanEdit": False}}
