"""Courses that super admins give to another instructor, and courses that they create for one."""

from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.accounts.models import AuditEvent
from lms_graphql.analytics.models import InstructorAnalytics
from lms_graphql.analytics.services import refresh
from lms_graphql.catalog.models import CourseStatus
from lms_graphql.core.actor import Role
from lms_graphql.core.global_ids import encode
from tests.catalog.course_client import INVALID_IDS, UNKNOWN_ID, CourseClient
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service
from tests.row_writer import START

INSTRUCTOR, SUPER_ADMIN, LEARNER = Role.INSTRUCTOR, Role.SUPER_ADMIN, Role.LEARNER
NEW_COURSE = {"title": "New", "description": "Words."}
FULL_NAME = "query N($id: ID!) { node(id: $id) { ... on User { fullName } } }"


@pytest.fixture
def admin(client: Client, make: Factories) -> CourseClient:
    return CourseClient(client, make.actor(make.user(SUPER_ADMIN)))


def transfer_input(course: CourseTree, user: Any) -> dict[str, str]:
    return {"courseId": course.global_id, "instructorId": global_id("User", user)}


@pytest.mark.parametrize("status", list(CourseStatus))
def test_course_goes_to_another_instructor(
    client: Client, make: Factories, service: Service, admin: CourseClient, status: CourseStatus
) -> None:
    course, user = make.course(status=status, updated_at=START), make.user(INSTRUCTOR)
    former, new = (CourseClient(client, make.actor(person)) for person in (course.instructor, user))
    transferred = admin.ok("transferCourse", **transfer_input(course, user))
    assert transferred["instructor"] == {"id": global_id("User", user)}
    assert (transferred["version"], transferred["status"]) == (2, status.name)
    assert transferred["updatedAt"] > START.isoformat()
    edit = {"courseId": course.global_id, "shortDescription": "Mine."}
    if status is CourseStatus.PUBLISHED:
        assert former.error_codes("updateCourse", **edit) == ["FORBIDDEN"]
    else:
        assert former.user_errors("updateCourse", **edit) == [("NOT_FOUND", "courseId")]
    assert new.ok("updateCourse", **edit)["version"] == 3
    event = service.database.read_sync(lambda session: session.scalars(select(AuditEvent)).one())
    assert (event.action, event.actor_id) == ("course.transferred", admin.actor.key)
    assert (event.subject_kind, event.subject_id) == ("Course", course.row.id)
    assert event.details == {"former_instructor": course.instructor.id, "instructor": user.id}


@pytest.mark.parametrize("role", [INSTRUCTOR, SUPER_ADMIN])
def test_course_that_is_theirs_stays_unchanged(
    make: Factories, service: Service, admin: CourseClient, role: Role
) -> None:
    owner = make.user(role, is_active=False)
    course = make.course(instructor=owner)
    assert admin.ok("transferCourse", **transfer_input(course, owner))["version"] == 1
    assert service.database.read_sync(lambda session: session.scalars(select(AuditEvent)).all()) == []


@pytest.mark.parametrize(
    ("role", "values"),
    [(LEARNER, {}), (INSTRUCTOR, {"is_active": False}), (INSTRUCTOR, {"is_active": False, "deleted_at": START})],
)
def test_users_who_may_not_teach_get_no_course(
    make: Factories, admin: CourseClient, role: Role, values: dict[str, Any]
) -> None:
    course, user = make.course(), make.user(role, **values)
    assert admin.user_errors("transferCourse", **transfer_input(course, user)) == [("INVALID", "instructorId")]
    new = {**NEW_COURSE, "title": "", "instructorId": global_id("User", user)}
    assert admin.user_errors("createCourse", **new) == [("REQUIRED", "title"), ("INVALID", "instructorId")]


def test_unknown_ids_are_not_found(make: Factories, admin: CourseClient) -> None:
    course, user = make.course(), make.user(INSTRUCTOR)
    for id in ("", "nonsense", course.global_id):
        errors = admin.user_errors("transferCourse", courseId=course.global_id, instructorId=id)
        assert errors == [("NOT_FOUND", "instructorId")]
        assert admin.user_errors("createCourse", **NEW_COURSE, instructorId=id) == [("NOT_FOUND", "instructorId")]
    for id in INVALID_IDS:
        errors = admin.user_errors("transferCourse", courseId=id, instructorId=global_id("User", user))
        assert errors == [("NOT_FOUND", "courseId")]
    both = [("NOT_FOUND", "courseId"), ("NOT_FOUND", "instructorId")]
    assert admin.user_errors("transferCourse", courseId=UNKNOWN_ID, instructorId=UNKNOWN_ID) == both
    references = {"categoryId": UNKNOWN_ID, "instructorId": UNKNOWN_ID}
    errors = admin.user_errors("createCourse", **NEW_COURSE, **references)
    assert errors == [("NOT_FOUND", "categoryId"), ("NOT_FOUND", "instructorId")]


def test_only_super_admins_choose_the_instructor(client: Client, make: Factories, admin: CourseClient) -> None:
    user, other = make.user(INSTRUCTOR), make.user(INSTRUCTOR)
    own = CourseClient(client, make.actor(user))
    course = make.course(instructor=user)
    assert own.error_codes("transferCourse", **transfer_input(course, other)) == ["FORBIDDEN"]
    for id in (global_id("User", other), UNKNOWN_ID, ""):
        assert own.error_codes("createCourse", **NEW_COURSE, instructorId=id) == ["FORBIDDEN"]
    user_id = global_id("User", user)
    for sender in (own, admin):
        created = sender.ok("createCourse", **NEW_COURSE, instructorId=user_id, idempotencyKey="a key")
        assert created["instructor"] == {"id": user_id}
        assert own.ok("updateCourse", courseId=created["id"], title="Newer")["version"] == 2
    created = admin.ok("createCourse", **NEW_COURSE, instructorId=None)
    assert created["instructor"] == {"id": encode("User", admin.actor.key or 0)}


def test_former_instructor_stays_public_if_the_course_was_published(
    client: Client, make: Factories, admin: CourseClient
) -> None:
    for status, is_public in ((CourseStatus.ARCHIVED, True), (CourseStatus.DRAFT, False)):
        course = make.course(status=status)
        admin.ok("transferCourse", **transfer_input(course, make.user(INSTRUCTOR)))
        admin.ok("transferCourse", **transfer_input(course, make.user(SUPER_ADMIN)))
        node = client.execute(FULL_NAME, id=global_id("User", course.instructor))["node"]
        assert (node is not None) == is_public


def test_draft_of_a_former_instructor_can_be_deleted(client: Client, make: Factories, admin: CourseClient) -> None:
    course = make.course()
    admin.ok("transferCourse", **transfer_input(course, make.user(INSTRUCTOR)))
    admin.ok("unpublishCourse", courseId=course.global_id)
    admin.ok("deleteCourse", courseId=course.global_id)
    assert client.execute(FULL_NAME, id=global_id("User", course.instructor))["node"] is None


@pytest.mark.usefixtures("no_maintenance")
def test_dashboards_of_both_instructors_follow(client: Client, make: Factories, service: Service) -> None:
    admin = CourseClient(client, make.actor(make.user(SUPER_ADMIN)))
    course, user = make.course(enrollment_count=1), make.user(INSTRUCTOR)
    other = make.course(instructor=user, enrollment_count=1)
    for tree in (course, other):
        make.enrollment(make.user(), tree)
    refresh.refresh_analytics(service.database)
    admin.ok("transferCourse", **transfer_input(course, user))
    refresh.refresh_analytics(service.database)
    document = "{ me { teaching { courseCount enrollmentCount learnerCount } } }"
    former, new = (
        client.execute(document, as_=make.actor(person))["me"]["teaching"] for person in (course.instructor, user)
    )
    assert former == {"courseCount": 0, "enrollmentCount": 0, "learnerCount": 0}
    assert new == {"courseCount": 2, "enrollmentCount": 2, "learnerCount": 2}
    counts = select(InstructorAnalytics.instructor_id, InstructorAnalytics.learner_count)
    stored = service.database.read_sync(lambda session: {row[0]: row[1] for row in session.execute(counts)})
    assert stored == {course.instructor.id: 0, user.id: 2}


def test_enrollment_of_the_new_instructor_stays(client: Client, make: Factories, admin: CourseClient) -> None:
    course, user = make.course(), make.user(INSTRUCTOR)
    make.enrollment(user, course)
    admin.ok("transferCourse", **transfer_input(course, user))
    lecture = global_id("Lecture", course.lectures[0])
    progress = "mutation P($id: ID!) { setLectureCompleted(input: {lectureId: $id, isCompleted: true}) { PAYLOAD } }"
    selection = "enrollment { status progress { completedLectures } } errors { code }"
    payload = client.execute(progress.replace("PAYLOAD", selection), as_=make.actor(user), id=lecture)
    completed = payload["setLectureCompleted"]
    assert completed == {"enrollment": {"status": "ACTIVE", "progress": {"completedLectures": 1}}, "errors": []}
    enroll = "mutation E($id: ID!) { enroll(input: {courseId: $id}) { errors { code path } } }"
    (error,) = client.execute(enroll, as_=make.actor(user), id=course.global_id)["enroll"]["errors"]
    assert error == {"code": "OWN_COURSE", "path": ["input", "courseId"]}
