"""Visibility of courses, lecture content and users: the same on every path."""

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
COURSE_BY_SLUG = "query S($slug: String!) { course(slug: $slug) { id } }"
COURSES = "query L($status: CourseStatus) { courses(filter: {status: $status}) { totalCount nodes { id } } }"
CONTENT = """
query C($slug: String!) {
  course(slug: $slug) { sections { lectures { isPreview content { videoUrl body resourceUrl } lock { reason } } } }
}
"""


class Viewers:
    """A course, and one user for each relation to it."""

    def __init__(self, make: Factories, status: CourseStatus) -> None:
        self.instructor = make.user(Role.INSTRUCTOR)
        self.course = make.course("Secrets", instructor=self.instructor, status=status)
        self.learner = make.user()
        self.enrolled = make.user()
        self.cancelled = make.user()
        self.other_instructor = make.user(Role.INSTRUCTOR)
        self.admin = make.user(Role.SUPER_ADMIN)
        make.enrollment(self.enrolled, self.course)
        make.enrollment(self.cancelled, self.course, EnrollmentStatus.CANCELLED)

    def actor(self, name: str) -> Actor:
        if name == "anonymous":
            return ANONYMOUS
        user: User = getattr(self, name)
        return Actor(user.id, user.role)


VISIBLE_TO = {
    CourseStatus.PUBLISHED: {
        "anonymous",
        "learner",
        "enrolled",
        "cancelled",
        "other_instructor",
        "instructor",
        "admin",
    },
    CourseStatus.DRAFT: {"instructor", "admin"},
    CourseStatus.ARCHIVED: {"enrolled", "cancelled", "instructor", "admin"},
}
ALL_VIEWERS = sorted(VISIBLE_TO[CourseStatus.PUBLISHED])


def node_ids(course: CourseTree) -> list[str]:
    rows = [("Course", course.row), ("Section", course.sections[0]), ("Lecture", course.lectures[1])]
    return [global_id(kind, row) for kind, row in rows]


@pytest.mark.parametrize("status", list(CourseStatus))
@pytest.mark.parametrize("viewer", ALL_VIEWERS)
def test_course_visibility_is_the_same_on_every_path(
    client: Client, make: Factories, status: CourseStatus, viewer: str
) -> None:
    viewers = Viewers(make, status)
    actor, is_visible = viewers.actor(viewer), viewer in VISIBLE_TO[status]
    for id in node_ids(viewers.course):
        assert (client.execute(NODE, as_=actor, id=id)["node"] is not None) is is_visible
    nodes = client.execute(NODES, as_=actor, ids=node_ids(viewers.course))["nodes"]
    assert [node is not None for node in nodes] == [is_visible] * 3
    assert (client.execute(COURSE_BY_SLUG, as_=actor, slug=viewers.course.slug)["course"] is not None) is is_visible
    listed = client.execute(COURSES, as_=actor, status=status.name)["courses"]
    assert [node["id"] for node in listed["nodes"]] == ([viewers.course.global_id] if is_visible else [])
    assert listed["totalCount"] == int(is_visible)


def test_default_lists_contain_only_published_courses(client: Client, make: Factories) -> None:
    category = make.category("Art")
    instructor = make.user(Role.INSTRUCTOR)
    make.course("Hidden words", instructor=instructor, category=category, status=CourseStatus.DRAFT)
    make.course("Old words", instructor=instructor, category=category, status=CourseStatus.ARCHIVED)
    document = """{
      courses { totalCount }
      search: courses(search: "words") { totalCount }
      category(slug: "art") { courseCount courses { totalCount nodes { id } } }
    }"""
    for actor in (ANONYMOUS, make.actor(instructor), make.actor(make.user(Role.SUPER_ADMIN))):
        data = client.execute(document, as_=actor)
        assert data["courses"]["totalCount"] == data["search"]["totalCount"] == 0
        assert data["category"] == {"courseCount": 0, "courses": {"totalCount": 0, "nodes": []}}


LOCK_REASONS = {
    "enrolled": None,
    "instructor": None,
    "admin": None,
    "anonymous": "SIGN_IN_REQUIRED",
    "learner": "ENROLLMENT_REQUIRED",
    "other_instructor": "ENROLLMENT_REQUIRED",
    "cancelled": "ENROLLMENT_INACTIVE",
}


@pytest.mark.parametrize("viewer", ALL_VIEWERS)
def test_content_needs_access_and_locks_give_the_reason(client: Client, make: Factories, viewer: str) -> None:
    viewers = Viewers(make, CourseStatus.PUBLISHED)
    data = client.execute(CONTENT, as_=viewers.actor(viewer), slug=viewers.course.slug)
    preview, locked = data["course"]["sections"][0]["lectures"]
    assert preview["lock"] is None
    assert preview["content"]["body"] == "A secret body"
    assert (locked["lock"] or {}).get("reason") == LOCK_REASONS[viewer]
    assert (locked["content"] is None) is (LOCK_REASONS[viewer] is not None)


@pytest.mark.parametrize(
    ("status", "hours", "has_access"),
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
def test_access_depends_on_enrollment_status_and_expiry(
    client: Client, make: Factories, status: EnrollmentStatus, hours: int | None, has_access: bool
) -> None:
    course, learner = make.course(), make.user()
    expires_at = None if hours is None else datetime.now(UTC) + timedelta(hours=hours)
    make.enrollment(learner, course, status, access_expires_at=expires_at)
    data = client.execute(CONTENT, as_=make.actor(learner), slug=course.slug)
    lecture = data["course"]["sections"][0]["lectures"][1]
    assert (lecture["content"] is not None) is has_access
    assert lecture["lock"] == (None if has_access else {"reason": "ENROLLMENT_INACTIVE"})


USER = "query U($id: ID!) { node(id: $id) { ... on User { fullName username role } } }"


def test_anonymous_viewers_see_only_public_instructors(client: Client, make: Factories) -> None:
    published, draft_only, archived = (make.user(Role.INSTRUCTOR) for _ in range(3))
    make.course(instructor=published)
    make.course(instructor=draft_only, status=CourseStatus.DRAFT)
    make.course(instructor=archived, status=CourseStatus.ARCHIVED)
    learner = make.user()

    def is_visible(user: User, actor: Actor) -> bool:
        return client.execute(USER, as_=actor, id=global_id("User", user))["node"] is not None

    users = (published, draft_only, archived, learner)
    assert [is_visible(user, ANONYMOUS) for user in users] == [True, False, True, False]
    assert all(is_visible(user, make.actor(learner)) for user in users)


def test_deleted_instructor_is_shown_as_deleted_user(client: Client, make: Factories) -> None:
    deleted = make.user(Role.INSTRUCTOR, deleted_at=datetime.now(UTC))
    make.course(instructor=deleted)
    assert client.execute(USER, id=global_id("User", deleted))["node"]["fullName"] == "Deleted user"


PRIVATE_FIELDS = ["email", "isActive", "isEmailVerified", "lastLoginAt", "permissions"]


@pytest.mark.parametrize("field", PRIVATE_FIELDS)
def test_private_user_fields_are_forbidden_for_others(client: Client, make: Factories, field: str) -> None:
    user = make.user(Role.INSTRUCTOR, last_login=datetime.now(UTC))
    make.course(instructor=user)
    document = f"query G($id: ID!) {{ node(id: $id) {{ id ... on User {{ {field} username }} }} }}"
    id = global_id("User", user)
    for actor in (ANONYMOUS, make.actor(make.user()), make.actor(make.user(Role.INSTRUCTOR))):
        body = client.graphql(document, as_=actor, id=id)
        assert body["data"]["node"][field] is None
        assert body["data"]["node"]["username"] == user.username
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        assert body["errors"][0]["path"] == ["node", field]
    for actor in (make.actor(user), make.actor(make.user(Role.SUPER_ADMIN))):
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
def test_invalid_ids_find_nothing(client: Client, make: Factories, id: str) -> None:
    make.course()
    assert client.execute(NODE, id=id) == {"node": None}
    assert client.execute(NODES, ids=[id]) == {"nodes": [None]}


def test_nodes_keep_the_requested_order_up_to_100(client: Client, make: Factories) -> None:
    courses = [make.course(lectures=0) for _ in range(3)]
    ids = [courses[2].global_id, "nonsense", courses[0].global_id, courses[2].global_id]
    nodes = client.execute(NODES, ids=ids)["nodes"]
    assert [node and node["id"] for node in nodes] == [
        courses[2].global_id,
        None,
        courses[0].global_id,
        courses[2].global_id,
    ]
    assert client.error_codes(NODES, ids=["x"] * 101) == ["BAD_USER_INPUT"]


def test_viewer_can_edit_is_true_for_course_staff(client: Client, make: Factories) -> None:
    viewers = Viewers(make, CourseStatus.PUBLISHED)
    document = "query E($slug: String!) { course(slug: $slug) { viewerCanEdit } }"
    can_edit: dict[str, Any] = {
        viewer: client.execute(document, as_=viewers.actor(viewer), slug=viewers.course.slug)["course"][
            "viewerCanEdit"
        ]
        for viewer in ALL_VIEWERS
    }
    assert {viewer for viewer, is_allowed in can_edit.items() if is_allowed} == {"instructor", "admin"}


def test_viewer_can_edit_is_false_for_former_instructor(client: Client, make: Factories) -> None:
    course = make.course(status=CourseStatus.DRAFT)
    former = Actor(course.instructor.id, Role.LEARNER)
    document = "query E($slug: String!) { course(slug: $slug) { viewerCanEdit } }"
    assert client.execute(document, as_=former, slug=course.slug) == {"course": {"viewerCanEdit": False}}
