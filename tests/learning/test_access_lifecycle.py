"""What a course opens to somebody who comes, leaves, comes back and runs out of time: the same on every path."""

from datetime import UTC, datetime
from typing import Any

import time_machine
from sqlalchemy import update

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import CourseStatus
from lms_graphql.core.actor import Role
from lms_graphql.learning.models import CourseProgress
from tests.accounts.session_client import login
from tests.factories import CourseTree, Factories, global_id
from tests.learning.enrollment_client import HOUR, done, ids_of, said, when
from tests.live_service import Client, Service, Statements

CONTENT = "content { videoUrl body resourceUrl } lock { reason }"
PATHS = """query P($lecture: ID!, $preview: ID!, $section: ID!, $course: ID!) {
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
SAYS = """query S($lecture: ID!) { node(id: $lecture) { ... on Lecture {
  qaQuestions { totalCount } viewerNotes { content }
} } }"""
WRITES = {
    "createNote": ("CreateNoteInput", {"content": "x"}),
    "askQuestion": ("AskQuestionInput", {"title": "x", "content": "x"}),
}


class Path:
    """A course that somebody is about to walk through, and what they find at each step."""

    def __init__(self, client: Client, make: Factories, **course: Any) -> None:
        self.client, self.make = client, make
        self.course: CourseTree = make.course(**course)
        self.learner: User = make.user()
        self.actor = make.actor(self.learner)
        self.staff = make.actor(self.course.instructor)
        self.preview, self.lecture = self.course.lectures
        make.question(make.user(), self.lecture)
        make.note(self.learner, self.lecture)

    def enrolls(self) -> Any:
        return done(self.client, self.actor, "enroll", courseId=self.course.global_id)

    def is_granted(self, **more: Any) -> Any:
        return done(self.client, self.staff, "grantEnrollment", **ids_of(self.course, self.learner), **more)

    def cancels(self, id: str) -> Any:
        return done(self.client, self.actor, "cancelEnrollment", enrollmentId=id)

    def finds(self, lock: str | None) -> None:
        """On all paths the closed lecture: its content, or this lock. The preview stays open."""
        asked = {"lecture": self.lecture, "preview": self.preview, "section": self.course.sections[0]}
        ids = {name: global_id(type(row).__name__, row) for name, row in asked.items()}
        answer = self.client.execute(PATHS, as_=self.actor, **ids, course=self.course.global_id)
        found = list(lectures(answer))
        assert len(found) >= 6
        for lecture in found:
            locked = None if lecture.get("isPreview") else lock
            assert lecture["lock"] == (locked and {"reason": locked})
            assert (lecture["content"] is None) is (locked is not None)
        said_there = self.client.execute(SAYS, as_=self.actor, lecture=ids["lecture"])["node"]
        assert said_there["qaQuestions"]["totalCount"] == (0 if lock else 1)
        assert said_there["viewerNotes"], "one's own notes stay readable"
        for mutation, (kind, words) in WRITES.items():
            document = f"mutation W($input: {kind}!) {{ {mutation}(input: $input) {{ errors {{ code }} }} }}"
            if lock is not None:
                input = {**words, "lectureId": ids["lecture"]}
                told = self.client.execute(document, as_=self.actor, input=input)[mutation]["errors"]
                assert told == [{"code": "NOT_ENROLLED"}]


def lectures(value: Any) -> Any:
    """Wherever they stand in an answer."""
    if isinstance(value, dict):
        if "lock" in value:
            yield value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from lectures(inner)


def test_content_opens_with_a_place_and_closes_when_it_is_given_up(client: Client, make: Factories) -> None:
    path = Path(client, make)
    path.finds("ENROLLMENT_REQUIRED")
    for _ in range(2):
        id = path.enrolls()["id"]
        path.finds(None)
        path.cancels(id)
        path.finds("ENROLLMENT_INACTIVE")


def test_content_closes_at_the_instant_at_which_access_ends(client: Client, make: Factories) -> None:
    path = Path(client, make, price=1)
    path.is_granted(accessExpiresAt=said(when(HOUR)))
    path.finds(None)
    with time_machine.travel(datetime.now(UTC) + HOUR):
        path.finds("ENROLLMENT_INACTIVE")
        path.is_granted(accessExpiresAt=said(when(HOUR)))
        path.finds(None)


def test_an_archived_course_stays_open_to_who_is_in_it(client: Client, make: Factories) -> None:
    path = Path(client, make)
    path.enrolls()
    archive = "mutation A($input: CourseIdInput!) { archiveCourse(input: $input) { errors { code } } }"
    answer = client.execute(archive, as_=path.staff, input={"courseId": path.course.global_id})
    assert answer == {"archiveCourse": {"errors": []}}
    path.finds(None)
    assert path.enrolls()["status"] == "ACTIVE"


STEPS = (
    """mutation S($course: ID!, $place: ID!) {
  out: cancelEnrollment(input: {enrollmentId: $place}) { ...Seen }
  in: enroll(input: {courseId: $course}) { ...Seen }
  again: cancelEnrollment(input: {enrollmentId: $place}) { ...Seen }
}
fragment Seen on EnrollmentPayload { enrollment {
  status user { enrollments { nodes { status } } } course { viewerEnrollment { status } sections { lectures {"""
    + CONTENT
    + "} } } } }"
)


def test_each_payload_shows_what_is_so_after_its_step(client: Client, make: Factories) -> None:
    """In one document: what was read for the step before is not what is shown."""
    path = Path(client, make)
    id = path.enrolls()["id"]
    steps = client.execute(STEPS, as_=path.actor, course=path.course.global_id, place=id)
    for name, status in (("out", "CANCELLED"), ("in", "ACTIVE"), ("again", "CANCELLED")):
        found = steps[name]["enrollment"]
        own = {"status": status}
        assert (found["status"], found["course"]["viewerEnrollment"]) == (status, own)
        assert found["user"]["enrollments"]["nodes"] == [own]
        _, closed = found["course"]["sections"][0]["lectures"]
        assert (closed["content"] is None) is (status == "CANCELLED")


def test_staff_need_no_place_and_strangers_get_none_by_asking(client: Client, make: Factories) -> None:
    course = make.course(status=CourseStatus.ARCHIVED)
    lecture = global_id("Lecture", course.lectures[1])
    document = f"query C($id: ID!) {{ node(id: $id) {{ ... on Lecture {{ {CONTENT} }} }} }}"
    for person in (course.instructor, make.user(Role.SUPER_ADMIN)):
        assert client.execute(document, as_=make.actor(person), id=lecture)["node"]["lock"] is None
    for person in (make.user(), make.user(Role.INSTRUCTOR)):
        assert client.execute(document, as_=make.actor(person), id=lecture)["node"] is None


DASHBOARD = """{ me { enrollments(first: 30) { nodes {
  status course { title } progress { percent currentLecture { title } lectures { isCompleted lecture { title } } }
  certificate { serial status }
} } } }"""
WHERE_TO_GO_ON = """{ me { enrollments(first: 30) { nodes {
  status course { title slug } progress { percent completedLectures totalLectures currentLecture { title } }
} } } }"""


def opened(service: Service, course: CourseTree) -> None:
    """The first lecture, by everybody who is there."""
    last = update(CourseProgress).where(CourseProgress.course_id == course.row.id)
    with service.engine.begin() as connection:
        connection.execute(last.values(current_lecture_id=course.lectures[0].id))


def test_a_dashboard_of_thirty_courses_costs_what_one_of_one_costs(
    client: Client, make: Factories, service: Service, statements: Statements
) -> None:
    """Where some were opened and others were not yet."""
    learner, costs = make.person(), []
    actor = make.actor(learner)
    for number in (1, 29):
        for place in range(number):
            course = make.course()
            done(client, actor, "enroll", courseId=course.global_id)
            if place % 2 == 0:
                opened(service, course)
            if place % 3:
                make.lecture_progress(learner, course.lectures[0], is_completed=True)
            if place % 2:
                make.certificate(learner, course)
        with statements:
            nodes = client.execute(DASHBOARD, as_=actor)["me"]["enrollments"]["nodes"]
        assert all(node["progress"]["currentLecture"] for node in nodes)
        costs.append((len(nodes), statements.count))
    (one, first), (thirty, second) = costs
    assert (one, thirty) == (1, 30)
    assert first == second <= 8, costs
    token = login(client, learner)["session"]["accessToken"]
    with statements:
        client.execute(WHERE_TO_GO_ON, bearer=token)
    assert statements.count <= 8, "also with the one that asks who this is"
