"""Notes: by their place in the lecture, for who takes them, and for as long as they want."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update

from lms_graphql.catalog.models import Course, CourseStatus, EnrollmentStatus, Lecture
from lms_graphql.core.actor import Actor, Role
from lms_graphql.discussion import counters
from lms_graphql.discussion.models import Note, NoteCounter
from lms_graphql.discussion.services.notes import MAX_NOTES_PER_LECTURE
from tests.accounts.test_login import told
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service, Statements

FIELDS = "note { id content positionSeconds createdAt updatedAt lecture { id } } errors { code path }"
CREATE = f"mutation N($input: CreateNoteInput!) {{ createNote(input: $input) {{ {FIELDS} }} }}"
UPDATE = f"mutation N($input: UpdateNoteInput!) {{ updateNote(input: $input) {{ {FIELDS} }} }}"
DELETE = "mutation N($input: NoteIdInput!) { deleteNote(input: $input) { deletedId errors { code path } } }"
MINE = "query M($id: ID!) { node(id: $id) { ... on Lecture { viewerNotes { id content positionSeconds } } } }"
NODE = "query N($id: ID!) { node(id: $id) { ... on Note { content lecture { id } } } }"
EMPTY_ACCOUNT = "mutation D($id: ID!) { deleteUser(input: {userId: $id}) { deletedId errors { code } } }"
TREE = """query T($first: Int!) { courses(first: $first) { nodes {
  sections { lectures { viewerNotes { content lecture { id } } } }
} } }"""


def create(client: Client, actor: Actor, lecture: Lecture, content: str = "Remember", **more: Any) -> Any:
    said = {"lectureId": global_id("Lecture", lecture), "content": content, **more}
    return client.execute(CREATE, as_=actor, input=said)["createNote"]


def change(client: Client, actor: Actor, id: str, **changes: Any) -> Any:
    return client.execute(UPDATE, as_=actor, input={"noteId": id, **changes})["updateNote"]


def remove(client: Client, actor: Actor, id: str) -> Any:
    return client.execute(DELETE, as_=actor, input={"noteId": id})["deleteNote"]


def mine(client: Client, actor: Actor, lecture: Lecture) -> list[Any]:
    notes: list[Any] = client.execute(MINE, as_=actor, id=global_id("Lecture", lecture))["node"]["viewerNotes"]
    return notes


def learner_of(make: Factories, course: CourseTree, status: EnrollmentStatus = EnrollmentStatus.ACTIVE) -> Actor:
    learner = make.user()
    make.enrollment(learner, course, status)
    return make.actor(learner)


def rows(service: Service, statement: Any) -> Any:
    return service.database.read_sync(lambda session: session.scalar(statement))


def drift(service: Service) -> list[str]:
    return service.database.read_sync(counters.find_counter_drift)


def test_a_note_is_taken_read_changed_and_thrown_away(client: Client, make: Factories, service: Service) -> None:
    course = make.course()
    lecture, learner = course.lectures[1], learner_of(make, course)
    payload = create(client, learner, lecture, "  **Markdown**,\n\tas written \n", positionSeconds=12)
    assert payload["errors"] == []
    note = payload["note"]
    assert note["content"] == "  **Markdown**,\n\tas written \n"
    assert note["positionSeconds"] == 12
    assert note["lecture"] == {"id": global_id("Lecture", lecture)}
    assert client.execute(NODE, as_=learner, id=note["id"])["node"]["content"] == note["content"]
    changed = change(client, learner, note["id"], content="Shorter")["note"]
    assert (changed["content"], changed["positionSeconds"]) == ("Shorter", 12)
    assert changed["updatedAt"] > note["updatedAt"]
    assert changed["createdAt"] == note["createdAt"]
    assert change(client, learner, note["id"], positionSeconds=None)["note"]["positionSeconds"] is None
    assert [row["content"] for row in mine(client, learner, lecture)] == ["Shorter"]
    assert remove(client, learner, note["id"]) == {"deletedId": note["id"], "errors": []}
    assert mine(client, learner, lecture) == []
    assert told(remove(client, learner, note["id"])) == [("NOT_FOUND", ["input", "noteId"])]
    assert told(change(client, learner, note["id"], content="x")) == [("NOT_FOUND", ["input", "noteId"])]
    assert drift(service) == []


def test_notes_come_by_their_place_and_those_without_one_last(client: Client, make: Factories) -> None:
    course = make.course()
    lecture, learner = course.lectures[0], learner_of(make, course)
    for content, second in (
        ("nowhere", None),
        ("late", 50),
        ("first", 0),
        ("later at 50", 50),
        ("also nowhere", None),
    ):
        create(client, learner, lecture, content, positionSeconds=second)
    create(client, learner, course.lectures[1], "elsewhere")
    found = [note["content"] for note in mine(client, learner, lecture)]
    assert found == ["first", "late", "later at 50", "nowhere", "also nowhere"]


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({"content": " \n "}, [("REQUIRED", ["input", "content"])]),
        ({"content": "x" * 10_001}, [("TOO_LONG", ["input", "content"])]),
        ({"positionSeconds": -1}, [("OUT_OF_RANGE", ["input", "positionSeconds"])]),
        (
            {"content": "", "positionSeconds": -5},
            [("REQUIRED", ["input", "content"]), ("OUT_OF_RANGE", ["input", "positionSeconds"])],
        ),
    ],
)
def test_all_faults_of_a_note_are_told_at_once(client: Client, make: Factories, said: Any, faults: Any) -> None:
    course = make.course()
    learner = learner_of(make, course)
    payload = create(client, learner, course.lectures[0], **said)
    assert payload["note"] is None
    assert told(payload) == faults
    note = create(client, learner, course.lectures[0])["note"]
    assert told(change(client, learner, note["id"], **said)) == faults
    assert len(mine(client, learner, course.lectures[0])) == 1


def test_what_cannot_be_empty_is_required_and_what_is_left_out_stays(client: Client, make: Factories) -> None:
    course = make.course()
    learner = learner_of(make, course)
    note = create(client, learner, course.lectures[0], "x" * 10_000, positionSeconds=7)["note"]
    assert told(change(client, learner, note["id"], content=None)) == [("REQUIRED", ["input", "content"])]
    assert change(client, learner, note["id"])["note"] == note


@pytest.mark.parametrize("status", [EnrollmentStatus.CANCELLED, EnrollmentStatus.REFUNDED, EnrollmentStatus.EXPIRED])
def test_notes_need_access_to_write_and_stay_when_it_ends(
    client: Client, make: Factories, status: EnrollmentStatus
) -> None:
    course = make.course()
    learner = make.user()
    make.enrollment(learner, course, status)
    actor, preview = make.actor(learner), course.lectures[0]
    note = make.note(learner, preview)
    id = global_id("Note", note)
    assert told(create(client, actor, preview)) == [("NOT_ENROLLED", ["input", "lectureId"])]
    assert told(change(client, actor, id, content="x")) == [("NOT_ENROLLED", ["input", "noteId"])]
    assert client.execute(NODE, as_=actor, id=id)["node"]["content"] == "Remember this"
    assert [row["id"] for row in mine(client, actor, preview)] == [id]
    assert remove(client, actor, id)["errors"] == []


def test_whoever_completed_a_course_and_its_staff_take_notes(client: Client, make: Factories) -> None:
    course = make.course()
    admin = make.user(Role.SUPER_ADMIN)
    completed = learner_of(make, course, EnrollmentStatus.COMPLETED)
    for actor in (completed, make.actor(course.instructor), make.actor(admin)):
        assert create(client, actor, course.lectures[1])["errors"] == []
    for stranger in (make.user(), make.user(Role.INSTRUCTOR)):
        refused = told(create(client, make.actor(stranger), course.lectures[0]))
        assert refused == [("NOT_ENROLLED", ["input", "lectureId"])]


def test_where_notes_are_switched_off_there_are_no_new_ones(
    client: Client, make: Factories, service: Service
) -> None:
    course = make.course()
    learner = learner_of(make, course)
    note = create(client, learner, course.lectures[0])["note"]
    off = update(Course).values(allow_notes=False)
    service.database.write_sync(lambda session: session.execute(off) and None)
    for actor in (learner, make.actor(course.instructor)):
        refused = told(create(client, actor, course.lectures[0]))
        assert refused == [("FEATURE_DISABLED", ["input", "lectureId"])]
    assert change(client, learner, note["id"], content="Still mine")["note"]["content"] == "Still mine"
    assert len(mine(client, learner, course.lectures[0])) == 1
    assert remove(client, learner, note["id"])["errors"] == []


def test_a_lecture_holds_two_hundred_notes_of_a_person(client: Client, make: Factories, service: Service) -> None:
    course = make.course()
    user, other = make.user(), learner_of(make, course)
    make.enrollment(user, course)
    learner = make.actor(user)
    lecture = course.lectures[0]
    many = [
        Note(user_id=user.id, lecture_id=lecture.id, content=str(number))
        for number in range(MAX_NOTES_PER_LECTURE - 1)
    ]
    service.database.write_sync(lambda session: session.add_all(many))  # no notebook knows of these
    last = create(client, learner, lecture)["note"]
    for _ in range(2):
        assert told(create(client, learner, lecture)) == [("LIMIT_REACHED", ["input", "lectureId"])]
    assert create(client, learner, course.lectures[1])["errors"] == []
    assert create(client, other, lecture)["errors"] == []
    assert drift(service) == []
    remove(client, learner, last["id"])
    assert create(client, learner, lecture)["errors"] == []
    assert told(create(client, learner, lecture)) == [("LIMIT_REACHED", ["input", "lectureId"])]


def test_what_is_refused_takes_no_room(client: Client, make: Factories, service: Service) -> None:
    course = make.course()
    learner = learner_of(make, course)
    create(client, learner, course.lectures[0])
    for content in ("", "x" * 10_001):
        create(client, learner, course.lectures[0], content)
    assert rows(service, select(NoteCounter.note_count)) == 1


def test_a_note_outlives_its_lecture(client: Client, make: Factories, service: Service) -> None:
    course = make.course()
    user = make.user()
    make.enrollment(user, course)
    lecture = course.lectures[1]
    note = make.note(user, lecture)
    gone = update(Lecture).where(Lecture.id == lecture.id).values(deleted_at=datetime.now(UTC))
    service.database.write_sync(lambda session: session.execute(gone) and None)
    actor, id = make.actor(user), global_id("Note", note)
    assert client.execute(NODE, as_=actor, id=id)["node"] == {"content": "Remember this", "lecture": None}
    assert told(create(client, actor, lecture)) == [("NOT_FOUND", ["input", "lectureId"])]
    assert remove(client, actor, id)["errors"] == []


def test_a_draft_is_deleted_with_the_notes_that_its_staff_have_tried(
    client: Client, make: Factories, service: Service
) -> None:
    course = make.course(status=CourseStatus.DRAFT)
    teacher = make.actor(course.instructor)
    assert create(client, teacher, course.lectures[0])["errors"] == []
    delete = "mutation D($id: ID!) { deleteCourse(input: {courseId: $id}) { deletedId errors { code } } }"
    assert client.execute(delete, as_=teacher, id=course.global_id)["deleteCourse"] == {
        "deletedId": course.global_id,
        "errors": [],
    }
    assert rows(service, select(func.count()).select_from(Note)) == 0


def test_notes_go_with_the_account(client: Client, make: Factories, service: Service) -> None:
    course = make.course()
    user, other = make.user(), learner_of(make, course)
    make.enrollment(user, course)
    actor = make.actor(user)
    create(client, actor, course.lectures[0])
    create(client, other, course.lectures[0])
    assert client.execute(EMPTY_ACCOUNT, as_=actor, id=global_id("User", user))["deleteUser"]["errors"] == []
    assert rows(service, select(func.count()).select_from(Note)) == 1
    assert rows(service, select(func.count()).select_from(NoteCounter)) == 1


def test_the_notes_of_a_whole_tree_take_one_statement(
    client: Client, make: Factories, statements: Statements
) -> None:
    learner = make.user()
    for _ in range(10):
        course = make.course(lectures=3)
        for lecture in course.lectures:
            make.note(learner, lecture)
    counts = []
    for first in (1, 10):
        with statements:
            courses = client.execute(TREE, as_=make.actor(learner), first=first)["courses"]["nodes"]
        found = [lecture["viewerNotes"] for course in courses for lecture in course["sections"][0]["lectures"]]
        assert [len(notes) for notes in found] == [1] * first * 3
        counts.append(statements.count)
    assert counts == [5, 5]  # courses, sections, lectures, notes, and the way back up
