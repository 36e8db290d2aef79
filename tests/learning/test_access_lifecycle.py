"""Access to content through the life of an enrollment: the same on every path."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy import update

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import CourseStatus
from lms_graphql.core.actor import Role
from lms_graphql.learning.models import CourseProgress
from tests.accounts.session_client import login
from tests.factories import CourseTree, Factories, global_id
from tests.learning.enrollment_client import HOUR, EnrollmentClient, from_now, grant_input, iso
from tests.live_service import Client, Service, StatementRecorder

CONTENT = "content { videoUrl body resourceUrl } lock { reason }"
ALL_PATHS = """query P($lecture: ID!, $preview: ID!, $section: ID!, $course: ID!) {
  node(id: $lecture) { ... on Lecture { CONTENT } }
  nodes(ids: [$lecture, $preview]) { ... on Lecture { isPreview CONTENT } }
  preview: node(id: $preview) { ... on Lecture { next { CONTENT } } }
  section: node(id: $section) { ... on Section { lectures { isPreview CONTENT } } }
  course: node(id: $course) { ... on Course {
    sections { lectures { isPreview CONTENT } }
    viewerEnrollment { status progress { currentLecture { isPreview CONTENT } lectures { lecture { CONTENT } } } }
  } }
  me { enrollments { nodes { course { sections { lectures { isPreview CONTENT } } } } } }
}""".replace("CONTENT", CONTENT)
DISCUSSION = """query S($lecture: ID!) { node(id: $lecture) { ... on Lecture {
  qaQuestions { totalCount } viewerNotes { content }
} } }"""
DISCUSSION_MUTATIONS = {
    "createNote": ("CreateNoteInput", {"content": "x"}),
    "askQuestion": ("AskQuestionInput", {"title": "x", "content": "x"}),
}


class AccessScenario:
    """A learner in a course with a preview and a locked lecture, and what they can read at each step."""

    def __init__(self, client: Client, make: Factories, **course: Any) -> None:
        self.client, self.make = client, make
        self.course: CourseTree = make.course(**course)
        self.learner: User = make.user()
        self.actor = make.actor(self.learner)
        self.staff = make.actor(self.course.instructor)
        self.preview, self.lecture = self.course.lectures
        make.question(make.user(), self.lecture)
        make.note(self.learner, self.lecture)

    def enroll(self) -> Any:
        return EnrollmentClient(self.client, self.actor).ok("enroll", courseId=self.course.global_id)

    def grant(self, **more: Any) -> Any:
        input = grant_input(self.course, self.learner)
        return EnrollmentClient(self.client, self.staff).ok("grantEnrollment", **input, **more)

    def cancel(self, id: str) -> Any:
        return EnrollmentClient(self.client, self.actor).ok("cancelEnrollment", enrollmentId=id)

    def check_lock(self, reason: str | None) -> None:
        """Check that the lecture has this lock, or is open, on all paths. The preview is always open."""
        nodes = {"lecture": self.lecture, "preview": self.preview, "section": self.course.sections[0]}
        ids = {name: global_id(type(row).__name__, row) for name, row in nodes.items()}
        response = self.client.execute(ALL_PATHS, as_=self.actor, **ids, course=self.course.global_id)
        lectures = list(lectures_in(response))
        assert len(lectures) >= 6
        for lecture in lectures:
            expected = None if lecture.get("isPreview") else reason
            assert lecture["lock"] == (expected and {"reason": expected})
            assert (lecture["content"] is None) is (expected is not None)
        discussion = self.client.execute(DISCUSSION, as_=self.actor, lecture=ids["lecture"])["node"]
        assert discussion["qaQuestions"]["totalCount"] == (0 if reason else 1)
        assert discussion["viewerNotes"], "the learner's own notes stay readable"
        for mutation, (input_type, values) in DISCUSSION_MUTATIONS.items():
            document = f"mutation W($input: {input_type}!) {{ {mutation}(input: $input) {{ errors {{ code }} }} }}"
            if reason is not None:
                input = {**values, "lectureId": ids["lecture"]}
                errors = self.client.execute(document, as_=self.actor, input=input)[mutation]["errors"]
                assert errors == [{"code": "NOT_ENROLLED"}]


def lectures_in(value: Any) -> Any:
    """Yield all lectures in a response, at any depth."""
    if isinstance(value, dict):
        if "lock" in value:
            yield value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from lectures_in(inner)


def test_content_is_open_while_enrolled(client: Client, make: Factories) -> None:
    scenario = AccessScenario(client, make)
    scenario.check_lock("ENROLLMENT_REQUIRED")
    for _ in range(2):
        id = scenario.enroll()["id"]
        scenario.check_lock(None)
        scenario.cancel(id)
        scenario.check_lock("ENROLLMENT_INACTIVE")


def test_content_is_locked_once_access_ends(client: Client, make: Factories) -> None:
    scenario = AccessScenario(client, make, price=1)
    scenario.grant(accessExpiresAt=iso(from_now(HOUR)))
    scenario.check_lock(None)
    with time_machine.travel(datetime.now(UTC) + HOUR):
        scenario.check_lock("ENROLLMENT_INACTIVE")
        scenario.grant(accessExpiresAt=iso(from_now(HOUR)))
        scenario.check_lock(None)


def test_archived_course_stays_open_to_learners(client: Client, make: Factories) -> None:
    scenario = AccessScenario(client, make)
    scenario.enroll()
    archive = "mutation A($input: CourseIdInput!) { archiveCourse(input: $input) { errors { code } } }"
    response = client.execute(archive, as_=scenario.staff, input={"courseId": scenario.course.global_id})
    assert response == {"archiveCourse": {"errors": []}}
    scenario.check_lock(None)
    assert scenario.enroll()["status"] == "ACTIVE"


STEPS = (
    """mutation S($course: ID!, $enrollment: ID!) {
  cancel: cancelEnrollment(input: {enrollmentId: $enrollment}) { ...Seen }
  enroll: enroll(input: {courseId: $course}) { ...Seen }
  cancelAgain: cancelEnrollment(input: {enrollmentId: $enrollment}) { ...Seen }
}
fragment Seen on EnrollmentPayload { enrollment {
  status user { enrollments { nodes { status } } } course { viewerEnrollment { status } sections { lectures {"""
    + CONTENT
    + "} } } } }"
)


def test_each_payload_shows_state_after_its_mutation(client: Client, make: Factories) -> None:
    """In one document: no payload shows rows that were read for the mutation before it."""
    scenario = AccessScenario(client, make)
    id = scenario.enroll()["id"]
    payloads = client.execute(STEPS, as_=scenario.actor, course=scenario.course.global_id, enrollment=id)
    for name, status in (("cancel", "CANCELLED"), ("enroll", "ACTIVE"), ("cancelAgain", "CANCELLED")):
        enrollment = payloads[name]["enrollment"]
        expected = {"status": status}
        assert (enrollment["status"], enrollment["course"]["viewerEnrollment"]) == (status, expected)
        assert enrollment["user"]["enrollments"]["nodes"] == [expected]
        _, lecture = enrollment["course"]["sections"][0]["lectures"]
        assert (lecture["content"] is None) is (status == "CANCELLED")


def test_only_staff_read_archived_course_without_enrollment(client: Client, make: Factories) -> None:
    course = make.course(status=CourseStatus.ARCHIVED)
    lecture = global_id("Lecture", course.lectures[1])
    document = f"query C($id: ID!) {{ node(id: $id) {{ ... on Lecture {{ {CONTENT} }} }} }}"
    for user in (course.instructor, make.user(Role.SUPER_ADMIN)):
        assert client.execute(document, as_=make.actor(user), id=lecture)["node"]["lock"] is None
    for user in (make.user(), make.user(Role.INSTRUCTOR)):
        assert client.execute(document, as_=make.actor(user), id=lecture)["node"] is None


DASHBOARD = """{ me { enrollments(first: 30) { nodes {
  status course { title } progress { percent currentLecture { title } lectures { isCompleted lecture { title } } }
  certificate { serial status }
} } } }"""
CURRENT_LECTURES = """{ me { enrollments(first: 30) { nodes {
  status course { title slug } progress { percent completedLectures totalLectures currentLecture { title } }
} } } }"""


def open_first_lecture(service: Service, course: CourseTree) -> None:
    """Make the first lecture the current one of everyone in the course."""
    progress = update(CourseProgress).where(CourseProgress.course_id == course.row.id)
    with service.engine.begin() as connection:
        connection.execute(progress.values(current_lecture_id=course.lectures[0].id))


@pytest.mark.slow
@pytest.mark.query_budget
def test_dashboard_cost_does_not_grow_with_courses(
    client: Client, make: Factories, service: Service, statements: StatementRecorder
) -> None:
    """Some courses have an opened lecture, others do not."""
    learner, counts = make.user_with_password(), []
    api = EnrollmentClient(client, make.actor(learner))
    for number in (1, 29):
        for index in range(number):
            course = make.course()
            api.ok("enroll", courseId=course.global_id)
            if index % 2 == 0:
                open_first_lecture(service, course)
            if index % 3:
                make.lecture_progress(learner, course.lectures[0], is_completed=True)
            if index % 2:
                make.certificate(learner, course)
        with statements:
            nodes = client.execute(DASHBOARD, as_=api.actor)["me"]["enrollments"]["nodes"]
        assert all(node["progress"]["currentLecture"] for node in nodes)
        counts.append((len(nodes), statements.count))
    (small_size, small_cost), (large_size, large_cost) = counts
    assert (small_size, large_size) == (1, 30)
    assert small_cost == large_cost <= 8, counts
    token = login(client, learner)["session"]["accessToken"]
    with statements:
        client.execute(CURRENT_LECTURES, bearer=token)
    assert statements.count <= 8, "including the one that authenticates the bearer"
