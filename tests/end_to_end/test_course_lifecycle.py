"""The lifecycle of a course: an instructor signs in, creates, reorders, publishes and archives it."""

from typing import Any

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course
from lms_graphql.core import global_ids
from lms_graphql.core.actor import Role
from tests.factories import PASSWORD, CourseTree, Factories, global_id
from tests.live_service import Client, Service

COURSE = """query C($slug: String!) { course(slug: $slug) {
  title status version lectureCount durationSeconds price { amount currency }
  sections { title position lectureCount durationSeconds lectures { title type position content { videoUrl body } } }
} }"""
MY_DRAFTS = "{ me { courses(status: DRAFT) { nodes { title publishProblems { code subject { id } } } } } }"
SEARCH = '{ courses(search: "tides") { nodes { title } } }'


class SignedInClient:
    """A client that is logged in by password and sends an access token, as a front end does."""

    def __init__(self, client: Client, email: str) -> None:
        self._client = client
        document = "mutation L($input: LoginInput!) { login(input: $input) { session { accessToken } } }"
        data = client.execute(document, input={"email": email, "password": PASSWORD})
        self._bearer = data["login"]["session"]["accessToken"]

    def query(self, document: str, **variables: Any) -> Any:
        return self._client.execute(document, bearer=self._bearer, **variables)

    def payload(self, mutation: str, selection: str, **input: Any) -> Any:
        """Return the payload of the mutation, with its errors."""
        input_type = mutation[0].upper() + mutation[1:] + "Input"
        if mutation in {"publishCourse", "archiveCourse", "deleteCourse"}:
            input_type = "CourseIdInput"
        fields = f"{selection} errors {{ code path }}"
        document = f"mutation M($input: {input_type}!) {{ {mutation}(input: $input) {{ {fields} }} }}"
        return self.query(document, input=input)[mutation]

    def ok(self, mutation: str, field: str, **input: Any) -> str:
        """Return the id of the object that was created or changed. Errors fail the test."""
        payload = self.payload(mutation, f"{field} {{ id }}", **input)
        assert payload["errors"] == []
        id: str = payload[field]["id"]
        return id


LECTURES: list[dict[str, Any]] = [
    {"type": "VIDEO", "videoUrl": "https://videos.example.com/1.mp4", "durationSeconds": 600},
    {"type": "TEXT", "body": "# The moon\n\n*pulls*."},
    {"type": "RESOURCE", "resourceUrl": "https://files.example.com/tables.pdf"},
    {"type": "ASSIGNMENT", "body": "Draw the tides of a day.", "durationSeconds": 1200},
]


def test_course_lifecycle(client: Client, make: Factories, service: Service) -> None:
    category = make.category("Nature")
    instructor = make.user_with_password(Role.INSTRUCTOR)
    author = SignedInClient(client, str(instructor.email))
    learner = make.actor(make.user())

    course = author.ok("createCourse", "course", title="The sea", description="All of it.", price="19.90")
    sections = [author.ok("createSection", "section", courseId=course, title=title) for title in ("Air", "Water")]
    sections.insert(0, author.ok("createSection", "section", courseId=course, title="Moon", position=0))
    quizzes = [make.quiz(course_tree(service, course, instructor), is_published=True) for _ in range(2)]
    for number, section in enumerate(sections):
        for lecture in LECTURES:
            author.ok("createLecture", "lecture", sectionId=section, title=f"{lecture['type']} {number}", **lecture)
    # With two quiz lectures there is every type of lecture, 14 in all.
    for quiz, section in zip(quizzes, sections, strict=False):
        new = {"title": "Try it", "type": "QUIZ", "quizId": global_id("Quiz", quiz), "position": 99}
        author.ok("createLecture", "lecture", sectionId=section, **new)

    problems = author.query(MY_DRAFTS)["me"]["courses"]["nodes"][0]["publishProblems"]
    assert [problem["code"] for problem in problems] == ["NO_CATEGORY"]
    assert client.execute(COURSE, slug="the-sea") == {"course": None}
    assert client.execute(COURSE, as_=learner, slug="the-sea") == {"course": None}
    failed = author.payload("publishCourse", "course { id }", courseId=course)
    assert [error["code"] for error in failed["errors"]] == ["NOT_READY"]

    changes = {"categoryId": global_id("Category", category), "title": "The sea and its tides"}
    author.ok("updateCourse", "course", courseId=course, **changes)
    order = [sections[0], sections[2], sections[1]]
    author.ok("reorderSections", "course", courseId=course, sectionIds=order)
    first = author.query(COURSE, slug="the-sea-and-its-tides")["course"]
    assert [section["title"] for section in first["sections"]] == ["Moon", "Water", "Air"]
    stale = author.payload(
        "updateCourse", "course { id }", courseId=course, title="Late", expectedVersion=first["version"] - 1
    )
    assert stale["errors"] == [{"code": "STALE_VERSION", "path": ["input", "expectedVersion"]}]

    assert author.payload("publishCourse", "course { status }", courseId=course)["course"] == {"status": "PUBLISHED"}
    published = client.execute(COURSE, slug="the-sea-and-its-tides")["course"]
    assert (published["lectureCount"], published["durationSeconds"]) == (14, 3 * 1800)
    assert published["price"] == {"amount": "19.90", "currency": "USD"}
    for position, section in enumerate(published["sections"]):
        assert section["position"] == position
        assert [lecture["position"] for lecture in section["lectures"]] == list(range(section["lectureCount"]))
        assert all(lecture["content"] is None for lecture in section["lectures"])
    assert client.execute(SEARCH)["courses"]["nodes"] == [{"title": "The sea and its tides"}]

    author.ok("updateCourse", "course", courseId=course, title="The ocean and its tides")
    assert client.execute(COURSE, slug="the-sea-and-its-tides")["course"]["title"] == "The ocean and its tides"
    assert author.payload("archiveCourse", "course { status }", courseId=course)["course"] == {"status": "ARCHIVED"}
    assert client.execute(COURSE, slug="the-sea-and-its-tides") == {"course": None}
    failed = author.payload("deleteCourse", "deletedId", courseId=course)
    assert failed["errors"] == [{"code": "INVALID_TRANSITION", "path": ["input", "courseId"]}]
    assert author.query(COURSE, slug="the-sea-and-its-tides")["course"]["status"] == "ARCHIVED"


def course_tree(service: Service, id: str, instructor: User) -> CourseTree:
    key = global_ids.decode_key("Course", id)
    row = service.database.read_sync(lambda session: session.get_one(Course, key))
    return CourseTree(row, instructor, [], [])
