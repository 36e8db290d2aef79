"""Answers, replies, acceptance and votes."""

import pytest
from sqlalchemy import update

from lms_graphql.catalog.models import Course
from lms_graphql.discussion import counters
from lms_graphql.discussion.models import QAAnswer
from lms_graphql.discussion.services.answers import MAX_REPLIES
from tests.discussion.discussion_client import AsUser, DiscussionCourse, counter_drift, execute
from tests.factories import Factories, global_id
from tests.live_service import Service


def test_instructor_answer_is_unchanged_when_course_changes_instructor(
    course: DiscussionCourse, as_user: AsUser, service: Service
) -> None:
    id = global_id("QAQuestion", course.question())
    for name in ("admin", "instructor"):
        as_user(name).ok("answerQuestion", questionId=id, content=name)
    execute(service.database, update(Course).values(instructor_id=course.other_instructor.id))
    document = """query W($id: ID!) { node(id: $id) { ... on QAQuestion {
      isAnswered answerCount acceptedAnswer { id } answers { nodes { isInstructorAnswer } }
    } } }"""
    question = as_user("other_instructor").execute(document, id=id)["node"]
    assert [answer["isInstructorAnswer"] for answer in question["answers"]["nodes"]] == [False, True]
    for_asker = as_user("asker").execute(document, id=id)["node"]
    assert (for_asker["isAnswered"], for_asker["answerCount"], for_asker["acceptedAnswer"]) == (True, 2, None)


def test_reply_requires_an_answer_of_the_same_question(
    course: DiscussionCourse, as_user: AsUser, make: Factories
) -> None:
    question, other_question = course.question(), course.question()
    answer, other_answer = make.answer(course.answerer, question), make.answer(course.answerer, other_question)
    reply = make.answer(course.asker, question, parent=answer)
    input = {"questionId": global_id("QAQuestion", question), "content": "x"}
    client = as_user("answerer")
    for parent in (reply, other_answer):
        errors = client.user_errors("answerQuestion", **input, parentId=global_id("QAAnswer", parent))
        assert errors == [("INVALID", "parentId")]
    assert client.user_errors("answerQuestion", **input, parentId="nonsense") == [("NOT_FOUND", "parentId")]


def test_replies_are_limited_per_answer(
    course: DiscussionCourse, as_user: AsUser, make: Factories, service: Service
) -> None:
    question = course.question()
    answer = make.answer(course.answerer, question)
    reply = {
        "questionId": global_id("QAQuestion", question),
        "content": "x",
        "parentId": global_id("QAAnswer", answer),
    }
    execute(service.database, update(QAAnswer).values(reply_count=MAX_REPLIES - 1))
    client = as_user("answerer")
    last = client.ok("answerQuestion", **reply)
    assert client.user_errors("answerQuestion", **reply) == [("LIMIT_REACHED", "parentId")]
    client.ok("deleteQaAnswer", answerId=last["id"])
    client.ok("answerQuestion", **reply)


def test_accepting_replaces_and_null_withdraws_acceptance(
    course: DiscussionCourse, as_user: AsUser, make: Factories
) -> None:
    question, other_question = course.question(), course.question()
    first, second = make.answer(course.answerer, question), make.answer(course.learner, question)
    reply = make.answer(course.asker, question, parent=first)
    other_answer = make.answer(course.answerer, other_question)
    asker, id = as_user("asker"), global_id("QAQuestion", question)
    for answer in (first, second, second):
        for name in ("asker", "instructor", "admin"):
            answer_id = global_id("QAAnswer", answer)
            accepted = as_user(name).ok("acceptAnswer", questionId=id, answerId=answer_id)["acceptedAnswer"]
            assert accepted == {"id": answer_id, "isAccepted": True}
    answers = asker.question_with_answers(id)["answers"]["nodes"]
    assert [answer["isAccepted"] for answer in answers] == [True, False]
    for invalid_answer in (reply, other_answer):
        errors = asker.user_errors("acceptAnswer", questionId=id, answerId=global_id("QAAnswer", invalid_answer))
        assert errors == [("INVALID", "answerId")]
    assert asker.user_errors("acceptAnswer", questionId=id) == [("REQUIRED", "answerId")]
    assert asker.user_errors("acceptAnswer", questionId=id, answerId="nonsense") == [("NOT_FOUND", "answerId")]
    (accepted_id,) = [
        answer["id"] for answer in asker.question_with_answers(id)["answers"]["nodes"] if answer["isAccepted"]
    ]
    assert accepted_id == global_id("QAAnswer", second)
    for _ in range(2):
        assert asker.ok("acceptAnswer", questionId=id, answerId=None)["acceptedAnswer"] is None
    for name in ("answerer", "learner"):
        codes = as_user(name).error_codes("acceptAnswer", questionId=id, answerId=global_id("QAAnswer", first))
        assert codes == ["FORBIDDEN"]


@pytest.mark.parametrize(
    ("kind", "mutation", "field", "author"),
    [
        ("QAQuestion", "voteQaQuestion", "questionId", "asker"),
        ("QAAnswer", "voteQaAnswer", "answerId", "answerer"),
    ],
)
def test_user_votes_once_and_not_for_own_post(
    course: DiscussionCourse,
    as_user: AsUser,
    make: Factories,
    service: Service,
    kind: str,
    mutation: str,
    field: str,
    author: str,
) -> None:
    question = course.question()
    answer = make.answer(course.answerer, question)
    id = {field: global_id(kind, question if kind == "QAQuestion" else answer)}
    learner, instructor = as_user("learner"), as_user("instructor")
    results = [
        client.ok(mutation, vote=vote, **id)
        for client, vote in (
            (learner, False),
            (learner, True),
            (learner, True),
            (instructor, True),
            (learner, False),
        )
    ]
    assert [(result["voteCount"], result["viewerHasVoted"]) for result in results] == [
        (0, False),
        (1, True),
        (1, True),
        (2, True),
        (1, False),
    ]
    assert len({result["updatedAt"] for result in results}) == 1
    for vote in (True, False):
        assert as_user(author).error_codes(mutation, vote=vote, **id) == ["FORBIDDEN"]
    assert counter_drift(service.database) == []


def test_drifted_vote_counts_are_repaired(course: DiscussionCourse, make: Factories, service: Service) -> None:
    question = course.question(vote_count=3)
    make.answer(course.answerer, question, vote_count=2)
    assert counter_drift(service.database) == [
        "qa_questions.vote_count: wrong in 1 rows",
        "qa_answers.vote_count: wrong in 1 rows",
    ]
    assert service.database.write_sync(counters.repair_counters) == [
        "qa_questions.vote_count: 1 rows repaired",
        "qa_answers.vote_count: 1 rows repaired",
    ]
    assert counter_drift(service.database) == []


def test_answer_content_is_required_and_limited(course: DiscussionCourse, as_user: AsUser) -> None:
    id = global_id("QAQuestion", course.question())
    for content, code in ((" ", "REQUIRED"), ("x" * 10_001, "TOO_LONG")):
        errors = as_user("answerer").user_errors("answerQuestion", questionId=id, content=content)
        assert errors == [(code, "content")]


def test_answers_are_ordered_by_acceptance_votes_and_age(
    course: DiscussionCourse, as_user: AsUser, make: Factories
) -> None:
    question = course.question()
    for content, votes in (("old", 0), ("5 votes", 5), ("new", 0), ("9 votes", 9)):
        answer = make.answer(course.answerer, question, content=content, vote_count=votes)
        make.answer(course.learner, question, parent=answer, content="a reply", vote_count=99)
    make.answer(course.answerer, question, content="accepted", accepted=True)
    id, client = global_id("QAQuestion", question), as_user("answerer")
    expected = ["accepted", "9 votes", "5 votes", "old", "new"]
    assert client.answer_contents(id) == expected
    assert client.answer_contents(id, last=2) == expected[-2:]
    contents: list[str] = []
    after = None
    for _ in range(3):
        node = client.question_with_answers(id, first=2, after=after)
        assert node["answerCount"] == node["answers"]["totalCount"] == 5
        contents += [answer["content"] for answer in node["answers"]["nodes"]]
        after = node["answers"]["pageInfo"]["endCursor"]
    assert contents == expected


def test_replies_are_ordered_oldest_first(course: DiscussionCourse, as_user: AsUser, make: Factories) -> None:
    question = course.question()
    answer = make.answer(course.answerer, question)
    for content in "abc":
        make.answer(course.learner, question, parent=answer, content=content)
    document = "query R($id: ID!) { node(id: $id) { ... on QAAnswer { replies { content parent { id } } } } }"
    replies = as_user("asker").execute(document, id=global_id("QAAnswer", answer))["node"]["replies"]
    assert [reply["content"] for reply in replies] == ["a", "b", "c"]
