"""Changes of published courses, which must not add a publish problem, and who sees their empty sections."""

from typing import Any

import pytest

from lms_graphql.catalog.models import CourseStatus, LectureType
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.catalog.course_client import CourseClient, rounds_for_database, service_racers
from tests.catalog.curriculum_client import CurriculumClient
from tests.concurrency import code_counts
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service

SECTIONS = """query S($id: ID!, $ids: [ID!]!) {
  node(id: $id) { ... on Course { sectionCount sections { id } } }
  nodes(ids: $ids) { id }
}"""
VERSION = "query V($id: ID!) { node(id: $id) { ... on Course { version publishProblems { code } } } }"
NO_CONTENT = {"video_url": None, "body": None, "content_url": None}
TEXT = {"title": "New", "type": "TEXT"}


class Scenario:
    """A course without problems: two sections, of which the second has a single lecture, a quiz."""

    def __init__(self, client: Client, make: Factories, status: CourseStatus) -> None:
        self.client, self.make = client, make
        self.course: CourseTree = make.course(category=make.category(), sections=2, lectures=1, status=status)
        first, second = self.course.sections
        text = make.lecture(first, order_index=1, lecture_type=LectureType.TEXT, **{**NO_CONTENT, "body": "Words"})
        self.video, self.last = (global_id("Lecture", row) for row in self.course.lectures)
        self.text = global_id("Lecture", text)
        self.first, self.second = global_id("Section", first), global_id("Section", second)
        self.actor = make.actor(self.course.instructor)
        self.author = CurriculumClient(client, self.actor)
        self.course_author = CourseClient(client, self.actor)

    def send(self, mutation: str, **input: Any) -> list[tuple[str, str]]:
        """Return the code and the path of each error."""
        client = self.course_author if mutation == "updateCourse" else self.author
        errors = client.payload(mutation, **input)["errors"]
        return [(error["code"], ".".join(error["path"][1:])) for error in errors]

    def state(self) -> Any:
        return self.client.execute(VERSION, as_=self.actor, id=self.course.global_id)["node"]

    def sections(self, actor: Actor) -> tuple[list[str], int, list[str]]:
        """Return the sections that the actor gets by the course, their number, and those by their ids."""
        ids = [global_id("Section", section) for section in self.course.sections]
        data = self.client.execute(SECTIONS, as_=actor, id=self.course.global_id, ids=ids)
        listed = [section["id"] for section in data["node"]["sections"]]
        return listed, data["node"]["sectionCount"], [node["id"] for node in data["nodes"] if node]


@pytest.fixture
def published(client: Client, make: Factories) -> Scenario:
    return Scenario(client, make, CourseStatus.PUBLISHED)


def changes_with_problems(scenario: Scenario) -> list[tuple[str, dict[str, Any], str]]:
    """Return mutations that add a problem, and the path of the error."""
    course_id = scenario.course.global_id
    move = {"lectureId": scenario.last, "sectionId": scenario.first, "position": 0}
    return [
        ("updateCourse", {"courseId": course_id, "description": " "}, "courseId"),
        ("updateCourse", {"courseId": course_id, "categoryId": None, "title": "Other"}, "courseId"),
        ("createLecture", {"sectionId": scenario.first, **TEXT}, "sectionId"),
        ("createLecture", {"sectionId": scenario.first, **TEXT, "body": " \n"}, "sectionId"),
        ("createLecture", {"sectionId": scenario.first, **TEXT, "type": "RESOURCE"}, "sectionId"),
        ("createLecture", {"sectionId": scenario.first, **TEXT, "type": "VIDEO", "body": "Words"}, "sectionId"),
        ("createLecture", {"sectionId": scenario.first, **TEXT, "type": "QUIZ"}, "sectionId"),
        ("updateLecture", {"lectureId": scenario.video, "videoUrl": None}, "lectureId"),
        ("updateLecture", {"lectureId": scenario.text, "body": ""}, "lectureId"),
        ("deleteLecture", {"lectureId": scenario.last}, "lectureId"),
        ("moveLecture", move, "lectureId"),
    ]


def test_published_course_gets_no_new_problem(published: Scenario) -> None:
    before = published.state()
    for mutation, input, path in changes_with_problems(published):
        assert published.send(mutation, **input) == [("NOT_READY", path)], (mutation, input)
    assert published.state() == before == {"version": 1, "publishProblems": []}


@pytest.mark.parametrize("status", [CourseStatus.DRAFT, CourseStatus.ARCHIVED])
def test_other_courses_change_freely(client: Client, make: Factories, status: CourseStatus) -> None:
    scenario = Scenario(client, make, status)
    for mutation, input, _ in changes_with_problems(scenario)[:-2]:
        assert scenario.send(mutation, **input) == []
    for section in (scenario.first, scenario.second):
        assert scenario.send("deleteSection", sectionId=section) == []
    codes = {problem["code"] for problem in scenario.state()["publishProblems"]}
    assert codes == {"NO_DESCRIPTION", "NO_CATEGORY", "NO_SECTION", "NO_LECTURE"}


def test_last_section_with_lectures_cannot_be_deleted(published: Scenario) -> None:
    published.author.ok("createSection", courseId=published.course.global_id, title="Empty")
    published.author.ok("deleteSection", sectionId=published.second)
    assert published.send("deleteSection", sectionId=published.first) == [("NOT_READY", "sectionId")]


def test_changes_without_new_problem_succeed(published: Scenario) -> None:
    published.author.ok("createLecture", sectionId=published.second, **TEXT, body="Words")
    published.author.ok("createLecture", sectionId=published.second, **TEXT, resourceUrl="https://example.com/a")
    published.author.ok("updateLecture", lectureId=published.video, videoUrl="https://example.com/b", body=None)
    published.author.ok("moveLecture", lectureId=published.last, sectionId=published.first, position=0)
    published.author.ok("deleteLecture", lectureId=published.last)
    assert published.state()["publishProblems"] == []


def test_problems_from_before_do_not_block_other_changes(published: Scenario) -> None:
    broken = published.make.lecture(published.course.sections[0], order_index=2, **NO_CONTENT)
    id = global_id("Lecture", broken)
    published.author.ok("updateLecture", lectureId=id, title="Still without a video")
    published.author.ok("updateLecture", lectureId=published.text, title="Other")
    assert published.send("updateCourse", courseId=published.course.global_id, description="") == [
        ("NOT_READY", "courseId")
    ]
    published.author.ok("deleteLecture", lectureId=id)
    assert published.state()["publishProblems"] == []


def test_quiz_of_published_course_stays_with_its_lecture(published: Scenario) -> None:
    quiz, draft = (
        global_id("Quiz", published.make.quiz(published.course, is_published=is_published))
        for is_published in (True, False)
    )
    new = {"sectionId": published.first, "title": "Test", "type": "QUIZ"}
    assert published.send("createLecture", **new, quizId=draft) == [("NOT_READY", "sectionId")]
    lecture = published.author.ok("createLecture", **new, quizId=quiz)["id"]
    for quiz_id in (None, draft):
        assert published.send("updateLecture", lectureId=lecture, quizId=quiz_id) == [("NOT_READY", "lectureId")]


def test_empty_section_is_shown_to_staff_alone(published: Scenario) -> None:
    created = published.author.ok("createSection", courseId=published.course.global_id, title="New")["id"]
    make = published.make
    new = global_id("Section", make.section(published.course, order_index=3))
    learner, colleague = make.user(), make.user(Role.INSTRUCTOR)
    make.enrollment(learner, published.course)
    for actor in (published.actor, make.actor(make.user(Role.SUPER_ADMIN))):
        listed, count, by_id = published.sections(actor)
        assert listed == [published.first, published.second, created, new]
        assert (count, len(by_id)) == (4, 3)
    filled = [published.first, published.second]
    for actor in (ANONYMOUS, make.actor(learner), make.actor(colleague)):
        assert published.sections(actor) == (filled, 2, filled)
    other_author = CurriculumClient(published.client, make.actor(colleague))
    assert other_author.user_errors("deleteSection", sectionId=created) == [("NOT_FOUND", "sectionId")]
    published.author.ok("createLecture", sectionId=created, **TEXT, body="Words")
    assert published.sections(ANONYMOUS)[0] == [published.first, published.second, created]
    body = other_author.graphql("deleteSection", sectionId=created)
    assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]


@pytest.mark.slow
def test_concurrent_deletions_leave_a_lecture(client: Client, make: Factories, service: Service) -> None:
    with service_racers(service) as clients:
        for _ in rounds_for_database(service, 30):
            scenario = Scenario(client, make, CourseStatus.PUBLISHED)
            deletions = [
                scenario.author.race_request("deleteLecture", lectureId=lecture)
                for lecture in (scenario.video, scenario.text)
            ]
            assert code_counts(clients.race(*deletions)) == {None: 1, "NOT_READY": 1}
            assert scenario.state()["publishProblems"] == []
