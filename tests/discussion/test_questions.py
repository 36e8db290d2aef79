"""Questions about lectures: lifecycle, validation, lists and their cost."""

from typing import Any

import pytest
from sqlalchemy import update

from lms_graphql.catalog.models import Course
from lms_graphql.discussion.models import QAAnswer, QAAnswerVote, QAQuestionVote
from tests.discussion.discussion_client import AsUser, DiscussionClient, DiscussionCourse, execute, row_count
from tests.factories import Factories, global_id
from tests.live_service import Client, Service, StatementRecorder

STATE = "query S($id: ID!) { node(id: $id) { ... on QAQuestion { isAnswered answerCount acceptedAnswer { id } } } }"


def state(client: DiscussionClient, question_id: str) -> Any:
    """Return whether the question is answered, its number of answers and the id of the accepted answer."""
    question = client.execute(STATE, id=question_id)["node"]
    accepted_id = (question["acceptedAnswer"] or {}).get("id")
    return question["isAnswered"], question["answerCount"], accepted_id


def test_question_lifecycle(course: DiscussionCourse, as_user: AsUser, service: Service) -> None:
    asker, answerer, instructor = as_user("asker"), as_user("answerer"), as_user("instructor")
    lecture_id = global_id("Lecture", course.lecture)
    question = asker.ok(
        "askQuestion", lectureId=lecture_id, title=" Why? ", content="*I* wonder\n", positionSeconds=9
    )
    assert (question["title"], question["content"], question["positionSeconds"]) == ("Why?", "*I* wonder\n", 9)
    assert question["author"] == {"username": course.asker.username}
    assert question["lecture"] == {"id": lecture_id}
    id = question["id"]
    assert state(answerer, id) == (False, 0, None)

    answer = answerer.ok("answerQuestion", questionId=id, content="Because.")
    assert answer["isInstructorAnswer"] is False
    assert answer["question"] == {"id": id, "isAnswered": False, "answerCount": 1}
    reply = asker.ok("answerQuestion", questionId=id, content="Really?", parentId=answer["id"])
    assert reply["parent"] == {"id": answer["id"]}
    assert state(asker, id) == (False, 1, None)
    instructor_answer = instructor.ok("answerQuestion", questionId=id, content="It depends.")
    assert instructor_answer["isInstructorAnswer"] is True
    assert state(asker, id) == (True, 2, None)

    question_with_accepted = asker.ok("acceptAnswer", questionId=id, answerId=answer["id"])
    assert question_with_accepted["acceptedAnswer"] == {"id": answer["id"], "isAccepted": True}
    assert question_with_accepted["updatedAt"] == question["updatedAt"]
    assert answerer.answer_contents(id) == ["Because.", "It depends."]
    edited_answer = answerer.ok("updateQaAnswer", answerId=answer["id"], content="Because of that.")
    assert edited_answer["isAccepted"] is True
    assert edited_answer["replies"] == [{"id": reply["id"], "content": "Really?"}]
    assert edited_answer["updatedAt"] > answer["updatedAt"]
    edited_question = asker.ok("updateQaQuestion", questionId=id, title="Why so?")
    assert (edited_question["title"], edited_question["content"]) == ("Why so?", "*I* wonder\n")

    assert instructor.ok("deleteQaAnswer", answerId=instructor_answer["id"]) == instructor_answer["id"]
    assert state(asker, id) == (True, 1, answer["id"])
    answerer.ok("deleteQaAnswer", answerId=answer["id"])
    assert state(asker, id) == (False, 0, None)
    assert row_count(service.database, QAAnswer) == 0
    assert asker.ok("deleteQaQuestion", questionId=id) == id
    assert asker.questions(course.lecture)["totalCount"] == 0
    assert asker.user_errors("deleteQaQuestion", questionId=id) == [("NOT_FOUND", "questionId")]


def test_question_is_deleted_with_answers_replies_and_votes(
    course: DiscussionCourse, as_user: AsUser, make: Factories, service: Service
) -> None:
    question = course.question()
    answer = make.answer(course.answerer, question, accepted=True)
    make.answer(course.asker, question, parent=answer)
    question_id, answer_id = global_id("QAQuestion", question), global_id("QAAnswer", answer)
    as_user("answerer").ok("voteQaQuestion", questionId=question_id, vote=True)
    as_user("asker").ok("voteQaAnswer", answerId=answer_id, vote=True)
    as_user("instructor").ok("deleteQaQuestion", questionId=question_id)
    assert [row_count(service.database, model) for model in (QAAnswer, QAAnswerVote, QAQuestionVote)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"title": " "}, [("REQUIRED", "title")]),
        ({"title": "x" * 201, "content": "x" * 10_001}, [("TOO_LONG", "title"), ("TOO_LONG", "content")]),
        ({"content": "\n"}, [("REQUIRED", "content")]),
    ],
)
def test_all_errors_of_a_question_are_returned_together(
    course: DiscussionCourse, as_user: AsUser, fields: Any, errors: Any
) -> None:
    asker, lecture_id = as_user("asker"), global_id("Lecture", course.lecture)
    valid = {"lectureId": lecture_id, "title": "x" * 200, "content": "x" * 10_000}
    assert asker.user_errors("askQuestion", **{**valid, **fields}) == errors
    question_id = asker.ok("askQuestion", **valid)["id"]
    assert asker.user_errors("updateQaQuestion", questionId=question_id, **fields) == errors
    null_errors = asker.user_errors("updateQaQuestion", questionId=question_id, title=None, content=None)
    assert null_errors == [("REQUIRED", "title"), ("REQUIRED", "content")]
    negative_position = {**valid, "positionSeconds": -1}
    assert asker.user_errors("askQuestion", **negative_position) == [("OUT_OF_RANGE", "positionSeconds")]


def test_disabled_questions_can_be_read_and_accepted_only(
    course: DiscussionCourse, as_user: AsUser, make: Factories, service: Service
) -> None:
    question = course.question()
    answer = make.answer(course.answerer, question)
    execute(service.database, update(Course).values(allow_qa=False))
    id, lecture_id = global_id("QAQuestion", question), global_id("Lecture", course.lecture)
    for client in (as_user("answerer"), as_user("instructor")):
        ask_errors = client.user_errors("askQuestion", lectureId=lecture_id, title="x", content="x")
        assert ask_errors == [("FEATURE_DISABLED", "lectureId")]
        answer_errors = client.user_errors("answerQuestion", questionId=id, content="x")
        assert answer_errors == [("FEATURE_DISABLED", "questionId")]
    assert as_user("answerer").question_titles(course.lecture) == ["Why?"]
    as_user("asker").ok("acceptAnswer", questionId=id, answerId=global_id("QAAnswer", answer))


def test_questions_are_paginated_in_each_order(course: DiscussionCourse, as_user: AsUser) -> None:
    for number, votes in enumerate((1, 0, 2, 1, 0)):
        course.question(title=f"{number}", vote_count=votes)
    client = as_user("answerer")
    orders = {"NEWEST": "43210", "OLDEST": "01234", "MOST_VOTED": "23041", None: "43210"}
    for order, expected in orders.items():
        assert "".join(client.question_titles(course.lecture, orderBy=order)) == expected
        assert "".join(client.question_titles(course.lecture, orderBy=order, last=2)) == expected[-2:]
        titles, after = "", None
        while True:
            page = client.questions(course.lecture, orderBy=order, first=2, after=after)
            assert page["totalCount"] == 5
            titles += "".join(question["title"] for question in page["nodes"])
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        assert titles == expected


def test_questions_are_filtered_by_is_answered(course: DiscussionCourse, as_user: AsUser, make: Factories) -> None:
    by_instructor, accepted, replied, open_ = (
        course.question(title=title) for title in ("by instructor", "accepted", "replied", "open")
    )
    make.answer(course.instructor, by_instructor, is_instructor_answer=True)
    make.answer(course.answerer, accepted, accepted=True)
    answer = make.answer(course.answerer, replied)
    make.answer(course.instructor, replied, parent=answer, is_instructor_answer=True)
    make.answer(course.answerer, open_)
    client = as_user("answerer")
    assert client.question_titles(course.lecture, isAnswered=True) == ["accepted", "by instructor"]
    assert client.question_titles(course.lecture, isAnswered=False) == ["open", "replied"]
    assert client.questions(course.lecture, isAnswered=False)["totalCount"] == 2
    assert client.questions(course.lecture)["totalCount"] == 4


OPEN_QUESTIONS = """query O($id: ID!, $after: String) { node(id: $id) { ... on User { teaching {
  openQuestions(first: 2, after: $after) { totalCount pageInfo { endCursor } nodes { title } }
} } } }"""


def test_open_questions_of_instructor_are_ordered_oldest_first(
    course: DiscussionCourse, as_user: AsUser, make: Factories
) -> None:
    open_questions = [course.question(title=str(number)) for number in range(3)]
    make.answer(course.answerer, open_questions[0])
    make.answer(course.instructor, course.question(), is_instructor_answer=True)
    make.answer(course.answerer, course.question(), accepted=True)
    other_course = make.course(instructor=course.other_instructor)
    make.question(course.answerer, other_course.lectures[0], title="in another course")

    def page_of(viewer: str, instructor: str, after: str | None = None) -> Any:
        id = global_id("User", getattr(course, instructor))
        return as_user(viewer).execute(OPEN_QUESTIONS, id=id, after=after)["node"]["teaching"]["openQuestions"]

    for viewer in ("instructor", "admin"):
        page = page_of(viewer, "instructor")
        assert page["totalCount"] == 3
        next_page = page_of(viewer, "instructor", page["pageInfo"]["endCursor"])
        assert [question["title"] for question in (*page["nodes"], *next_page["nodes"])] == ["0", "1", "2"]
    own_page = page_of("other_instructor", "other_instructor")
    assert [question["title"] for question in own_page["nodes"]] == ["in another course"]


LECTURES = """query T($ids: [ID!]!) { nodes(ids: $ids) { ... on Lecture {
  qaQuestions(first: 5) { totalCount nodes {
    title author { username } viewerHasVoted answerCount isAnswered acceptedAnswer { content }
    answers(first: 3) { nodes { author { username } viewerHasVoted isAccepted replies { content viewerHasVoted } } }
  } }
} } }"""


@pytest.mark.query_budget
def test_statement_count_is_independent_of_lecture_count(
    client: Client, make: Factories, statements: StatementRecorder
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
    statement_counts = []
    for number in (2, 50):
        with statements:
            lectures = client.execute(LECTURES, as_=make.actor(learner), ids=ids[:number])["nodes"]
        question_counts = [lecture["qaQuestions"]["totalCount"] for lecture in lectures]
        assert question_counts == [0 if index % 5 else 2 for index in range(number)]
        assert len([text for text in statements.texts if "FROM qa_questions" in text]) == 2, "a page and a count"
        statement_counts.append(statements.count)
    # Lectures; page, count, authors, votes of questions; the same for answers; accepted answers; replies and votes.
    assert statement_counts == [12, 12]


def test_author_is_deleted_user_when_account_is_erased(
    course: DiscussionCourse, as_user: AsUser, make: Factories
) -> None:
    question = course.question()
    make.answer(course.asker, question)
    delete = "mutation D($id: ID!) { deleteUser(input: {userId: $id}) { errors { code } } }"
    as_user("admin").execute(delete, id=global_id("User", course.asker))
    document = """query A($id: ID!) { node(id: $id) { ... on QAQuestion {
      author { fullName } answers { nodes { author { fullName } } }
    } } }"""
    node = as_user("answerer").execute(document, id=global_id("QAQuestion", question))["node"]
    assert node["author"] == node["answers"]["nodes"][0]["author"] == {"fullName": "Deleted user"}
