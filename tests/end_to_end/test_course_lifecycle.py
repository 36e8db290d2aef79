"""The story of a course: an instructor signs in, writes it, puts it in order, opens it, and puts it away."""

from typing import Any

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course
from lms_graphql.core import global_ids
from lms_graphql.core.actor import Role
from tests.factories import PASSWORD, CourseTree, Factories, global_id
from tests.live_service import Client, Service

TREE = """query T($slug: String!) { course(slug: $slug) {
  title status version lectureCount durationSeconds price { amount currency }
  sections { title position lectureCount durationSeconds lectures { title type position content { videoUrl body } } }
} }"""
MINE = "{ me { courses(status: DRAFT) { nodes { title publishProblems { code subject { id } } } } } }"
FOUND = '{ courses(search: "tides") { nodes { title } } }'


class CurriculumClient:
    """Somebody who is signed in, as a front end is."""

    def __init__(self, client: Client, email: str) -> None:
        self._client = client
        document = "mutation L($input: LoginInput!) { login(input: $input) { session { accessToken } } }"
        answer = client.execute(document, input={"email": email, "password": PASSWORD})
        self._bearer = answer["login"]["session"]["accessToken"]

    def sees(self, document: str, **variables: Any) -> Any:
        return self._client.execute(document, bearer=self._bearer, **variables)

    def ok(self, mutation: str, answer: str, **input: Any) -> Any:
        kind = mutation[0].upper() + mutation[1:] + "Input"
        if mutation in {"publishCourse", "archiveCourse", "deleteCourse"}:
            kind = "CourseIdInput"
        document = (
            f"mutation M($input: {kind}!) {{ {mutation}(input: $input) {{ {answer} errors {{ code path }} }} }}"
        )
        return self.sees(document, input=input)[mutation]

    def makes(self, mutation: str, what: str, **input: Any) -> str:
        payload = self.ok(mutation, f"{what} {{ id }}", **input)
        assert payload["errors"] == []
        id: str = payload[what]["id"]
        return id


KINDS: list[dict[str, Any]] = [
    {"type": "VIDEO", "videoUrl": "https://videos.example.com/1.mp4", "durationSeconds": 600},
    {"type": "TEXT", "body": "# The moon\n\n*pulls*."},
    {"type": "RESOURCE", "resourceUrl": "https://files.example.com/tables.pdf"},
    {"type": "ASSIGNMENT", "body": "Draw the tides of a day.", "durationSeconds": 1200},
]


def test_the_story_of_a_course(client: Client, make: Factories, service: Service) -> None:
    category = make.category("Nature")
    person = make.person(Role.INSTRUCTOR)
    author = CurriculumClient(client, str(person.email))
    learner = make.actor(make.user())

    course = author.makes("createCourse", "course", title="The sea", description="All of it.", price="19.90")
    sections = [author.makes("createSection", "section", courseId=course, title=title) for title in ("Air", "Water")]
    sections.insert(0, author.makes("createSection", "section", courseId=course, title="Moon", position=0))
    quizzes = [make.quiz(_row(service, course, person), is_published=True) for _ in range(2)]
    for place, section in enumerate(sections):
        for kind in KINDS:
            author.makes("createLecture", "lecture", sectionId=section, title=f"{kind['type']} {place}", **kind)
    # Twelve by now; two of them make room for quizzes, so that there is every kind.
    for quiz, section in zip(quizzes, sections, strict=False):
        new = {"title": "Try it", "type": "QUIZ", "quizId": global_id("Quiz", quiz), "position": 99}
        author.makes("createLecture", "lecture", sectionId=section, **new)

    problems = author.sees(MINE)["me"]["courses"]["nodes"][0]["publishProblems"]
    assert [problem["code"] for problem in problems] == ["NO_CATEGORY"]
    assert client.execute(TREE, slug="the-sea") == {"course": None}
    assert client.execute(TREE, as_=learner, slug="the-sea") == {"course": None}
    refused = author.ok("publishCourse", "course { id }", courseId=course)
    assert [error["code"] for error in refused["errors"]] == ["NOT_READY"]

    new_words = {"categoryId": global_id("Category", category), "title": "The sea and its tides"}
    author.makes("updateCourse", "course", courseId=course, **new_words)
    order = [sections[0], sections[2], sections[1]]
    author.makes("reorderSections", "course", courseId=course, sectionIds=order)
    first = author.sees(TREE, slug="the-sea-and-its-tides")["course"]
    assert [section["title"] for section in first["sections"]] == ["Moon", "Water", "Air"]
    stale = author.ok(
        "updateCourse", "course { id }", courseId=course, title="Late", expectedVersion=first["version"] - 1
    )
    assert stale["errors"] == [{"code": "STALE_VERSION", "path": ["input", "expectedVersion"]}]

    assert author.ok("publishCourse", "course { status }", courseId=course)["course"] == {"status": "PUBLISHED"}
    seen = client.execute(TREE, slug="the-sea-and-its-tides")["course"]
    assert (seen["lectureCount"], seen["durationSeconds"]) == (14, 3 * 1800)
    assert seen["price"] == {"amount": "19.90", "currency": "USD"}
    for place, section in enumerate(seen["sections"]):
        assert section["position"] == place
        assert [lecture["position"] for lecture in section["lectures"]] == list(range(section["lectureCount"]))
        assert all(lecture["content"] is None for lecture in section["lectures"])
    assert client.execute(FOUND)["courses"]["nodes"] == [{"title": "The sea and its tides"}]

    author.makes("updateCourse", "course", courseId=course, title="The ocean and its tides")
    assert client.execute(TREE, slug="the-sea-and-its-tides")["course"]["title"] == "The ocean and its tides"
    assert author.ok("archiveCourse", "course { status }", courseId=course)["course"] == {"status": "ARCHIVED"}
    assert client.execute(TREE, slug="the-sea-and-its-tides") == {"course": None}
    kept = author.ok("deleteCourse", "deletedId", courseId=course)
    assert kept["errors"] == [{"code": "INVALID_TRANSITION", "path": ["input", "courseId"]}]
    assert author.sees(TREE, slug="the-sea-and-its-tides")["course"]["status"] == "ARCHIVED"


def _row(service: Service, id: str, instructor: User) -> CourseTree:
    key = global_ids.decode_key("Course", id)
    row = service.database.read_sync(lambda session: session.get_one(Course, key))
    return CourseTree(row, instructor, [], [])
