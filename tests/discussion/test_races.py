"""The discussion when two things happen at once, on two processes of the service."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from lms_graphql.discussion import counters
from lms_graphql.discussion.models import Note, QAAnswer, QAAnswerVote, QAQuestion, QAQuestionVote
from lms_graphql.discussion.services.answers import MAX_REPLIES
from lms_graphql.discussion.services.notes import MAX_NOTES_PER_LECTURE
from tests.concurrency import RaceRequest, Racers, codes, racers, rounds
from tests.discussion.discussion_client import MUTATIONS, Classroom
from tests.factories import Factories, global_id
from tests.processes import Fleet

pytestmark = pytest.mark.slow

CLIENTS = 10
ROUNDS = rounds(30)


@pytest.fixture
def make(two_processes: Fleet) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def room(make: Factories) -> Classroom:
    return Classroom(make)


@pytest.fixture
def many(two_processes: Fleet) -> Iterator[Racers]:
    with racers(two_processes.urls, CLIENTS) as running:
        yield running


def ask(mutation: str, bearer: str, what: str = "errors { code path }", **said: Any) -> RaceRequest:
    """`what`: of the payload. Objects in it are read after the commit, when somebody may have deleted them."""
    kind = {"createNote": "CreateNoteInput", "deleteNote": "NoteIdInput"}.get(mutation) or MUTATIONS[mutation][0]
    document = f"mutation R($input: {kind}!) {{ {mutation}(input: $input) {{ {what} }} }}"
    return RaceRequest(document, {"input": said}, bearer)


def scalar(fleet: Fleet, statement: Any) -> Any:
    return fleet.database.read_sync(lambda session: session.scalar(statement))


def count(fleet: Fleet, table: Any, *where: Any) -> Any:
    return scalar(fleet, select(func.count()).select_from(table).where(*where))


def change(fleet: Fleet, statement: Any) -> None:
    fleet.database.write_sync(lambda session: session.execute(statement) and None)


def drift(fleet: Fleet) -> list[str]:
    return fleet.database.read_sync(counters.find_counter_drift)


def test_of_two_acceptances_one_is_left(two_processes: Fleet, make: Factories, room: Classroom, many: Racers) -> None:
    asker, teacher = two_processes.token(room.asker), two_processes.token(room.teacher)
    question = room.question()
    answers = [make.answer(room.peer, question) for _ in range(2)]
    for _ in range(ROUNDS):
        asks = [
            ask(
                "acceptAnswer",
                bearer,
                questionId=global_id("QAQuestion", question),
                answerId=global_id("QAAnswer", answer),
            )
            for bearer, answer in zip((asker, teacher), answers, strict=True)
        ]
        assert codes(many.race(*asks)) == {None: 2}
        accepted = scalar(two_processes, select(QAQuestion.accepted_answer_id))
        assert accepted in {answer.id for answer in answers}


def test_an_answer_that_is_deleted_while_it_is_accepted_is_not_accepted(
    two_processes: Fleet, make: Factories, room: Classroom, many: Racers
) -> None:
    asker, peer = two_processes.token(room.asker), two_processes.token(room.peer)
    question = room.question()
    for _ in range(ROUNDS):
        id = global_id("QAAnswer", make.answer(room.peer, question))
        accepted, deleted = many.race(
            ask("acceptAnswer", asker, questionId=global_id("QAQuestion", question), answerId=id),
            ask("deleteQaAnswer", peer, answerId=id),
        )
        assert deleted.code is None
        assert accepted.code in {None, "NOT_FOUND"}
        assert scalar(two_processes, select(QAQuestion.accepted_answer_id)) is None


@pytest.mark.parametrize("kind", ["QAQuestion", "QAAnswer"])
def test_ten_votes_of_one_person_are_one(
    two_processes: Fleet, make: Factories, room: Classroom, many: Racers, kind: str
) -> None:
    peer = two_processes.token(room.other)
    question = room.question()
    answer = make.answer(room.peer, question)
    row, votes = (question, QAQuestionVote) if kind == "QAQuestion" else (answer, QAAnswerVote)
    mutation, name = ("voteQaQuestion", "questionId") if kind == "QAQuestion" else ("voteQaAnswer", "answerId")
    number = select((QAQuestion if kind == "QAQuestion" else QAAnswer).vote_count)
    for _ in range(ROUNDS):
        for vote in (True, False):
            asks = [ask(mutation, peer, vote=vote, **{name: global_id(kind, row)})] * CLIENTS
            assert codes(many.race(*asks)) == {None: CLIENTS}
            assert scalar(two_processes, number) == count(two_processes, votes) == int(vote)


def test_votes_of_many_at_once_are_all_counted(two_processes: Fleet, make: Factories, many: Racers) -> None:
    room = Classroom(make)
    voters = [make.user() for _ in range(CLIENTS)]
    for voter in voters:
        make.enrollment(voter, room.course)
    tokens = [two_processes.token(voter) for voter in voters]
    for number in range(ROUNDS // 3):
        question = room.question()
        id = global_id("QAQuestion", question)
        mine = select(QAQuestion.vote_count).where(QAQuestion.id == question.id)
        asks = [ask("voteQaQuestion", bearer, questionId=id, vote=True) for bearer in tokens]
        assert codes(many.race(*asks)) == {None: CLIENTS}
        assert scalar(two_processes, mine) == CLIENTS
        asks = [ask("voteQaQuestion", one, questionId=id, vote=place % 2 == 0) for place, one in enumerate(tokens)]
        assert codes(many.race(*asks)) == {None: CLIENTS}
        assert scalar(two_processes, mine) == CLIENTS // 2, number
    assert drift(two_processes) == []


def test_the_two_hundred_and_first_note_is_one_too_many(
    two_processes: Fleet, make: Factories, room: Classroom, many: Racers
) -> None:
    bearer, lecture = two_processes.token(room.asker), global_id("Lecture", room.lecture)
    notes = [
        Note(user_id=room.asker.id, lecture_id=room.lecture.id, content="x") for _ in range(MAX_NOTES_PER_LECTURE - 1)
    ]
    two_processes.database.write_sync(lambda session: session.add_all(notes))
    for _ in range(ROUNDS):
        taken = ask("createNote", bearer, "note { id } errors { code }", lectureId=lecture, content="x")
        answers = many.race(*[taken] * CLIENTS)
        assert codes(answers) == {None: 1, "LIMIT_REACHED": CLIENTS - 1}
        assert count(two_processes, Note) == MAX_NOTES_PER_LECTURE
        (id,) = [answer.payload["note"]["id"] for answer in answers if answer.code is None]
        deleted = many.race(*[ask("deleteNote", bearer, noteId=id)] * 4)
        assert codes(deleted) == {None: 1, "NOT_FOUND": 3}
    assert drift(two_processes) == []


def test_the_hundred_and_first_reply_is_one_too_many(
    two_processes: Fleet, make: Factories, room: Classroom, many: Racers
) -> None:
    bearer, question = two_processes.token(room.other), room.question()
    for _ in range(ROUNDS // 3):
        answer = make.answer(room.peer, question)
        full = update(QAAnswer).where(QAAnswer.id == answer.id).values(reply_count=MAX_REPLIES - 2)
        change(two_processes, full)
        said = {
            "questionId": global_id("QAQuestion", question),
            "parentId": global_id("QAAnswer", answer),
            "content": "x",
        }
        answers = many.race(*[ask("answerQuestion", bearer, **said)] * CLIENTS)
        assert codes(answers) == {None: 2, "LIMIT_REACHED": CLIENTS - 2}
        assert count(two_processes, QAAnswer, QAAnswer.parent_id == answer.id) == 2


def test_a_question_that_is_deleted_while_it_is_answered_and_voted_for_leaves_nothing(
    two_processes: Fleet, make: Factories, room: Classroom, many: Racers
) -> None:
    asker, peer, other = (two_processes.token(user) for user in (room.asker, room.peer, room.other))
    for _ in range(ROUNDS):
        question = room.question()
        answer = make.answer(room.peer, question, accepted=True)
        id, answer_id = global_id("QAQuestion", question), global_id("QAAnswer", answer)
        deleted, *others = many.race(
            ask("deleteQaQuestion", asker, questionId=id),
            ask("answerQuestion", peer, questionId=id, content="x"),
            ask("answerQuestion", other, questionId=id, content="x", parentId=answer_id),
            ask("voteQaQuestion", other, questionId=id, vote=True),
            ask("voteQaAnswer", other, answerId=answer_id, vote=True),
            ask("deleteQaAnswer", peer, answerId=answer_id),
            ask("acceptAnswer", asker, questionId=id, answerId=None),
        )
        assert deleted.code is None
        assert set(codes(others)) <= {None, "NOT_FOUND"}
        left = [count(two_processes, table) for table in (QAQuestion, QAAnswer, QAQuestionVote, QAAnswerVote)]
        assert left == [0, 0, 0, 0]


def test_replies_and_deletions_at_once_are_all_counted(
    two_processes: Fleet, make: Factories, room: Classroom, many: Racers
) -> None:
    bearer, question = two_processes.token(room.other), room.question()
    answer = make.answer(room.peer, question)
    said = {
        "questionId": global_id("QAQuestion", question),
        "parentId": global_id("QAAnswer", answer),
        "content": "x",
    }
    for _ in range(ROUNDS):
        change(two_processes, delete(QAAnswer).where(QAAnswer.parent_id.is_not(None)))
        change(two_processes, update(QAAnswer).values(reply_count=0))
        replies = [global_id("QAAnswer", make.answer(room.other, question, parent=answer)) for _ in range(3)]
        answers = many.race(
            *[ask("deleteQaAnswer", bearer, answerId=reply) for reply in replies],
            *[ask("answerQuestion", bearer, **said)] * 3,
        )
        assert codes(answers) == {None: 6}
        assert drift(two_processes) == []
