"""Who reads and writes what of the discussion, on every path alike."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from lms_graphql.catalog.models import CourseStatus, Lecture
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.accounts.test_login import told
from tests.discussion.discussion_client import DOCUMENTS, Classroom, listed, refused, send
from tests.factories import Factories, global_id
from tests.live_service import Client, Service

NODE = "query N($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query N($ids: [ID!]!) { nodes(ids: $ids) { id } }"
EVERYONE = ("anonymous", "stranger", "cancelled", "rival", "asker", "peer", "other", "teacher", "admin")
READERS = {"asker", "peer", "other", "teacher", "admin"}


@pytest.fixture
def room(make: Factories) -> Classroom:
    return Classroom(make)


def actor_of(room: Classroom, who: str) -> Actor:
    return ANONYMOUS if who == "anonymous" else room.actor(who)


@pytest.mark.parametrize("who", EVERYONE)
def test_a_question_and_its_answers_are_there_on_every_path_or_on_none(
    client: Client, make: Factories, room: Classroom, who: str
) -> None:
    question = room.question()
    answer = make.answer(room.peer, question)
    reply = make.answer(room.asker, question, parent=answer)
    ids = [global_id("QAQuestion", question), global_id("QAAnswer", answer), global_id("QAAnswer", reply)]
    actor, sees = actor_of(room, who), who in READERS
    for id in ids:
        assert (client.execute(NODE, as_=actor, id=id)["node"] is not None) is sees
    assert [node is not None for node in client.execute(NODES, as_=actor, ids=ids)["nodes"]] == [sees] * 3
    page = listed(client, actor, room.lecture)
    assert [node["id"] for node in page["nodes"]] == (ids[:1] if sees else [])
    assert page["totalCount"] == int(sees)


@pytest.mark.parametrize("who", EVERYONE)
def test_below_a_preview_everyone_reads_and_only_those_with_access_write(
    client: Client, make: Factories, room: Classroom, who: str
) -> None:
    question = make.question(room.asker, room.preview)
    answer = make.answer(room.peer, question)
    document = """query P($id: ID!) { node(id: $id) { ... on Lecture { qaQuestions { totalCount nodes {
      author { fullName } viewerHasVoted answers { nodes { author { fullName } viewerHasVoted } }
    } } } } }"""
    actor = actor_of(room, who)
    found = client.execute(document, as_=actor, id=global_id("Lecture", room.preview))["node"]["qaQuestions"]
    assert found["totalCount"] == 1
    assert found["nodes"][0]["author"]["fullName"] == room.asker.full_name
    assert found["nodes"][0]["answers"]["nodes"][0]["author"]["fullName"] == room.peer.full_name
    if who == "anonymous" or who in READERS:
        return
    question_id, lecture_id = global_id("QAQuestion", question), global_id("Lecture", room.preview)
    for mutation, path, said in (
        ("askQuestion", "lectureId", {"lectureId": lecture_id, "title": "x", "content": "x"}),
        ("answerQuestion", "questionId", {"questionId": question_id, "content": "x"}),
        ("voteQaQuestion", "questionId", {"questionId": question_id, "vote": True}),
        ("voteQaAnswer", "answerId", {"answerId": global_id("QAAnswer", answer), "vote": True}),
    ):
        assert told(send(client, actor, mutation, **said)) == [("NOT_ENROLLED", ["input", path])]


def test_anonymous_viewers_know_those_alone_who_write_below_a_preview(
    client: Client, make: Factories, room: Classroom
) -> None:
    public = make.question(room.asker, room.preview)
    make.answer(room.peer, public)
    make.question(room.other, room.lecture)
    people = (room.asker, room.peer, room.other, room.stranger)
    known = client.execute(NODES, ids=[global_id("User", user) for user in people])["nodes"]
    assert [user is not None for user in known] == [True, True, False, False]


@pytest.mark.parametrize(
    ("status", "readers"),
    [(CourseStatus.DRAFT, {"teacher", "admin"}), (CourseStatus.ARCHIVED, {"asker", "peer", "teacher", "admin"})],
)
def test_a_preview_of_a_course_that_is_not_published_opens_nothing(
    client: Client, make: Factories, status: CourseStatus, readers: set[str]
) -> None:
    room = Classroom(make, status=status)
    id = global_id("QAQuestion", make.question(room.asker, room.preview))
    for who in ("anonymous", "stranger", "rival", "cancelled", "asker", "peer", "teacher", "admin"):
        assert (client.execute(NODE, as_=actor_of(room, who), id=id)["node"] is not None) is (who in readers)
    assert client.execute(NODES, ids=[global_id("User", room.asker)])["nodes"] == [None]


@pytest.mark.parametrize("who", EVERYONE)
def test_a_note_is_there_for_who_took_it_and_nobody_else(
    client: Client, make: Factories, room: Classroom, who: str
) -> None:
    id = global_id("Note", make.note(room.asker, room.preview))
    actor, is_mine = actor_of(room, who), who == "asker"
    assert (client.execute(NODE, as_=actor, id=id)["node"] is not None) is is_mine
    assert [node is not None for node in client.execute(NODES, as_=actor, ids=[id])["nodes"]] == [is_mine]
    document = "query M($id: ID!) { node(id: $id) { ... on Lecture { viewerNotes { id } } } }"
    notes = client.execute(document, as_=actor, id=global_id("Lecture", room.preview))["node"]["viewerNotes"]
    assert [note["id"] for note in notes] == ([id] if is_mine else [])
    change = (
        'mutation C($id: ID!) { updateNote(input: {noteId: $id, content: "x"}) { note { id } errors { code path } } }'
    )
    remove = "mutation D($id: ID!) { deleteNote(input: {noteId: $id}) { deletedId errors { code path } } }"
    for document in (change, remove):
        if who == "anonymous":
            assert client.error_codes(document, id=id) == ["UNAUTHENTICATED"]
        else:
            payload = next(iter(client.execute(document, as_=actor, id=id).values()))
            assert told(payload) == ([] if is_mine else [("NOT_FOUND", ["input", "noteId"])])


def changes_of(room: Classroom, make: Factories) -> list[tuple[str, str, dict[str, Any]]]:
    """What may be done to a question of the asker's and the peer's answer: (mutation, path of the id, input)."""
    question = room.question()
    answer = make.answer(room.peer, question)
    of_question, of_answer = (
        {"questionId": global_id("QAQuestion", question)},
        {"answerId": global_id("QAAnswer", answer)},
    )
    return [
        ("updateQaQuestion", "questionId", {**of_question, "title": "Other words"}),
        ("featureQaQuestion", "questionId", {**of_question, "isFeatured": True}),
        ("voteQaQuestion", "questionId", {**of_question, "vote": True}),
        ("answerQuestion", "questionId", {**of_question, "content": "Another"}),
        ("acceptAnswer", "questionId", {**of_question, **of_answer}),
        ("updateQaAnswer", "answerId", {**of_answer, "content": "Other words"}),
        ("voteQaAnswer", "answerId", {**of_answer, "vote": True}),
        ("deleteQaAnswer", "answerId", of_answer),
        ("deleteQaQuestion", "questionId", of_question),
    ]


FORBIDDEN = {
    "asker": {"featureQaQuestion", "voteQaQuestion", "updateQaAnswer", "deleteQaAnswer"},
    "peer": {"updateQaQuestion", "featureQaQuestion", "acceptAnswer", "voteQaAnswer", "deleteQaQuestion"},
    "other": {
        "updateQaQuestion",
        "featureQaQuestion",
        "acceptAnswer",
        "updateQaAnswer",
        "deleteQaAnswer",
        "deleteQaQuestion",
    },
    "teacher": {"updateQaQuestion", "updateQaAnswer"},
    "admin": {"updateQaQuestion", "updateQaAnswer"},
}
"""What those who see it may not do all the same."""


@pytest.mark.parametrize("who", sorted(FORBIDDEN))
def test_authors_change_their_own_and_staff_delete_feature_and_accept_any(
    client: Client, make: Factories, room: Classroom, who: str
) -> None:
    for mutation, _, said in changes_of(room, make):
        if mutation in FORBIDDEN[who]:
            assert (mutation, refused(client, room.actor(who), mutation, **said)) == (mutation, ["FORBIDDEN"])
        else:
            assert (mutation, send(client, room.actor(who), mutation, **said)["errors"]) == (mutation, [])


def test_whoever_taught_the_course_and_is_a_learner_by_now_removes_and_accepts_nothing(
    client: Client, make: Factories, room: Classroom
) -> None:
    former = Actor(room.actor("teacher").key, Role.LEARNER)
    for mutation, _, said in changes_of(room, make):
        if mutation in {"featureQaQuestion", "acceptAnswer", "deleteQaAnswer", "deleteQaQuestion"}:
            assert (mutation, refused(client, former, mutation, **said)) == (mutation, ["FORBIDDEN"])


@pytest.mark.parametrize("who", ["stranger", "cancelled", "rival"])
def test_what_somebody_does_not_see_they_do_not_change(
    client: Client, make: Factories, room: Classroom, who: str
) -> None:
    for mutation, path, said in changes_of(room, make):
        if mutation == "featureQaQuestion" and who != "rival":
            assert refused(client, room.actor(who), mutation, **said) == ["FORBIDDEN"]  # by their role
        else:
            assert told(send(client, room.actor(who), mutation, **said)) == [("NOT_FOUND", ["input", path])]
    hidden = global_id("Lecture", make.course(status=CourseStatus.DRAFT).lectures[0])
    for id in (hidden, "nonsense", global_id("QAQuestion", room.question())):
        payload = send(client, room.actor(who), "askQuestion", lectureId=id, title="x", content="x")
        assert told(payload) == [("NOT_FOUND", ["input", "lectureId"])]


def test_who_asked_and_lost_access_sees_it_no_more(client: Client, make: Factories, room: Classroom) -> None:
    question = make.question(room.cancelled, room.lecture)
    id = global_id("QAQuestion", question)
    assert client.execute(NODE, as_=room.actor("cancelled"), id=id)["node"] is None
    payload = send(client, room.actor("cancelled"), "deleteQaQuestion", questionId=id)
    assert told(payload) == [("NOT_FOUND", ["input", "questionId"])]


def test_anonymous_viewers_are_asked_to_sign_in(client: Client, make: Factories, room: Classroom) -> None:
    for mutation, _, said in changes_of(room, make):
        assert client.error_codes(DOCUMENTS[mutation], input=said) == ["UNAUTHENTICATED"]


def test_a_question_outlives_its_lecture_for_those_with_access(
    client: Client, room: Classroom, make: Factories, service: Service
) -> None:
    ids = [global_id("QAQuestion", make.question(room.asker, lecture)) for lecture in (room.preview, room.lecture)]
    gone = update(Lecture).values(deleted_at=datetime.now(UTC))
    service.database.write_sync(lambda session: session.execute(gone) and None)
    document = "query Q($ids: [ID!]!) { nodes(ids: $ids) { ... on QAQuestion { title lecture { id } } } }"
    kept = {"title": "Why?", "lecture": None}
    assert client.execute(document, as_=room.actor("peer"), ids=ids)["nodes"] == [kept, kept]
    assert client.execute(document, as_=room.actor("stranger"), ids=ids)["nodes"] == [None, None]
    assert client.execute(document, ids=ids)["nodes"] == [None, None]
