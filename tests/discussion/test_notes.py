"""Notes: order, validation, access, limit and deletion."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, CourseStatus, EnrollmentStatus, Lecture
from lms_graphql.core.actor import Role
from lms_graphql.discussion.models import Note, NoteCounter
from lms_graphql.discussion.services.notes import MAX_NOTES_PER_LECTURE
from tests.discussion.discussion_client import DiscussionClient, counter_drift, execute, row_count, scalar
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service, StatementRecorder

NODE = "query N($id: ID!) { node(id: $id) { ... on Note { content lecture { id } } } }"
DELETE_USER = "mutation D($id: ID!) { deleteUser(input: {userId: $id}) { deletedId errors { code } } }"
DELETE_COURSE = "mutation D($id: ID!) { deleteCourse(input: {courseId: $id}) { deletedId errors { code } } }"
COURSE_TREE = """query T($first: Int!) { courses(first: $first) { nodes {
  sections { lectures { viewerNotes { content lecture { id } } } }
} } }"""

ClientOf = Callable[[User], DiscussionClient]
NewLearner = Callable[..., DiscussionClient]


@pytest.fixture
def course(make: Factories) -> CourseTree:
    return make.course()


@pytest.fixture
def client_of(client: Client, make: Factories) -> ClientOf:
    return lambda user: DiscussionClient(client, make.actor(user))


@pytest.fixture
def new_learner(make: Factories, course: CourseTree, client_of: ClientOf) -> NewLearner:
    """Return a function that adds an enrolled learner and returns the learner's client."""

    def add(status: EnrollmentStatus = EnrollmentStatus.ACTIVE) -> DiscussionClient:
        user = make.user()
        make.enrollment(user, course, status)
        return client_of(user)

    return add


@pytest.fixture
def learner(new_learner: NewLearner) -> DiscussionClient:
    return new_learner()


def new_note(lecture: Lecture, content: str = "Remember", **fields: Any) -> dict[str, Any]:
    """Return an input of `createNote`."""
    return {"lectureId": global_id("Lecture", lecture), "content": content, **fields}


def test_note_is_created_changed_and_deleted(learner: DiscussionClient, course: CourseTree, service: Service) -> None:
    lecture = course.lectures[1]
    content = "  **Markdown**,\n\tas written \n"
    note = learner.ok("createNote", **new_note(lecture, content, positionSeconds=12))
    assert note["content"] == content
    assert note["positionSeconds"] == 12
    assert note["lecture"] == {"id": global_id("Lecture", lecture)}
    assert learner.execute(NODE, id=note["id"])["node"]["content"] == note["content"]
    changed = learner.ok("updateNote", noteId=note["id"], content="Shorter")
    assert (changed["content"], changed["positionSeconds"]) == ("Shorter", 12)
    assert changed["updatedAt"] > note["updatedAt"]
    assert changed["createdAt"] == note["createdAt"]
    assert learner.ok("updateNote", noteId=note["id"], positionSeconds=None)["positionSeconds"] is None
    assert [row["content"] for row in learner.notes(lecture)] == ["Shorter"]
    assert learner.ok("deleteNote", noteId=note["id"]) == note["id"]
    assert learner.notes(lecture) == []
    assert learner.user_errors("deleteNote", noteId=note["id"]) == [("NOT_FOUND", "noteId")]
    assert learner.user_errors("updateNote", noteId=note["id"], content="x") == [("NOT_FOUND", "noteId")]
    assert counter_drift(service.database) == []


def test_notes_are_ordered_by_position_with_null_last(learner: DiscussionClient, course: CourseTree) -> None:
    lecture = course.lectures[0]
    for content, position in (
        ("no position", None),
        ("at 50", 50),
        ("at 0", 0),
        ("at 50, newer", 50),
        ("no position, newer", None),
    ):
        learner.ok("createNote", **new_note(lecture, content, positionSeconds=position))
    learner.ok("createNote", **new_note(course.lectures[1], "in another lecture"))
    contents = [note["content"] for note in learner.notes(lecture)]
    assert contents == ["at 0", "at 50", "at 50, newer", "no position", "no position, newer"]


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"content": " \n "}, [("REQUIRED", "content")]),
        ({"content": "x" * 10_001}, [("TOO_LONG", "content")]),
        ({"positionSeconds": -1}, [("OUT_OF_RANGE", "positionSeconds")]),
        ({"content": "", "positionSeconds": -5}, [("REQUIRED", "content"), ("OUT_OF_RANGE", "positionSeconds")]),
    ],
)
def test_all_errors_of_a_note_are_returned_together(
    learner: DiscussionClient, course: CourseTree, fields: Any, errors: Any
) -> None:
    lecture = course.lectures[0]
    assert learner.user_errors("createNote", **new_note(lecture, **fields)) == errors
    note = learner.ok("createNote", **new_note(lecture))
    assert learner.user_errors("updateNote", noteId=note["id"], **fields) == errors
    assert len(learner.notes(lecture)) == 1


def test_omitted_note_fields_are_unchanged(learner: DiscussionClient, course: CourseTree) -> None:
    note = learner.ok("createNote", **new_note(course.lectures[0], "x" * 10_000, positionSeconds=7))
    assert learner.user_errors("updateNote", noteId=note["id"], content=None) == [("REQUIRED", "content")]
    assert learner.ok("updateNote", noteId=note["id"]) == note


@pytest.mark.parametrize("status", [EnrollmentStatus.CANCELLED, EnrollmentStatus.REFUNDED, EnrollmentStatus.EXPIRED])
def test_learner_without_access_can_only_read_and_delete_notes(
    make: Factories, course: CourseTree, client_of: ClientOf, status: EnrollmentStatus
) -> None:
    user = make.user()
    make.enrollment(user, course, status)
    learner, preview = client_of(user), course.lectures[0]
    id = global_id("Note", make.note(user, preview))
    assert learner.user_errors("createNote", **new_note(preview)) == [("NOT_ENROLLED", "lectureId")]
    assert learner.user_errors("updateNote", noteId=id, content="x") == [("NOT_ENROLLED", "noteId")]
    assert learner.execute(NODE, id=id)["node"]["content"] == "Remember this"
    assert [note["id"] for note in learner.notes(preview)] == [id]
    learner.ok("deleteNote", noteId=id)


def test_notes_require_enrollment_or_course_staff(
    make: Factories, course: CourseTree, new_learner: NewLearner, client_of: ClientOf
) -> None:
    completed = new_learner(EnrollmentStatus.COMPLETED)
    for client in (completed, client_of(course.instructor), client_of(make.user(Role.SUPER_ADMIN))):
        client.ok("createNote", **new_note(course.lectures[1]))
    for client in (client_of(make.user()), client_of(make.user(Role.INSTRUCTOR))):
        errors = client.user_errors("createNote", **new_note(course.lectures[0]))
        assert errors == [("NOT_ENROLLED", "lectureId")]


def test_disabled_notes_can_be_changed_but_not_created(
    learner: DiscussionClient,
    course: CourseTree,
    client_of: ClientOf,
    service: Service,
) -> None:
    note = learner.ok("createNote", **new_note(course.lectures[0]))
    execute(service.database, update(Course).values(allow_notes=False))
    for client in (learner, client_of(course.instructor)):
        errors = client.user_errors("createNote", **new_note(course.lectures[0]))
        assert errors == [("FEATURE_DISABLED", "lectureId")]
    assert learner.ok("updateNote", noteId=note["id"], content="Still mine")["content"] == "Still mine"
    assert len(learner.notes(course.lectures[0])) == 1
    learner.ok("deleteNote", noteId=note["id"])


def test_notes_are_limited_per_user_and_lecture(
    learner: DiscussionClient, new_learner: NewLearner, course: CourseTree, service: Service
) -> None:
    other_learner, lecture = new_learner(), course.lectures[0]
    existing = [
        Note(user_id=learner.actor.key, lecture_id=lecture.id, content=str(number))
        for number in range(MAX_NOTES_PER_LECTURE - 1)
    ]
    service.database.write_sync(lambda session: session.add_all(existing))  # without a row in note_counters
    last = learner.ok("createNote", **new_note(lecture))
    for _ in range(2):
        assert learner.user_errors("createNote", **new_note(lecture)) == [("LIMIT_REACHED", "lectureId")]
    learner.ok("createNote", **new_note(course.lectures[1]))
    other_learner.ok("createNote", **new_note(lecture))
    assert counter_drift(service.database) == []
    learner.ok("deleteNote", noteId=last["id"])
    learner.ok("createNote", **new_note(lecture))
    assert learner.user_errors("createNote", **new_note(lecture)) == [("LIMIT_REACHED", "lectureId")]


def test_invalid_notes_are_not_counted(learner: DiscussionClient, course: CourseTree, service: Service) -> None:
    learner.ok("createNote", **new_note(course.lectures[0]))
    for content in ("", "x" * 10_001):
        learner.payload("createNote", **new_note(course.lectures[0], content))
    assert scalar(service.database, select(NoteCounter.note_count)) == 1


def test_notes_of_removed_lecture_can_be_read_and_deleted(
    make: Factories, course: CourseTree, client_of: ClientOf, service: Service
) -> None:
    user, lecture = make.user(), course.lectures[1]
    make.enrollment(user, course)
    id = global_id("Note", make.note(user, lecture))
    execute(service.database, update(Lecture).where(Lecture.id == lecture.id).values(deleted_at=datetime.now(UTC)))
    learner = client_of(user)
    assert learner.execute(NODE, id=id)["node"] == {"content": "Remember this", "lecture": None}
    assert learner.user_errors("createNote", **new_note(lecture)) == [("NOT_FOUND", "lectureId")]
    learner.ok("deleteNote", noteId=id)


def test_draft_course_is_deleted_with_its_notes(make: Factories, client_of: ClientOf, service: Service) -> None:
    draft = make.course(status=CourseStatus.DRAFT)
    instructor = client_of(draft.instructor)
    instructor.ok("createNote", **new_note(draft.lectures[0]))
    payload = instructor.execute(DELETE_COURSE, id=draft.global_id)["deleteCourse"]
    assert payload == {"deletedId": draft.global_id, "errors": []}
    assert row_count(service.database, Note) == 0


def test_notes_are_deleted_with_the_account(
    learner: DiscussionClient,
    course: CourseTree,
    make: Factories,
    client_of: ClientOf,
    service: Service,
) -> None:
    user = make.user()
    make.enrollment(user, course)
    leaving_learner = client_of(user)
    leaving_learner.ok("createNote", **new_note(course.lectures[0]))
    learner.ok("createNote", **new_note(course.lectures[0]))
    assert leaving_learner.execute(DELETE_USER, id=global_id("User", user))["deleteUser"]["errors"] == []
    assert row_count(service.database, Note) == 1
    assert row_count(service.database, NoteCounter) == 1


@pytest.mark.query_budget
def test_notes_of_a_course_tree_take_one_statement(
    client: Client, make: Factories, statements: StatementRecorder
) -> None:
    user = make.user()
    for _ in range(10):
        course = make.course(lectures=3)
        for lecture in course.lectures:
            make.note(user, lecture)
    counts = []
    for first in (1, 10):
        with statements:
            courses = client.execute(COURSE_TREE, as_=make.actor(user), first=first)["courses"]["nodes"]
        notes = [lecture["viewerNotes"] for course in courses for lecture in course["sections"][0]["lectures"]]
        assert [len(notes_of_lecture) for notes_of_lecture in notes] == [1] * first * 3
        counts.append(statements.count)
    assert counts == [5, 5]  # courses, sections, lectures, notes, and the lectures of the notes
