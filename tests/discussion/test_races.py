"""Concurrent changes of discussions, on two processes of the service."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from lms_graphql.discussion.models import Note, QAAnswer, QAAnswerVote, QAQuestion, QAQuestionVote
from lms_graphql.discussion.services.answers import MAX_REPLIES
from lms_graphql.discussion.services.notes import MAX_NOTES_PER_LECTURE
from tests.concurrency import RaceClients, RaceRequest, code_counts, race_clients, race_rounds
from tests.discussion.discussion_client import (
    MUTATIONS,
    DiscussionCourse,
    counter_drift,
    execute,
    row_count,
    scalar,
)
from tests.factories import Factories, global_id
from tests.processes import Cluster

pytestmark = pytest.mark.slow

CLIENTS = 10
ROUNDS = race_rounds(30)
WORDS = [f"word{number}" for number in range(60)]


@pytest.fixture
def make(two_processes: Cluster) -> Factories:
    return Factories(two_processes.database)


@pytest.fixture
def ten_clients(two_processes: Cluster) -> Iterator[RaceClients]:
    with race_clients(two_processes.urls, CLIENTS) as clients:
        yield clients


def race_request(mutation: str, token: str, selection: str = "", **input: Any) -> RaceRequest:
    """
    Return a request that selects only errors by default. Objects of a payload are read after the commit, when another
    request may have deleted them.
    """
    input_type, _ = MUTATIONS[mutation]
    payload = f"{selection} errors {{ code path }}"
    document = f"mutation R($input: {input_type}!) {{ {mutation}(input: $input) {{ {payload} }} }}"
    return RaceRequest(document, {"input": input}, token)


def test_one_of_two_concurrent_acceptances_remains(
    two_processes: Cluster, make: Factories, course: DiscussionCourse, ten_clients: RaceClients
) -> None:
    tokens = two_processes.access_token(course.asker), two_processes.access_token(course.instructor)
    question = course.question()
    question_id = global_id("QAQuestion", question)
    answers = [make.answer(course.answerer, question) for _ in range(2)]
    for _ in range(ROUNDS):
        requests = [
            race_request("acceptAnswer", token, questionId=question_id, answerId=global_id("QAAnswer", answer))
            for token, answer in zip(tokens, answers, strict=True)
        ]
        assert code_counts(ten_clients.race(*requests)) == {None: 2}
        accepted_key = scalar(two_processes.database, select(QAQuestion.accepted_answer_id))
        assert accepted_key in {answer.id for answer in answers}


def test_concurrently_deleted_answer_is_not_accepted(
    two_processes: Cluster, make: Factories, course: DiscussionCourse, ten_clients: RaceClients
) -> None:
    asker, answerer = two_processes.access_token(course.asker), two_processes.access_token(course.answerer)
    question = course.question()
    for _ in range(ROUNDS):
        answer_id = global_id("QAAnswer", make.answer(course.answerer, question))
        accepted, deleted = ten_clients.race(
            race_request("acceptAnswer", asker, questionId=global_id("QAQuestion", question), answerId=answer_id),
            race_request("deleteQaAnswer", answerer, answerId=answer_id),
        )
        assert deleted.code is None
        assert accepted.code in {None, "NOT_FOUND"}
        assert scalar(two_processes.database, select(QAQuestion.accepted_answer_id)) is None


def test_concurrent_edits_leave_the_terms_of_the_texts(
    two_processes: Cluster, make: Factories, course: DiscussionCourse, ten_clients: RaceClients
) -> None:
    token = two_processes.access_token(course.asker)
    lecture_id = global_id("Lecture", course.lecture)
    for number in range(ROUNDS):
        ids = [global_id("QAQuestion", course.question(content=" ".join(WORDS))) for _ in range(3)]
        edits = [
            race_request("updateQaQuestion", token, questionId=id, content=" ".join([*WORDS[index::3], f"n{number}"]))
            for id in ids
            for index in range(2)
        ]
        responses = ten_clients.race(
            *edits,
            race_request("deleteQaQuestion", token, questionId=ids[1]),
            race_request("askQuestion", token, lectureId=lecture_id, title="New", content=" ".join(WORDS)),
        )
        assert {response.code for response in responses} <= {None, "NOT_FOUND"}
        assert counter_drift(two_processes.database) == []


@pytest.mark.parametrize(
    ("kind", "model", "vote_model", "mutation", "field"),
    [
        ("QAQuestion", QAQuestion, QAQuestionVote, "voteQaQuestion", "questionId"),
        ("QAAnswer", QAAnswer, QAAnswerVote, "voteQaAnswer", "answerId"),
    ],
    ids=["question", "answer"],
)
def test_concurrent_votes_of_one_user_count_once(
    two_processes: Cluster,
    make: Factories,
    course: DiscussionCourse,
    ten_clients: RaceClients,
    kind: str,
    model: Any,
    vote_model: Any,
    mutation: str,
    field: str,
) -> None:
    token = two_processes.access_token(course.learner)
    question = course.question()
    answer = make.answer(course.answerer, question)
    id = {field: global_id(kind, question if kind == "QAQuestion" else answer)}
    for _ in range(ROUNDS):
        for vote in (True, False):
            requests = [race_request(mutation, token, vote=vote, **id)] * CLIENTS
            assert code_counts(ten_clients.race(*requests)) == {None: CLIENTS}
            vote_count = scalar(two_processes.database, select(model.vote_count))
            assert vote_count == row_count(two_processes.database, vote_model) == int(vote)


def test_concurrent_votes_of_many_users_are_all_counted(
    two_processes: Cluster, make: Factories, course: DiscussionCourse, ten_clients: RaceClients
) -> None:
    voters = [make.user() for _ in range(CLIENTS)]
    for voter in voters:
        make.enrollment(voter, course.course)
    tokens = [two_processes.access_token(voter) for voter in voters]
    for _ in range(ROUNDS // 3):
        question = course.question()
        id = global_id("QAQuestion", question)
        vote_count = select(QAQuestion.vote_count).where(QAQuestion.id == question.id)
        votes = [race_request("voteQaQuestion", token, questionId=id, vote=True) for token in tokens]
        assert code_counts(ten_clients.race(*votes)) == {None: CLIENTS}
        assert scalar(two_processes.database, vote_count) == CLIENTS
        votes = [
            race_request("voteQaQuestion", token, questionId=id, vote=index % 2 == 0)
            for index, token in enumerate(tokens)
        ]
        assert code_counts(ten_clients.race(*votes)) == {None: CLIENTS}
        assert scalar(two_processes.database, vote_count) == CLIENTS // 2
    assert counter_drift(two_processes.database) == []


def test_note_limit_holds_for_concurrent_requests(
    two_processes: Cluster, course: DiscussionCourse, ten_clients: RaceClients
) -> None:
    token, lecture_id = two_processes.access_token(course.asker), global_id("Lecture", course.lecture)
    notes = [
        Note(user_id=course.asker.id, lecture_id=course.lecture.id, content="x")
        for _ in range(MAX_NOTES_PER_LECTURE - 1)
    ]
    two_processes.database.write_sync(lambda session: session.add_all(notes))
    for _ in range(ROUNDS):
        creation = race_request("createNote", token, "note { id }", lectureId=lecture_id, content="x")
        responses = ten_clients.race(*[creation] * CLIENTS)
        assert code_counts(responses) == {None: 1, "LIMIT_REACHED": CLIENTS - 1}
        assert row_count(two_processes.database, Note) == MAX_NOTES_PER_LECTURE
        (id,) = [response.payload["note"]["id"] for response in responses if response.code is None]
        deletions = ten_clients.race(*[race_request("deleteNote", token, noteId=id)] * 4)
        assert code_counts(deletions) == {None: 1, "NOT_FOUND": 3}
    assert counter_drift(two_processes.database) == []


def reply_input(question: QAQuestion, answer: QAAnswer) -> dict[str, str]:
    return {
        "questionId": global_id("QAQuestion", question),
        "parentId": global_id("QAAnswer", answer),
        "content": "x",
    }


def test_reply_limit_holds_for_concurrent_requests(
    two_processes: Cluster, make: Factories, course: DiscussionCourse, ten_clients: RaceClients
) -> None:
    token, question = two_processes.access_token(course.learner), course.question()
    for _ in range(ROUNDS // 3):
        answer = make.answer(course.answerer, question)
        two_replies_left = update(QAAnswer).where(QAAnswer.id == answer.id).values(reply_count=MAX_REPLIES - 2)
        execute(two_processes.database, two_replies_left)
        reply = race_request("answerQuestion", token, **reply_input(question, answer))
        assert code_counts(ten_clients.race(*[reply] * CLIENTS)) == {None: 2, "LIMIT_REACHED": CLIENTS - 2}
        assert row_count(two_processes.database, QAAnswer, QAAnswer.parent_id == answer.id) == 2


def test_deleted_question_leaves_no_rows_of_concurrent_changes(
    two_processes: Cluster, make: Factories, course: DiscussionCourse, ten_clients: RaceClients
) -> None:
    asker, answerer, learner = (
        two_processes.access_token(user) for user in (course.asker, course.answerer, course.learner)
    )
    for _ in range(ROUNDS):
        question = course.question()
        answer = make.answer(course.answerer, question, accepted=True)
        id, answer_id = global_id("QAQuestion", question), global_id("QAAnswer", answer)
        deleted, *others = ten_clients.race(
            race_request("deleteQaQuestion", asker, questionId=id),
            race_request("answerQuestion", answerer, questionId=id, content="x"),
            race_request("answerQuestion", learner, questionId=id, content="x", parentId=answer_id),
            race_request("voteQaQuestion", learner, questionId=id, vote=True),
            race_request("voteQaAnswer", learner, answerId=answer_id, vote=True),
            race_request("deleteQaAnswer", answerer, answerId=answer_id),
            race_request("acceptAnswer", asker, questionId=id, answerId=None),
        )
        assert deleted.code is None
        assert set(code_counts(others)) <= {None, "NOT_FOUND"}
        models = (QAQuestion, QAAnswer, QAQuestionVote, QAAnswerVote)
        assert [row_count(two_processes.database, model) for model in models] == [0, 0, 0, 0]


def test_concurrent_replies_and_deletions_are_all_counted(
    two_processes: Cluster, make: Factories, course: DiscussionCourse, ten_clients: RaceClients
) -> None:
    token, question = two_processes.access_token(course.learner), course.question()
    answer = make.answer(course.answerer, question)
    for _ in range(ROUNDS):
        execute(two_processes.database, delete(QAAnswer).where(QAAnswer.parent_id.is_not(None)))
        execute(two_processes.database, update(QAAnswer).values(reply_count=0))
        replies = [global_id("QAAnswer", make.answer(course.learner, question, parent=answer)) for _ in range(3)]
        responses = ten_clients.race(
            *[race_request("deleteQaAnswer", token, answerId=reply) for reply in replies],
            *[race_request("answerQuestion", token, **reply_input(question, answer))] * 3,
        )
        assert code_counts(responses) == {None: 6}
        assert counter_drift(two_processes.database) == []
