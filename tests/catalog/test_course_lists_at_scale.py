"""Lists of a thousand courses: every page and search is served by an index, and quickly."""

import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from lms_graphql.catalog.models import Course, CourseStatus, CourseTerm, DifficultyLevel
from lms_graphql.catalog.search_index import term_weights
from lms_graphql.core.actor import Role
from lms_graphql.core.text import sort_key
from tests.factories import START, Factories
from tests.live_service import Client, Service, Statements

pytestmark = [pytest.mark.slow, pytest.mark.alone]

COURSES = 1_000
PAGE = """
query Page($orderBy: CourseOrder, $search: String, $first: Int, $last: Int, $filter: CourseFilter) {
  courses(orderBy: $orderBy, search: $search, first: $first, last: $last, filter: $filter) { nodes { id title } }
}
"""
INDEX_OF = {
    "NEWEST": "ix_courses_status_created_at_id",
    "OLDEST": "ix_courses_status_created_at_id",
    "TITLE": "ix_courses_status_title_key_id",
    "PRICE_LOW_TO_HIGH": "ix_courses_status_currency_price_id",
    "PRICE_HIGH_TO_LOW": "ix_courses_status_currency_price_id",
    "MOST_ENROLLED": "ix_courses_status_enrollment_count_id",
}
SUBJECTS = ["python", "drawing", "accounting", "c#", "cooking", "statistics", "guitar"]


@pytest.fixture
def thousand(make: Factories, service: Service) -> None:
    teacher = make.user(Role.INSTRUCTOR)
    courses, terms = [], []
    for number in range(1, COURSES + 1):
        title = f"How to learn {SUBJECTS[number % 7]}, volume {number}"
        words = f"Lesson {number % 90} of {number % 31} on topic{number}"
        courses.append(
            {
                "id": number,
                "title": title,
                "title_key": sort_key(title),
                "slug": f"course-{number}",
                "description": f"{words}. " * 20,
                "instructor_id": teacher.id,
                "price": number % 97 * 100,
                "currency": "USD",
                "status": CourseStatus.PUBLISHED,
                "difficulty_level": DifficultyLevel.BEGINNER,
                "language": "en",
                "enrollment_count": number % 53,
                "created_at": START + timedelta(hours=number),
                "published_at": START + timedelta(hours=number),
            }
        )
        found = term_weights(title, None, words)
        terms += [{"term": term, "course_id": number, "weight": weight} for term, weight in found.items()]
    with service.engine.begin() as connection:
        connection.execute(insert(Course), courses)
        connection.execute(insert(CourseTerm), terms)
    with service.engine.begin() as connection:
        is_sqlite = service.database.is_sqlite
        for table in ("courses", "course_terms"):
            connection.execute(text(f"ANALYZE {table}" if is_sqlite else f"ANALYZE TABLE {table}"))


def best_of_five(client: Client, **asked: Any) -> float:
    """Seconds of the whole request: other programs of the machine may slow any one of them."""
    took = []
    for _ in range(5):
        started = time.perf_counter()
        client.execute(PAGE, **asked)
        took.append(time.perf_counter() - started)
    return min(took)


def plan_of(service: Service, statement: str, parameters: Any) -> str:
    """What the database says of how it would run a statement that it has just run."""
    explain = "EXPLAIN QUERY PLAN " if service.database.is_sqlite else "EXPLAIN "
    with service.database.reading.connect() as connection:
        rows = connection.exec_driver_sql(explain + statement, parameters).all()
    return " ".join(str(part) for row in rows for part in row)


@pytest.mark.usefixtures("thousand")
def test_every_order_is_read_from_its_index_from_both_ends(
    client: Client, service: Service, statements: Statements
) -> None:
    for order, index in INDEX_OF.items():
        for end in ("first", "last"):
            asked: dict[str, Any] = {"orderBy": order, end: 20}
            with statements:
                assert len(client.execute(PAGE, **asked)["courses"]["nodes"]) == 20
            assert best_of_five(client, **asked) < 0.05, f"{order}, {end}"
            plan = plan_of(service, statements.texts[0], statements.parameters[0])
            assert index in plan, plan
            assert "TEMP B-TREE" not in plan
            assert "filesort" not in plan


@pytest.mark.usefixtures("thousand")
@pytest.mark.parametrize("search", ["how to lear", "c#", "topic77", "volume 1", "l"])
def test_a_search_uses_the_index_of_terms_and_stays_quick(
    client: Client, service: Service, statements: Statements, search: str
) -> None:
    with statements:
        assert client.execute(PAGE, search=search, first=20)["courses"]["nodes"]
    assert best_of_five(client, search=search, first=20) < 0.1
    plan = plan_of(service, statements.texts[0], statements.parameters[0])
    assert "PRIMARY" in plan
    assert "SCAN course_terms" not in plan
