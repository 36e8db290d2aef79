"""Curricula from memory are those of the database, whatever another process has changed."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import pytest
from graphql import get_named_type, is_leaf_type
from sqlalchemy import update

from lms_graphql import wiring
from lms_graphql.catalog import counters
from lms_graphql.catalog.models import Lecture, LectureType, Section
from lms_graphql.core import clock
from lms_graphql.core.actor import Actor, Role
from lms_graphql.operations.stored_times import repair_future_times
from lms_graphql.schema import schema
from lms_graphql.settings import Settings
from tests.concurrency import race_rounds, run_at_once
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service, StatementRecorder, run_service

MUTATIONS: Any = schema.graphql_schema.mutation_type


def _leaves(type_name: str) -> str:
    """Return the names of all fields of the type that are values of its row."""
    graphql_type: Any = schema.graphql_schema.type_map[type_name]
    fields = graphql_type.fields.items()
    return " ".join(name for name, field in fields if is_leaf_type(get_named_type(field.type)) and not field.args)


CURRICULUM = f"""
query Curriculum($id: ID!) {{
  node(id: $id) {{
    ... on Course {{
      version sections {{ {_leaves("Section")} lectures {{ {_leaves("Lecture")} }} }}
    }}
  }}
}}"""


class Readers:
    """Two services on the database of the one that writes: one with cached trees, and one without."""

    def __init__(self, cached: Service, uncached: Service) -> None:
        self.cached, self.uncached = Client(cached), Client(uncached)
        self._statements = StatementRecorder(cached.database)

    def require_same(self, course_id: str, actors: Sequence[Actor | None] = (None,)) -> None:
        """Compare the curricula, both when the cached service reads it and when it has it in memory."""
        for actor in actors:
            expected = self.uncached.graphql(CURRICULUM, actor, id=course_id)
            for _ in range(2):
                assert self.cached.graphql(CURRICULUM, actor, id=course_id) == expected

    def is_cached(self, course_id: str) -> bool:
        """Return whether the curriculum is read with the statement of the course alone."""
        with self._statements as statements:
            self.cached.execute(CURRICULUM, id=course_id)
        return len(statements.texts) == 1

    def close(self) -> None:
        self.cached.close()
        self.uncached.close()


@pytest.fixture(scope="module")
def running_readers(running_service: Service, service_settings: Settings) -> Iterator[Readers]:
    settings = running_service.resources.settings
    with (
        run_service(settings) as cached,
        run_service(settings.model_copy(update={"tree_cache_bytes": 0})) as uncached,
    ):
        readers = Readers(cached, uncached)
        yield readers
        readers.close()


@pytest.fixture
def readers(running_readers: Readers, service: Service) -> Readers:
    """Return the readers of an empty database."""
    return running_readers


class Scenario:
    """A published course, its actors and the ids of what is in it, by name."""

    def __init__(self, client: Client, make: Factories) -> None:
        self._client = client
        self.course: CourseTree = make.course(category=make.category(), sections=2, lectures=2)
        first, second = self.course.sections
        quiz_lecture = make.lecture(second, order_index=2, lecture_type=LectureType.QUIZ)
        colleague, learner, admin = (make.user(role) for role in (Role.INSTRUCTOR, Role.LEARNER, Role.SUPER_ADMIN))
        self.author, self.admin = make.actor(self.course.instructor), make.actor(admin)
        self.actors = [None, make.actor(learner), make.actor(colleague), self.author, self.admin]
        self.ids = {
            "course": self.course.global_id,
            "first": global_id("Section", first),
            "second": global_id("Section", second),
            "lecture": global_id("Lecture", self.course.lectures[0]),
            "next": global_id("Lecture", self.course.lectures[1]),
            "quiz_lecture": global_id("Lecture", quiz_lecture),
            "quiz": global_id("Quiz", make.quiz(self.course, lecture=quiz_lecture)),
            "free_quiz": global_id("Quiz", make.quiz(self.course, is_published=True)),
            "colleague": global_id("User", colleague),
        }
        for name in ("question", "other_question"):
            question = {"quizId": "$quiz", "question": {"trueFalse": {"prompt": name, "correctAnswer": True}}}
            self.ids[name] = self.send("addQuestion", question, "question { id }")["question"]["id"]

    def send(self, mutation: str, input: dict[str, Any], selection: str = "") -> Any:
        """Send a mutation, which must succeed, and return its payload. `$name` stands for an id."""
        input_type = MUTATIONS.fields[mutation].args["input"].type
        document = (
            f"mutation ($i: {input_type}) {{ {mutation}(input: $i) {{ {selection} errors {{ code message }} }} }}"
        )
        actor = self.admin if mutation == "transferCourse" else self.author
        payload = self._client.execute(document, actor, i=self._with_ids(input))[mutation]
        assert payload["errors"] == []
        return payload

    def _with_ids(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._with_ids(item) for item in value]
        if isinstance(value, dict):
            return {name: self._with_ids(item) for name, item in value.items()}
        return self.ids[value[1:]] if isinstance(value, str) and value.startswith("$") else value


@pytest.fixture
def scenario(client: Client, make: Factories) -> Scenario:
    return Scenario(client, make)


class Step(NamedTuple):
    mutation: str
    input: dict[str, Any]


COURSE, QUIZ, QUESTION = {"courseId": "$course"}, {"quizId": "$quiz"}, {"questionId": "$question"}
FIRST, LECTURE = {"sectionId": "$first"}, {"lectureId": "$lecture"}
TRUE_FALSE = {"question": {"trueFalse": {"prompt": "New", "correctAnswer": False}}}
WITHOUT_QUIZ = Step("deleteLecture", {"lectureId": "$quiz_lecture"})
UNPUBLISH = Step("unpublishCourse", COURSE)
CHANGES = [
    [Step("updateCourse", {**COURSE, "title": "New"})],
    [Step("archiveCourse", COURSE), WITHOUT_QUIZ, Step("publishCourse", COURSE)],
    [UNPUBLISH, Step("updateSection", {**FIRST, "title": "New"}), WITHOUT_QUIZ, Step("publishCourse", COURSE)],
    [UNPUBLISH, Step("deleteCourse", COURSE), Step("createCourse", {"title": "New", "description": "Words"})],
    [Step("transferCourse", {**COURSE, "instructorId": "$colleague"})],
    [Step("createSection", {**COURSE, "title": "New", "position": 0})],
    [Step("updateSection", {**FIRST, "title": "New", "description": "Words"})],
    [Step("deleteSection", FIRST)],
    [Step("reorderSections", {**COURSE, "sectionIds": ["$second", "$first"]})],
    [Step("createLecture", {**FIRST, "title": "New", "type": "TEXT", "body": "Words", "position": 0})],
    *(
        [Step("updateLecture", {**LECTURE, **change})]
        for change in ({"title": "New"}, {"durationSeconds": 999}, {"isPreview": False}, {"body": "New"})
    ),
    [Step("updateLecture", {"lectureId": "$quiz_lecture", "quizId": "$free_quiz"})],
    [Step("deleteLecture", LECTURE)],
    [Step("moveLecture", {**LECTURE, **FIRST, "position": 1})],
    [Step("moveLecture", {**LECTURE, "sectionId": "$second", "position": 0})],
    [Step("reorderLectures", {**FIRST, "lectureIds": ["$next", "$lecture"]})],
    [Step("createQuiz", {**COURSE, "title": "New"})],
    [Step("updateQuiz", {**QUIZ, "title": "New", "passingScore": 10})],
    [Step("setQuizPublished", {**QUIZ, "isPublished": True}), Step("regradeQuestion", QUESTION)],
    [Step("deleteQuiz", QUIZ)],
    [Step("addQuestion", {**QUIZ, **TRUE_FALSE})],
    [Step("updateQuestion", {**QUESTION, **TRUE_FALSE})],
    [Step("deleteQuestion", QUESTION)],
    [Step("reorderQuestions", {**QUIZ, "questionIds": ["$other_question", "$question"]})],
    [Step("importQuestions", {**QUIZ, "format": "GIFT", "text": "New {T}"})],
]
OTHER_MUTATIONS = {
    *("createCategory", "updateCategory", "deleteCategory"),
    *("setQuizAccommodation", "startQuizAttempt", "saveAnswer", "submitQuizAttempt", "gradeAnswer"),
}
"""Mutations of the catalog and of assessment that change no course."""


@pytest.mark.slow
@pytest.mark.parametrize("steps", CHANGES, ids=lambda steps: "-".join(step.mutation for step in steps))
def test_readers_see_each_change_of_another_process(
    readers: Readers, scenario: Scenario, steps: Sequence[Step]
) -> None:
    course_id = scenario.ids["course"]
    readers.require_same(course_id, scenario.actors)
    assert readers.is_cached(course_id)
    for step in steps:
        scenario.send(step.mutation, step.input)
        readers.require_same(course_id, scenario.actors)


def test_changes_have_all_mutations_of_courses_and_quizzes() -> None:
    packages = {
        name: field.extensions["strawberry-definition"].base_resolver.wrapped_func.__module__.split(".")[1]
        for name, field in MUTATIONS.fields.items()
    }
    mutations = {name for name, package in packages.items() if package in {"catalog", "assessment"}}
    assert {step.mutation for steps in CHANGES for step in steps} == mutations - OTHER_MUTATIONS


@pytest.mark.slow
def test_all_viewers_but_staff_see_the_same_curriculum(readers: Readers, scenario: Scenario, make: Factories) -> None:
    """Nothing in a cached tree depends on the viewer: neither on an enrollment nor on what they did."""
    enrolled = make.user()
    make.enrollment(enrolled, scenario.course)
    make.lecture_progress(enrolled, scenario.course.lectures[0])
    make.section(scenario.course, order_index=2)
    *others, author, admin = [make.actor(enrolled), *scenario.actors]
    curricula = [readers.uncached.execute(CURRICULUM, actor, id=scenario.ids["course"]) for actor in others]
    assert all(curriculum == curricula[0] for curriculum in curricula)
    for actor in (author, admin):
        sections = readers.cached.execute(CURRICULUM, actor, id=scenario.ids["course"])["node"]["sections"]
        assert len(sections) == len(curricula[0]["node"]["sections"]) + 1
    readers.require_same(scenario.ids["course"], [admin, *others, author])


@pytest.mark.slow
def test_readers_see_what_db_repair_changes(readers: Readers, scenario: Scenario, service: Service) -> None:
    wiring.register_hooks()
    course_id = scenario.ids["course"]
    with service.database.engine.begin() as connection:
        connection.execute(update(Section).values(total_lectures=77, updated_at=clock.now()))
        connection.execute(update(Lecture).values(updated_at=clock.now().replace(year=2090)))
    for repair in (counters.repair_counters, repair_future_times):
        readers.require_same(course_id)
        assert readers.is_cached(course_id)
        assert service.database.write_sync(repair)
        readers.require_same(course_id)


@pytest.mark.slow
def test_curriculum_that_is_stored_during_a_change_is_current(
    readers: Readers, scenario: Scenario, client: Client
) -> None:
    course_id = scenario.ids["course"]

    def read() -> None:
        readers.cached.execute(CURRICULUM, id=course_id)

    for number in range(race_rounds(20)):
        title, target = f"Title {number}", "$first" if number % 2 else "$second"
        move = Step("moveLecture", {**LECTURE, "sectionId": target, "position": 0})
        rename = Step("updateLecture", {"lectureId": "$next", "title": title})
        run_at_once(read, partial(scenario.send, *(rename if number % 4 < 2 else move)), read)
        readers.require_same(course_id)
        assert readers.is_cached(course_id)
