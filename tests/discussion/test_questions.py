"""Questions and answers: what becomes of them, in which order they come, and what they cost."""

from typing import Any

import pytest
from sqlalchemy import func, select, update

from lms_graphql.catalog.models import Course
from lms_graphql.core.actor import Actor
from lms_graphql.discussion import counters
from lms_graphql.discussion.models import QAAnswer, QAAnswerVote, QAQuestionVote
from lms_graphql.discussion.services.answers import MAX_REPLIES
from tests.accounts.test_login import told
from tests.discussion.discussion_client import ANSWERS, Classroom, listed, refused, send, titles
from tests.factories import Factories, global_id
from tests.live_service import Client, Service, Statements

SEEN = "query S($id: ID!) { node(id: $id) { ... on QAQuestion { isAnswered answerCount acceptedAnswer { id } } } }"


@pytest.fixture
def room(make: Factories) -> Classroom:
    return Classroom(make)


def state(client: Client, as_: Actor, id: str) -> Any:
    found = client.execute(SEEN, as_=as_, id=id)["node"]
    return found and (found["isAnswered"], found["answerCount"], (found["acceptedAnswer"] or {}).get("id"))


def answers(client: Client, as_: Actor, id: str, **asked: Any) -> list[str]:
    page = client.execute(ANSWERS, as_=as_, id=id, **asked)["node"]["answers"]
    return [answer["content"] for answer in page["nodes"]]


def number_of(service: Service, table: Any) -> Any:
    return service.database.read_sync(lambda session: session.scalar(select(func.count()).select_from(table)))


def test_the_story_of_a_question(client: Client, room: Classroom, service: Service) -> None:
    asker, peer, teacher = room.actor("asker"), room.actor("peer"), room.actor("teacher")
    lecture = global_id("Lecture", room.lecture)
    asked = send(
        client, asker, "askQuestion", lectureId=lecture, title=" Why? ", content="*I* wonder\n", positionSeconds=9
    )
    assert asked["errors"] == []
    question = asked["question"]
    assert (question["title"], question["content"], question["positionSeconds"]) == ("Why?", "*I* wonder\n", 9)
    assert question["author"] == {"username": room.asker.username}
    assert question["lecture"] == {"id": lecture}
    id = question["id"]
    assert state(client, peer, id) == (False, 0, None)

    by_peer = send(client, peer, "answerQuestion", questionId=id, content="Because.")["answer"]
    assert by_peer["isInstructorAnswer"] is False
    assert by_peer["question"] == {"id": id, "isAnswered": False, "answerCount": 1}
    reply = send(client, asker, "answerQuestion", questionId=id, content="Really?", parentId=by_peer["id"])["answer"]
    assert reply["parent"] == {"id": by_peer["id"]}
    assert state(client, asker, id) == (False, 1, None)
    by_teacher = send(client, teacher, "answerQuestion", questionId=id, content="It depends.")["answer"]
    assert by_teacher["isInstructorAnswer"] is True
    assert state(client, asker, id) == (True, 2, None)

    accepted = send(client, asker, "acceptAnswer", questionId=id, answerId=by_peer["id"])["question"]
    assert accepted["acceptedAnswer"] == {"id": by_peer["id"], "isAccepted": True}
    assert accepted["updatedAt"] == question["updatedAt"]
    assert answers(client, peer, id) == ["Because.", "It depends."]
    reworded = send(client, peer, "updateQaAnswer", answerId=by_peer["id"], content="Because of that.")["answer"]
    assert reworded["isAccepted"] is True
    assert reworded["replies"] == [{"id": reply["id"], "content": "Really?"}]
    assert reworded["updatedAt"] > by_peer["updatedAt"]
    changed = send(client, asker, "updateQaQuestion", questionId=id, title="Why so?")["question"]
    assert (changed["title"], changed["content"]) == ("Why so?", "*I* wonder\n")

    assert send(client, teacher, "deleteQaAnswer", answerId=by_teacher["id"])["deletedId"] == by_teacher["id"]
    assert state(client, asker, id) == (True, 1, by_peer["id"])
    assert send(client, peer, "deleteQaAnswer", answerId=by_peer["id"])["errors"] == []
    assert state(client, asker, id) == (False, 0, None)
    assert number_of(service, QAAnswer) == 0
    assert send(client, asker, "deleteQaQuestion", questionId=id) == {"deletedId": id, "errors": []}
    assert listed(client, asker, room.lecture)["totalCount"] == 0
    assert told(send(client, asker, "deleteQaQuestion", questionId=id)) == [("NOT_FOUND", ["input", "questionId"])]


def test_whether_an_instructor_answered_is_fixed_when_it_is_written(
    client: Client, room: Classroom, service: Service
) -> None:
    id = global_id("QAQuestion", room.question())
    for name in ("admin", "teacher"):
        send(client, room.actor(name), "answerQuestion", questionId=id, content=name)
    another = update(Course).values(instructor_id=room.rival.id)
    service.database.write_sync(lambda session: session.execute(another) and None)
    document = (
        "query W($id: ID!) { node(id: $id) { ... on QAQuestion { answers { nodes { isInstructorAnswer } } } } }"
    )
    found = client.execute(document, as_=room.actor("rival"), id=id)["node"]["answers"]["nodes"]
    assert [answer["isInstructorAnswer"] for answer in found] == [False, True]
    assert state(client, room.actor("asker"), id) == (True, 2, None)


def test_a_question_goes_with_its_answers_replies_and_votes(
    client: Client, room: Classroom, make: Factories, service: Service
) -> None:
    question = room.question()
    answer = make.answer(room.peer, question, accepted=True)
    make.answer(room.asker, question, parent=answer)
    send(client, room.actor("peer"), "voteQaQuestion", questionId=global_id("QAQuestion", question), vote=True)
    send(client, room.actor("asker"), "voteQaAnswer", answerId=global_id("QAAnswer", answer), vote=True)
    deleted = send(client, room.actor("teacher"), "deleteQaQuestion", questionId=global_id("QAQuestion", question))
    assert deleted["errors"] == []
    assert [number_of(service, table) for table in (QAAnswer, QAAnswerVote, QAQuestionVote)] == [0, 0, 0]


def test_replies_are_one_level_deep_and_under_an_answer_of_the_question(
    client: Client, room: Classroom, make: Factories
) -> None:
    question, other = room.question(), room.question()
    answer, elsewhere = make.answer(room.peer, question), make.answer(room.peer, other)
    reply = make.answer(room.asker, question, parent=answer)
    id = global_id("QAQuestion", question)
    for parent in (reply, elsewhere):
        payload = send(
            client,
            room.actor("peer"),
            "answerQuestion",
            questionId=id,
            content="x",
            parentId=global_id("QAAnswer", parent),
        )
        assert told(payload) == [("INVALID", ["input", "parentId"])]
    payload = send(client, room.actor("peer"), "answerQuestion", questionId=id, content="x", parentId="nonsense")
    assert told(payload) == [("NOT_FOUND", ["input", "parentId"])]


def test_an_answer_has_at_most_a_hundred_replies(
    client: Client, room: Classroom, make: Factories, service: Service
) -> None:
    question = room.question()
    answer = make.answer(room.peer, question)
    said = {
        "questionId": global_id("QAQuestion", question),
        "content": "x",
        "parentId": global_id("QAAnswer", answer),
    }
    full = update(QAAnswer).values(reply_count=MAX_REPLIES - 1)
    service.database.write_sync(lambda session: session.execute(full) and None)
    last = send(client, room.actor("peer"), "answerQuestion", **said)["answer"]
    assert told(send(client, room.actor("peer"), "answerQuestion", **said)) == [
        ("LIMIT_REACHED", ["input", "parentId"])
    ]
    send(client, room.actor("peer"), "deleteQaAnswer", answerId=last["id"])
    assert send(client, room.actor("peer"), "answerQuestion", **said)["errors"] == []


def test_one_answer_at_most_is_accepted_and_null_takes_it_back(
    client: Client, room: Classroom, make: Factories
) -> None:
    question, other = room.question(), room.question()
    first, second = make.answer(room.peer, question), make.answer(room.other, question)
    reply, elsewhere = make.answer(room.asker, question, parent=first), make.answer(room.peer, other)
    asker, id = room.actor("asker"), global_id("QAQuestion", question)
    for answer in (first, second, second):
        for who in ("asker", "teacher", "admin"):
            answer_id = global_id("QAAnswer", answer)
            payload = send(client, room.actor(who), "acceptAnswer", questionId=id, answerId=answer_id)
            assert payload["question"]["acceptedAnswer"] == {"id": answer_id, "isAccepted": True}
    accepted = [node["isAccepted"] for node in client.execute(ANSWERS, as_=asker, id=id)["node"]["answers"]["nodes"]]
    assert accepted == [True, False]
    for wrong in (reply, elsewhere):
        payload = send(client, asker, "acceptAnswer", questionId=id, answerId=global_id("QAAnswer", wrong))
        assert told(payload) == [("INVALID", ["input", "answerId"])]
    assert told(send(client, asker, "acceptAnswer", questionId=id)) == [("REQUIRED", ["input", "answerId"])]
    nothing = send(client, asker, "acceptAnswer", questionId=id, answerId="nonsense")
    assert told(nothing) == [("NOT_FOUND", ["input", "answerId"])]
    assert state(client, asker, id)[2] == global_id("QAAnswer", second)
    for _ in range(2):
        assert send(client, asker, "acceptAnswer", questionId=id, answerId=None)["question"]["acceptedAnswer"] is None
    for name in ("peer", "other"):
        assert refused(
            client, room.actor(name), "acceptAnswer", questionId=id, answerId=global_id("QAAnswer", first)
        ) == ["FORBIDDEN"]


def test_a_person_votes_once_and_not_for_their_own(
    client: Client, room: Classroom, make: Factories, service: Service
) -> None:
    question = room.question()
    answer = make.answer(room.peer, question)
    for mutation, field, row, what, author in (
        ("voteQaQuestion", "questionId", global_id("QAQuestion", question), "question", "asker"),
        ("voteQaAnswer", "answerId", global_id("QAAnswer", answer), "answer", "peer"),
    ):
        other, teacher = room.actor("other"), room.actor("teacher")
        told_of = [
            send(client, actor, mutation, vote=vote, **{field: row})[what]
            for actor, vote in ((other, False), (other, True), (other, True), (teacher, True), (other, False))
        ]
        assert [(now["voteCount"], now["viewerHasVoted"]) for now in told_of] == [
            (0, False),
            (1, True),
            (1, True),
            (2, True),
            (1, False),
        ]
        assert len({now["updatedAt"] for now in told_of}) == 1
        for vote in (True, False):
            assert refused(client, room.actor(author), mutation, vote=vote, **{field: row}) == ["FORBIDDEN"]
    assert service.database.read_sync(counters.find_counter_drift) == []


def test_a_wrong_number_of_votes_is_found_and_mended(
    client: Client, room: Classroom, make: Factories, service: Service
) -> None:
    question = room.question(vote_count=3)
    make.answer(room.peer, question, vote_count=2)
    lines = service.database.read_sync(counters.find_counter_drift)
    assert lines == ["qa_questions.vote_count: wrong in 1 rows", "qa_answers.vote_count: wrong in 1 rows"]
    mended = service.database.write_sync(counters.repair_counters)
    assert mended == ["qa_questions.vote_count: 1 rows repaired", "qa_answers.vote_count: 1 rows repaired"]
    assert service.database.read_sync(counters.find_counter_drift) == []


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({"title": " "}, [("REQUIRED", ["input", "title"])]),
        (
            {"title": "x" * 201, "content": "x" * 10_001},
            [("TOO_LONG", ["input", "title"]), ("TOO_LONG", ["input", "content"])],
        ),
        ({"content": "\n"}, [("REQUIRED", ["input", "content"])]),
    ],
)
def test_all_faults_of_a_question_are_told_at_once(client: Client, room: Classroom, said: Any, faults: Any) -> None:
    asker, lecture = room.actor("asker"), global_id("Lecture", room.lecture)
    asked = {"lectureId": lecture, "title": "x" * 200, "content": "x" * 10_000}
    assert told(send(client, asker, "askQuestion", **{**asked, **said})) == faults
    question = send(client, asker, "askQuestion", **asked)["question"]
    assert told(send(client, asker, "updateQaQuestion", questionId=question["id"], **said)) == faults
    nulls = send(client, asker, "updateQaQuestion", questionId=question["id"], title=None, content=None)
    assert told(nulls) == [("REQUIRED", ["input", "title"]), ("REQUIRED", ["input", "content"])]
    early = send(client, asker, "askQuestion", **{**asked, "positionSeconds": -1})
    assert told(early) == [("OUT_OF_RANGE", ["input", "positionSeconds"])]


def test_an_answer_says_something(client: Client, room: Classroom) -> None:
    id = global_id("QAQuestion", room.question())
    for content, code in ((" ", "REQUIRED"), ("x" * 10_001, "TOO_LONG")):
        payload = send(client, room.actor("peer"), "answerQuestion", questionId=id, content=content)
        assert told(payload) == [(code, ["input", "content"])]


def test_where_questions_are_switched_off_nobody_asks_or_answers(
    client: Client, room: Classroom, make: Factories, service: Service
) -> None:
    question = room.question()
    answer = make.answer(room.peer, question)
    service.database.write_sync(lambda session: session.execute(update(Course).values(allow_qa=False)) and None)
    id = global_id("QAQuestion", question)
    for actor in (room.actor("peer"), room.actor("teacher")):
        asked = send(
            client, actor, "askQuestion", lectureId=global_id("Lecture", room.lecture), title="x", content="x"
        )
        assert told(asked) == [("FEATURE_DISABLED", ["input", "lectureId"])]
        answered = send(client, actor, "answerQuestion", questionId=id, content="x")
        assert told(answered) == [("FEATURE_DISABLED", ["input", "questionId"])]
    assert titles(client, room.actor("peer"), room.lecture) == ["Why?"]
    accepted = send(
        client, room.actor("asker"), "acceptAnswer", questionId=id, answerId=global_id("QAAnswer", answer)
    )
    assert accepted["errors"] == []


def test_questions_come_in_three_orders_and_pages_hold(client: Client, room: Classroom) -> None:
    for number, votes in enumerate((1, 0, 2, 1, 0)):
        room.question(title=f"{number}", vote_count=votes)
    actor = room.actor("peer")
    orders = {"NEWEST": "43210", "OLDEST": "01234", "MOST_VOTED": "23041", None: "43210"}
    for order, expected in orders.items():
        assert "".join(titles(client, actor, room.lecture, orderBy=order)) == expected
        assert "".join(titles(client, actor, room.lecture, orderBy=order, last=2)) == expected[-2:]
        found, after = "", None
        while True:
            page = listed(client, actor, room.lecture, orderBy=order, first=2, after=after)
            assert page["totalCount"] == 5
            found += "".join(question["title"] for question in page["nodes"])
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        assert found == expected


def test_questions_are_filtered_by_whether_they_are_answered(
    client: Client, room: Classroom, make: Factories
) -> None:
    taught, accepted, replied, open_ = (
        room.question(title=title) for title in ("taught", "accepted", "replied", "open")
    )
    make.answer(room.teacher, taught, is_instructor_answer=True)
    make.answer(room.peer, accepted, accepted=True)
    below = make.answer(room.peer, replied)
    make.answer(room.teacher, replied, parent=below, is_instructor_answer=True)
    make.answer(room.peer, open_)
    actor = room.actor("peer")
    assert titles(client, actor, room.lecture, isAnswered=True) == ["accepted", "taught"]
    assert titles(client, actor, room.lecture, isAnswered=False) == ["open", "replied"]
    assert listed(client, actor, room.lecture, isAnswered=False)["totalCount"] == 2
    assert listed(client, actor, room.lecture)["totalCount"] == 4


def test_answers_come_accepted_first_then_by_votes_then_by_age(
    client: Client, room: Classroom, make: Factories
) -> None:
    question = room.question()
    for content, votes in (("old", 0), ("liked", 5), ("younger", 0), ("loved", 9)):
        answer = make.answer(room.peer, question, content=content, vote_count=votes)
        make.answer(room.other, question, parent=answer, content="a reply", vote_count=99)
    make.answer(room.peer, question, content="accepted", accepted=True)
    id, actor = global_id("QAQuestion", question), room.actor("peer")
    expected = ["accepted", "loved", "liked", "old", "younger"]
    assert answers(client, actor, id) == expected
    assert answers(client, actor, id, last=2) == expected[-2:]
    found: list[str] = []
    after = None
    for _ in range(3):
        page = client.execute(ANSWERS, as_=actor, id=id, first=2, after=after)["node"]
        assert page["answerCount"] == page["answers"]["totalCount"] == 5
        found += [answer["content"] for answer in page["answers"]["nodes"]]
        after = page["answers"]["pageInfo"]["endCursor"]
    assert found == expected


def test_replies_come_oldest_first(client: Client, room: Classroom, make: Factories) -> None:
    question = room.question()
    answer = make.answer(room.peer, question)
    for content in "abc":
        make.answer(room.other, question, parent=answer, content=content)
    document = "query R($id: ID!) { node(id: $id) { ... on QAAnswer { replies { content parent { id } } } } }"
    replies = client.execute(document, as_=room.actor("asker"), id=global_id("QAAnswer", answer))["node"]["replies"]
    assert [reply["content"] for reply in replies] == ["a", "b", "c"]


OPEN = """query O($id: ID!, $after: String) { node(id: $id) { ... on User { teaching {
  openQuestions(first: 2, after: $after) { totalCount pageInfo { endCursor } nodes { title } }
} } } }"""


def test_open_questions_of_an_instructor_come_oldest_first(client: Client, room: Classroom, make: Factories) -> None:
    waiting = [room.question(title=str(number)) for number in range(3)]
    make.answer(room.peer, waiting[0])
    make.answer(room.teacher, room.question(), is_instructor_answer=True)
    make.answer(room.peer, room.question(), accepted=True)
    elsewhere = make.course(instructor=room.rival)
    make.question(room.peer, elsewhere.lectures[0], title="elsewhere")

    def asked(who: str, whose: str, after: str | None = None) -> Any:
        id = global_id("User", getattr(room, whose))
        return client.execute(OPEN, as_=room.actor(who), id=id, after=after)["node"]["teaching"]["openQuestions"]

    for who in ("teacher", "admin"):
        page = asked(who, "teacher")
        assert page["totalCount"] == 3
        rest = asked(who, "teacher", page["pageInfo"]["endCursor"])
        assert [question["title"] for question in (*page["nodes"], *rest["nodes"])] == ["0", "1", "2"]
    assert [question["title"] for question in asked("rival", "rival")["nodes"]] == ["elsewhere"]


LECTURES = """query T($ids: [ID!]!) { nodes(ids: $ids) { ... on Lecture {
  qaQuestions(first: 5) { totalCount nodes {
    title author { username } viewerHasVoted answerCount isAnswered acceptedAnswer { content }
    answers(first: 3) { nodes { author { username } viewerHasVoted isAccepted replies { content viewerHasVoted } } }
  } }
} } }"""


def test_the_questions_of_fifty_lectures_take_as_many_statements_as_those_of_two(
    client: Client, make: Factories, statements: Statements
) -> None:
    learner = make.user()
    course = make.course(lectures=50)
    make.enrollment(learner, course)
    for lecture in course.lectures[::5]:
        for _ in range(2):
            question = make.question(learner, lecture)
            answer = make.answer(course.instructor, question, accepted=True)
            make.answer(learner, question, parent=answer)
    ids = [global_id("Lecture", lecture) for lecture in course.lectures]
    taken = []
    for number in (2, 50):
        with statements:
            lectures = client.execute(LECTURES, as_=make.actor(learner), ids=ids[:number])["nodes"]
        found = [lecture["qaQuestions"]["totalCount"] for lecture in lectures]
        assert found == [0 if place % 5 else 2 for place in range(number)]
        assert len([text for text in statements.texts if "FROM qa_questions" in text]) == 2, "a page and a count"
        taken.append(statements.count)
    # Lectures; questions, how many, by whom, voted for; the same of answers; the accepted ones; replies, voted for.
    assert taken == [12, 12]


def test_who_asked_and_answered_stays_as_a_deleted_user(client: Client, room: Classroom, make: Factories) -> None:
    question = room.question()
    make.answer(room.asker, question)
    delete = "mutation D($id: ID!) { deleteUser(input: {userId: $id}) { errors { code } } }"
    client.execute(delete, as_=room.actor("admin"), id=global_id("User", room.asker))
    document = """query A($id: ID!) { node(id: $id) { ... on QAQuestion {
      author { fullName } answers { nodes { author { fullName } } }
    } } }"""
    found = client.execute(document, as_=room.actor("peer"), id=global_id("QAQuestion", question))["node"]
    assert found["author"] == found["answers"]["nodes"][0]["author"] == {"fullName": "Deleted user"}
