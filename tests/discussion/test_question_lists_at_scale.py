"""Lists and searches of thousands of questions: every page uses an index."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from lms_graphql.discussion.models import QAQuestion, QAQuestionTerm
from lms_graphql.discussion.search_index import question_terms
from tests.catalog.test_course_lists_at_scale import query_plan
from tests.factories import Factories, global_id
from tests.live_service import Client, Service, StatementRecorder
from tests.row_writer import START

pytestmark = pytest.mark.slow

QUESTIONS = 3_000
PAGE = """query Q($ids: [ID!]!, $orderBy: QAOrder, $search: String) {
  nodes(ids: $ids) { ... on Course {
    qaQuestions(orderBy: $orderBy, search: $search, first: 5) { nodes { title } }
  } }
}"""


@pytest.fixture(scope="module")
def service(running_service: Service) -> Service:
    """Return the service with one database for all tests of the module, which only read it."""
    running_service.delete_all_rows()
    return running_service


@pytest.fixture(scope="module")
def course_ids(service: Service) -> list[str]:
    """Create a course with half of the questions, and ten courses with the other half. Return their ids."""
    make = Factories(service.database)
    courses = [make.course() for _ in range(11)]
    asker = make.user()
    questions, terms = [], []
    for key in range(1, QUESTIONS + 1):
        lecture = courses[0 if key % 2 else 1 + key % 10].lectures[0]
        title, content = f"How to solve exercise {key}?", f"Step {key % 17} fails in topic{key % 300}."
        keys = {"course_id": lecture.course_id, "lecture_id": lecture.id, "user_id": asker.id}
        times = {"created_at": START + timedelta(minutes=key), "updated_at": START}
        questions.append({"id": key, **keys, **times, "title": title, "content": content, "vote_count": key % 23})
        row = {"course_id": lecture.course_id, "question_id": key}
        terms += [{**row, "term": term} for term in question_terms(title, content)]
    with service.engine.begin() as connection:
        connection.execute(insert(QAQuestion), questions)
        connection.execute(insert(QAQuestionTerm), terms)
    with service.engine.begin() as connection:
        for table in ("qa_questions", "qa_question_terms", "lectures"):
            connection.execute(text(f"ANALYZE {'' if service.database.is_sqlite else 'TABLE '}{table}"))
    return [global_id("Course", course.row) for course in courses]


def plan_of(client: Client, service: Service, statements: StatementRecorder, **variables: Any) -> str:
    """Return the plan of the page's statement."""
    with statements:
        assert client.execute(PAGE, **variables)["nodes"][0]["qaQuestions"]["nodes"]
    return query_plan(service, statements.texts[1], statements.parameters[1])


def test_each_order_of_a_course_uses_its_index(
    client: Client, service: Service, statements: StatementRecorder, course_ids: list[str]
) -> None:
    for order, column in (("NEWEST", "created_at"), ("OLDEST", "created_at"), ("MOST_VOTED", "vote_count")):
        plan = plan_of(client, service, statements, ids=course_ids[:1], orderBy=order)
        assert f"ix_qa_questions_course_id_{column}_id" in plan, plan
        assert "TEMP B-TREE" not in plan
        assert "filesort" not in plan


@pytest.mark.parametrize("search", ["topic77", "how to sol", "exercise 12", "s"])
def test_search_uses_the_term_index(
    client: Client, service: Service, statements: StatementRecorder, course_ids: list[str], search: str
) -> None:
    for ids in (course_ids[:1], course_ids):
        plan = plan_of(client, service, statements, ids=ids, search=search)
        assert "SCAN qa_question_terms" not in plan, plan
        assert "SCAN qa_questions" not in plan, plan
        if service.database.is_sqlite:
            assert "SEARCH qa_question_terms USING PRIMARY KEY (course_id=? AND term" in plan
        else:
            assert "'ALL', None" not in plan
