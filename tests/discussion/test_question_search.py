"""Search for questions within a course: words, access, pages, and the stored terms."""

from typing import Any

import pytest
from sqlalchemy import delete, update

from lms_graphql.discussion import counters
from lms_graphql.discussion.models import QAQuestionTerm
from tests.discussion.discussion_client import (
    AsUser,
    DiscussionClient,
    DiscussionCourse,
    counter_drift,
    execute,
    row_count,
)
from tests.factories import Factories, global_id
from tests.live_service import Client, Service, StatementRecorder

SEARCH = """query S(
  $id: ID!, $search: String, $orderBy: QAOrder, $isAnswered: Boolean,
  $first: Int, $after: String, $last: Int, $before: String
) {
  node(id: $id) { ... on Course {
    qaQuestions(
      search: $search, orderBy: $orderBy, isAnswered: $isAnswered,
      first: $first, after: $after, last: $last, before: $before
    ) { totalCount pageInfo { hasNextPage startCursor endCursor } nodes { title } }
  } }
}"""


def search(client: DiscussionClient, course: DiscussionCourse, text: str | None, **arguments: Any) -> Any:
    return client.execute(SEARCH, id=course.course.global_id, search=text, **arguments)["node"]["qaQuestions"]


def titles(page: Any) -> list[str]:
    return [question["title"] for question in page["nodes"]]


def test_search_finds_questions_with_all_words(course: DiscussionCourse, as_user: AsUser, make: Factories) -> None:
    for title, content in (
        ("How to loop?", "With for or while."),
        ("C# or C++", "Łódź"),
        ("Déjà vu", "ASP.NET on Straße"),
        ("循环", "如何在机器学习中使用循环"),
        ("50% off_sale", "loops"),
    ):
        course.question(title=title, content=content)
    make.question(course.asker, make.course().lectures[0], title="How to loop elsewhere?")
    for text, expected in (
        ("how to lo", ["How to loop?"]),
        ("LOOP while", ["How to loop?"]),
        ("loop", ["50% off_sale", "How to loop?"]),  # only the last word is a prefix
        ("lo how", []),
        ("c#", ["C# or C++"]),
        ("c++ lodz", ["C# or C++"]),
        ("deja strasse", ["Déjà vu"]),
        (".net", ["Déjà vu"]),
        ("机器学", ["循环"]),
        ("elsewhere", []),
        ("!!!", []),
        ("%", []),
        ("_", []),
        ("' OR 1=1 --", []),
    ):
        page = search(as_user("learner"), course, text)
        assert (titles(page), page["totalCount"]) == (expected, len(expected)), text
    for blank in (None, "", " ", "\u200b\u3164"):
        assert search(as_user("learner"), course, blank)["totalCount"] == 5


def test_long_search_text_is_rejected(course: DiscussionCourse, client: Client) -> None:
    assert client.error_codes(SEARCH, id=course.course.global_id, search="x" * 201) == ["BAD_USER_INPUT"]


def test_search_follows_every_change(course: DiscussionCourse, as_user: AsUser, service: Service) -> None:
    author = as_user("asker")

    def found(text: str) -> int:
        count: int = search(author, course, text)["totalCount"]
        return count

    lecture = {"lectureId": global_id("Lecture", course.lecture)}
    id = author.ok("askQuestion", **lecture, title="Why tea?", content="Not coffee.")["id"]
    assert [found("tea"), found("coffee"), found("why not")] == [1, 1, 1]
    author.ok("updateQaQuestion", questionId=id, title="Why milk?")
    assert [found("tea"), found("coffee"), found("milk")] == [0, 1, 1]
    author.ok("updateQaQuestion", questionId=id, content="Not tea.")
    assert [found("tea"), found("coffee"), found("milk")] == [1, 0, 1]
    assert author.user_errors("updateQaQuestion", questionId=id, content="") == [("REQUIRED", "content")]
    assert [found("tea"), found("milk")] == [1, 1]
    assert counter_drift(service.database) == []
    author.ok("deleteQaQuestion", questionId=id)
    assert found("milk") == 0
    assert row_count(service.database, QAQuestionTerm) == 0


def test_search_results_are_ordered_filtered_and_paginated(
    course: DiscussionCourse, as_user: AsUser, make: Factories
) -> None:
    for number, votes in enumerate((1, 0, 2, 1)):
        question = course.question(title=f"{number}", content="The needle", vote_count=votes)
        course.question(title="other", content="The hay", vote_count=votes)
        if number < 2:
            make.answer(course.instructor, question, is_instructor_answer=True)
    client = as_user("answerer")
    for arguments, expected in (
        ({}, "3210"),
        ({"orderBy": "OLDEST"}, "0123"),
        ({"orderBy": "MOST_VOTED"}, "2301"),
        ({"isAnswered": True}, "10"),
        ({"isAnswered": False, "orderBy": "OLDEST"}, "23"),
    ):
        page = search(client, course, "the needle", first=1, **arguments)
        assert page["totalCount"] == len(expected)
        rest = search(client, course, "the needle", after=page["pageInfo"]["endCursor"], **arguments)
        assert "".join([*titles(page), *titles(rest)]) == expected
        start = rest["pageInfo"]["startCursor"]
        assert titles(search(client, course, "the needle", last=5, before=start, **arguments)) == [expected[0]]


def test_search_has_the_access_of_lectures(course: DiscussionCourse, as_user: AsUser, make: Factories) -> None:
    make.question(course.asker, course.preview, title="needle in a preview")
    course.question(title="needle")
    for viewer, expected in (
        ("anonymous", ["needle in a preview"]),
        ("cancelled", ["needle in a preview"]),
        ("other_instructor", ["needle in a preview"]),
        ("learner", ["needle", "needle in a preview"]),
        ("instructor", ["needle", "needle in a preview"]),
        ("admin", ["needle", "needle in a preview"]),
    ):
        page = search(as_user(viewer), course, "needle")
        assert (titles(page), page["totalCount"]) == (expected, len(expected)), viewer


def test_wrong_terms_are_found_and_repaired(course: DiscussionCourse, service: Service, make: Factories) -> None:
    for title in ("one", "two", "three"):
        course.question(title=title)
    questions = QAQuestionTerm.question_id
    execute(service.database, delete(QAQuestionTerm).where(QAQuestionTerm.term == "one"))
    execute(service.database, update(QAQuestionTerm).where(QAQuestionTerm.term == "two").values(term="too"))
    last = make.question(course.asker, course.lecture, title="four")
    other = make.course().row.id
    execute(service.database, update(QAQuestionTerm).where(questions == last.id).values(course_id=other))
    assert counter_drift(service.database) == ["qa_question_terms: wrong for 3 questions"]
    assert service.database.write_sync(counters.repair_counters) == ["qa_question_terms: 3 questions repaired"]
    assert counter_drift(service.database) == []
    assert row_count(service.database, QAQuestionTerm, QAQuestionTerm.term == "too") == 0


COURSES = """query T($first: Int!) {
  courses(first: $first, orderBy: OLDEST) {
    nodes { qaQuestions(search: "needle", first: 2) { totalCount nodes { title } } }
  }
}"""


@pytest.mark.query_budget
def test_statement_count_of_searches_is_independent_of_course_count(
    client: Client, make: Factories, statements: StatementRecorder
) -> None:
    asker = make.user()
    for number in range(3):
        course = make.course()
        for title in ("needle", "hay", *["needle"] * number):
            make.question(asker, course.lectures[0], title=title)
    for first in (1, 3):
        with statements:
            data = client.execute(COURSES, first=first)
        pages = [course["qaQuestions"] for course in data["courses"]["nodes"]]
        expected = [(1, 1), (2, 2), (3, 2)][:first]
        assert [(page["totalCount"], len(page["nodes"])) for page in pages] == expected
        assert all(question["title"] == "needle" for page in pages for question in page["nodes"])
        assert statements.count == 3, "courses, pages and counts"
