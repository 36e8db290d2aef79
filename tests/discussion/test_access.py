"""Access to discussions: who can read and change questions, answers and notes, on every path."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from lms_graphql.catalog.models import CourseStatus, Lecture
from lms_graphql.core.actor import Actor, Role
from tests.discussion.discussion_client import AsUser, DiscussionClient, DiscussionCourse, execute
from tests.factories import Factories, global_id
from tests.live_service import Client, Service

NODE = "query N($id: ID!) { node(id: $id) { __typename id } }"
VIEWERS = (
    "anonymous",
    "other_user",
    "cancelled",
    "other_instructor",
    "asker",
    "answerer",
    "learner",
    "instructor",
    "admin",
)
READERS = {"asker", "answerer", "learner", "instructor", "admin"}


@pytest.mark.parametrize("viewer", VIEWERS)
def test_discussion_access_is_equal_on_every_path(
    make: Factories, course: DiscussionCourse, as_user: AsUser, viewer: str
) -> None:
    question = course.question()
    answer = make.answer(course.answerer, question)
    reply = make.answer(course.asker, question, parent=answer)
    ids = [global_id("QAQuestion", question), global_id("QAAnswer", answer), global_id("QAAnswer", reply)]
    client, is_reader = as_user(viewer), viewer in READERS
    for id in ids:
        assert (client.execute(NODE, id=id)["node"] is not None) is is_reader
    assert client.can_read(*ids) == [is_reader] * 3
    page = client.questions(course.lecture)
    assert [node["id"] for node in page["nodes"]] == (ids[:1] if is_reader else [])
    assert page["totalCount"] == int(is_reader)


@pytest.mark.parametrize("viewer", VIEWERS)
def test_preview_discussion_is_public_but_writing_requires_access(
    make: Factories, course: DiscussionCourse, as_user: AsUser, viewer: str
) -> None:
    question = make.question(course.asker, course.preview)
    answer = make.answer(course.answerer, question)
    document = """query P($id: ID!) { node(id: $id) { ... on Lecture { qaQuestions { totalCount nodes {
      author { fullName } viewerHasVoted answers { nodes { author { fullName } viewerHasVoted } }
    } } } } }"""
    client = as_user(viewer)
    page = client.execute(document, id=global_id("Lecture", course.preview))["node"]["qaQuestions"]
    assert page["totalCount"] == 1
    assert page["nodes"][0]["author"]["fullName"] == course.asker.full_name
    assert page["nodes"][0]["answers"]["nodes"][0]["author"]["fullName"] == course.answerer.full_name
    if viewer == "anonymous" or viewer in READERS:
        return
    question_id, lecture_id = global_id("QAQuestion", question), global_id("Lecture", course.preview)
    for mutation, field, input in (
        ("askQuestion", "lectureId", {"lectureId": lecture_id, "title": "x", "content": "x"}),
        ("answerQuestion", "questionId", {"questionId": question_id, "content": "x"}),
        ("voteQaQuestion", "questionId", {"questionId": question_id, "vote": True}),
        ("voteQaAnswer", "answerId", {"answerId": global_id("QAAnswer", answer), "vote": True}),
    ):
        assert client.user_errors(mutation, **input) == [("NOT_ENROLLED", field)]


def test_anonymous_viewer_sees_only_authors_below_previews(
    make: Factories, course: DiscussionCourse, as_user: AsUser
) -> None:
    public_question = make.question(course.asker, course.preview)
    make.answer(course.answerer, public_question)
    make.question(course.learner, course.lecture)
    users = (course.asker, course.answerer, course.learner, course.other_user)
    user_ids = [global_id("User", user) for user in users]
    assert as_user("anonymous").can_read(*user_ids) == [True, True, False, False]


@pytest.mark.parametrize(
    ("status", "readers"),
    [
        (CourseStatus.DRAFT, {"instructor", "admin"}),
        (CourseStatus.ARCHIVED, READERS),
    ],
)
def test_preview_discussion_is_closed_in_unpublished_course(
    client: Client, make: Factories, status: CourseStatus, readers: set[str]
) -> None:
    course = DiscussionCourse(make, status=status)
    id = global_id("QAQuestion", make.question(course.asker, course.preview))
    for viewer in VIEWERS:
        node = client.execute(NODE, as_=course.actor(viewer), id=id)["node"]
        assert (node is not None) is (viewer in readers)
    anonymous = DiscussionClient(client, course.actor("anonymous"))
    assert anonymous.can_read(global_id("User", course.asker)) == [False]


@pytest.mark.parametrize("viewer", VIEWERS)
def test_note_is_accessible_to_its_author_only(
    make: Factories, course: DiscussionCourse, as_user: AsUser, viewer: str
) -> None:
    id = global_id("Note", make.note(course.asker, course.preview))
    client, is_author = as_user(viewer), viewer == "asker"
    assert (client.execute(NODE, id=id)["node"] is not None) is is_author
    assert client.can_read(id) == [is_author]
    assert [note["id"] for note in client.notes(course.preview)] == ([id] if is_author else [])
    for mutation, input in (("updateNote", {"noteId": id, "content": "x"}), ("deleteNote", {"noteId": id})):
        if viewer == "anonymous":
            assert client.error_codes(mutation, **input) == ["UNAUTHENTICATED"]
        elif is_author:
            client.ok(mutation, **input)
        else:
            assert client.user_errors(mutation, **input) == [("NOT_FOUND", "noteId")]


def discussion_changes(course: DiscussionCourse, make: Factories) -> list[tuple[str, str, dict[str, Any]]]:
    """
    Add a question of the asker with an answer of the answerer. Return each mutation that changes them, with the input
    field of the id and the input.
    """
    question = course.question()
    answer = make.answer(course.answerer, question)
    question_id = {"questionId": global_id("QAQuestion", question)}
    answer_id = {"answerId": global_id("QAAnswer", answer)}
    return [
        ("updateQaQuestion", "questionId", {**question_id, "title": "Other words"}),
        ("featureQaQuestion", "questionId", {**question_id, "isFeatured": True}),
        ("voteQaQuestion", "questionId", {**question_id, "vote": True}),
        ("answerQuestion", "questionId", {**question_id, "content": "Another"}),
        ("acceptAnswer", "questionId", {**question_id, **answer_id}),
        ("updateQaAnswer", "answerId", {**answer_id, "content": "Other words"}),
        ("voteQaAnswer", "answerId", {**answer_id, "vote": True}),
        ("deleteQaAnswer", "answerId", answer_id),
        ("deleteQaQuestion", "questionId", question_id),
    ]


FORBIDDEN = {
    "asker": {"featureQaQuestion", "voteQaQuestion", "updateQaAnswer", "deleteQaAnswer"},
    "answerer": {"updateQaQuestion", "featureQaQuestion", "acceptAnswer", "voteQaAnswer", "deleteQaQuestion"},
    "learner": {
        "updateQaQuestion",
        "featureQaQuestion",
        "acceptAnswer",
        "updateQaAnswer",
        "deleteQaAnswer",
        "deleteQaQuestion",
    },
    "instructor": {"updateQaQuestion", "updateQaAnswer"},
    "admin": {"updateQaQuestion", "updateQaAnswer"},
}
"""Mutations that are forbidden to each user who can read the question and the answer."""


@pytest.mark.parametrize("user", sorted(FORBIDDEN))
def test_authors_change_own_posts_and_staff_moderate_all(
    make: Factories, course: DiscussionCourse, as_user: AsUser, user: str
) -> None:
    client = as_user(user)
    for mutation, _, input in discussion_changes(course, make):
        if mutation in FORBIDDEN[user]:
            assert (mutation, client.error_codes(mutation, **input)) == (mutation, ["FORBIDDEN"])
        else:
            assert (mutation, client.payload(mutation, **input)["errors"]) == (mutation, [])


def test_former_instructor_cannot_moderate_discussions(
    client: Client, make: Factories, course: DiscussionCourse
) -> None:
    former_instructor = DiscussionClient(client, Actor(course.actor("instructor").key, Role.LEARNER))
    for mutation, _, input in discussion_changes(course, make):
        if mutation in {"featureQaQuestion", "acceptAnswer", "deleteQaAnswer", "deleteQaQuestion"}:
            assert (mutation, former_instructor.error_codes(mutation, **input)) == (mutation, ["FORBIDDEN"])


@pytest.mark.parametrize("user", ["other_user", "cancelled", "other_instructor"])
def test_invisible_discussion_cannot_be_changed(
    make: Factories, course: DiscussionCourse, as_user: AsUser, user: str
) -> None:
    client = as_user(user)
    for mutation, field, input in discussion_changes(course, make):
        if mutation == "featureQaQuestion" and user != "other_instructor":
            assert client.error_codes(mutation, **input) == ["FORBIDDEN"]  # because of the role
        else:
            assert client.user_errors(mutation, **input) == [("NOT_FOUND", field)]
    draft_lecture_id = global_id("Lecture", make.course(status=CourseStatus.DRAFT).lectures[0])
    for id in (draft_lecture_id, "nonsense", global_id("QAQuestion", course.question())):
        errors = client.user_errors("askQuestion", lectureId=id, title="x", content="x")
        assert errors == [("NOT_FOUND", "lectureId")]


def test_anonymous_viewer_cannot_change_discussions(
    make: Factories, course: DiscussionCourse, as_user: AsUser
) -> None:
    for mutation, _, input in discussion_changes(course, make):
        assert as_user("anonymous").error_codes(mutation, **input) == ["UNAUTHENTICATED"]


def test_question_of_removed_lecture_requires_access(
    course: DiscussionCourse, as_user: AsUser, make: Factories, service: Service
) -> None:
    lectures = (course.preview, course.lecture)
    ids = [global_id("QAQuestion", make.question(course.asker, lecture)) for lecture in lectures]
    execute(service.database, update(Lecture).values(deleted_at=datetime.now(UTC)))
    document = "query Q($ids: [ID!]!) { nodes(ids: $ids) { ... on QAQuestion { title lecture { id } } } }"
    question = {"title": "Why?", "lecture": None}
    assert as_user("answerer").execute(document, ids=ids)["nodes"] == [question, question]
    assert as_user("other_user").execute(document, ids=ids)["nodes"] == [None, None]
    assert as_user("anonymous").execute(document, ids=ids)["nodes"] == [None, None]
