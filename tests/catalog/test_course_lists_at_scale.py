"""Lists of a thousand courses: every page and search uses an index and reads few rows."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from lms_graphql.catalog.models import Course, CourseStatus, CourseTerm, DifficultyLevel
from lms_graphql.catalog.search_index import term_weights
from lms_graphql.core.actor import Role
from lms_graphql.core.text import sort_key
from tests.factories import Factories
from tests.live_service import Client, Service, StatementRecorder
from tests.row_writer import START

pytestmark = pytest.mark.slow

COURSES = 1_000
MAX_ROWS_OF_SEARCH = 6 * COURSES
"""Rows that a search may read if all courses have each of its three words."""
SQLITE_INSTRUCTIONS_OF_A_ROW = 30
"""Instructions of SQLite's virtual machine to read a row and put out some of its columns."""
PAGE = """
query Page($orderBy: CourseOrder, $search: String, $first: Int, $last: Int, $filter: CourseFilter) {
  courses(orderBy: $orderBy, search: $search, first: $first, last: $last, filter: $filter) { nodes { id title } }
}
"""
FACETS = "query F($filter: CourseFilter) { courseFacets(filter: $filter) { totalCount languages { count } } }"
INDEX_OF = {
    "NEWEST": "ix_courses_status_created_at_id",
    "OLDEST": "ix_courses_status_created_at_id",
    "TITLE": "ix_courses_status_title_key_id",
    "PRICE_LOW_TO_HIGH": "ix_courses_status_currency_price_id",
    "PRICE_HIGH_TO_LOW": "ix_courses_status_currency_price_id",
    "MOST_ENROLLED": "ix_courses_status_enrollment_count_id",
    "RECENTLY_UPDATED": "ix_courses_status_updated_at_id",
}
LISTS = """
query Lists($search: String, $orderBy: CourseOrder, $filter: CourseFilter, $withBranches: Boolean = false) {
  courses(search: $search, orderBy: $orderBy, filter: $filter, first: 20) { nodes { id title } }
  categories @include(if: $withBranches) { id courses(first: 4) { nodes { id title } } }
}
"""
SMALL_READS: list[dict[str, Any]] = [
    {"search": "how"},
    {"search": "l"},
    {"search": "topic77"},
    {"search": "how topic77"},
    {"search": "how", "filter": {"categorySlug": "root-1"}},
    {"filter": {"categorySlug": "root-1"}},
    {"filter": {"categorySlug": "leaf-1"}},
    {"filter": {"categorySlug": "small-root"}},
    {"withBranches": True},
]
"""Variables of `LISTS`: words that all courses have, that one has, and branches of many and of few courses."""
SUBJECTS = ["python", "drawing", "accounting", "c#", "cooking", "statistics", "guitar"]


@pytest.fixture(scope="module")
def make(running_service: Service) -> Factories:
    running_service.delete_all_rows()
    return Factories(running_service.database)


@pytest.fixture(scope="module")
def service(running_service: Service, make: Factories) -> Service:
    """Return the service with a thousand courses, which the tests only read."""
    insert_courses(running_service, make)
    return running_service


def insert_courses(service: Service, make: Factories) -> None:
    instructor = make.user(Role.INSTRUCTOR)
    roots = [make.category(f"Root {number}") for number in range(4)]
    categories = [make.category(f"Leaf {number}", parent=roots[number % 4]) for number in range(8)]
    small = make.category("Small leaf", parent=make.category("Small root"))
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
                "instructor_id": instructor.id,
                "category_id": small.id if number % 16 == 0 else categories[number % 8].id,
                "price": number % 97 * 100,
                "currency": "USD",
                "status": CourseStatus.PUBLISHED,
                "difficulty_level": DifficultyLevel.BEGINNER,
                "language": "de-CH" if number % 20 == 0 else "en",
                "enrollment_count": number % 53,
                "created_at": START + timedelta(hours=number),
                "updated_at": START + timedelta(hours=number % 211),
                "published_at": START + timedelta(hours=number),
            }
        )
        weights = term_weights(title, None, words)
        terms += [{"term": term, "course_id": number, "weight": weight} for term, weight in weights.items()]
    with service.engine.begin() as connection:
        connection.execute(insert(Course), courses)
        connection.execute(insert(CourseTerm), terms)
    with service.engine.begin() as connection:
        is_sqlite = service.database.is_sqlite
        for table in ("courses", "course_terms"):
            connection.execute(text(f"ANALYZE {table}" if is_sqlite else f"ANALYZE TABLE {table}"))
    with service.database.read_engine.connect():
        pass  # the first connection of an engine asks the server for its settings


def query_plan(service: Service, statement: str, parameters: Any) -> str:
    """Return the database's query plan of a statement."""
    explain = "EXPLAIN QUERY PLAN " if service.database.is_sqlite else "EXPLAIN "
    with service.database.read_engine.connect() as connection:
        rows = connection.exec_driver_sql(explain + statement, parameters).all()
    return " ".join(str(part) for row in rows for part in row)


def rows_read(service: Service, statement: str, parameters: Any) -> float:
    """Return the number of rows that MariaDB reads for a statement, or an estimate from SQLite's instructions."""
    instructions = 0

    def count() -> None:
        nonlocal instructions
        instructions += 1

    status = "SELECT SUM(variable_value) FROM information_schema.session_status WHERE variable_name LIKE %s"
    with service.database.read_engine.connect() as connection:
        if service.database.is_sqlite:
            driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(count, 1)
            connection.exec_driver_sql(statement, parameters).all()
            driver.set_progress_handler(None, 1)
            return instructions / SQLITE_INSTRUCTIONS_OF_A_ROW
        before = connection.exec_driver_sql(status, ("Handler_read%",)).scalar_one()
        connection.exec_driver_sql(statement, parameters).all()
        return float(connection.exec_driver_sql(status, ("Handler_read%",)).scalar_one() - before)


def test_searches_and_branches_read_few_of_many_courses(
    client: Client, service: Service, statements: StatementRecorder
) -> None:
    for variables in SMALL_READS:
        client.execute(LISTS, **variables)
        with statements:
            assert client.execute(LISTS, **variables)["courses"]["nodes"]
        for statement, parameters in zip(statements.texts, statements.parameters, strict=True):
            assert rows_read(service, statement, parameters) < COURSES / 3, (variables, statement)


def test_each_order_uses_its_index_from_both_ends(
    client: Client, service: Service, statements: StatementRecorder
) -> None:
    for order, index in INDEX_OF.items():
        for end in ("first", "last"):
            variables: dict[str, Any] = {"orderBy": order, end: 20}
            with statements:
                assert len(client.execute(PAGE, **variables)["courses"]["nodes"]) == 20
            assert rows_read(service, statements.texts[0], statements.parameters[0]) < 100, f"{order}, {end}"
            plan = query_plan(service, statements.texts[0], statements.parameters[0])
            assert index in plan, plan
            assert "TEMP B-TREE" not in plan
            assert "filesort" not in plan


def test_cursor_reads_a_range_among_courses_that_tie(
    client: Client, service: Service, statements: StatementRecorder
) -> None:
    """All courses have the same currency, so that only the next columns of the index lead to the cursor."""
    arguments = "orderBy: PRICE_HIGH_TO_LOW, first: 20, after: $after"
    page = f"query ($after: String) {{ courses({arguments}) {{ pageInfo {{ endCursor }} }} }}"
    cursor = None
    for _ in range(40):
        with statements:
            cursor = client.execute(page, after=cursor)["courses"]["pageInfo"]["endCursor"]
    if service.database.is_sqlite:
        assert "currency<?" in query_plan(service, statements.texts[0], statements.parameters[0])
        return
    assert rows_read(service, statements.texts[0], statements.parameters[0]) < 100


def test_list_of_several_statuses_uses_an_index_in_its_order(
    client: Client, make: Factories, service: Service, statements: StatementRecorder
) -> None:
    admin = make.actor(make.user(Role.SUPER_ADMIN))
    with statements:
        client.execute(PAGE, as_=admin, filter={"statuses": ["DRAFT", "PUBLISHED"]}, first=20)
    plan = query_plan(service, statements.texts[0], statements.parameters[0])
    assert "ix_courses_created_at_id" in plan
    assert "TEMP B-TREE" not in plan
    assert "filesort" not in plan


@pytest.mark.parametrize("languages", [{"language": "DE"}, {"languages": ["de"]}])
def test_language_filter_uses_its_index(
    client: Client, service: Service, statements: StatementRecorder, languages: dict[str, Any]
) -> None:
    with statements:
        assert len(client.execute(PAGE, filter=languages, first=20)["courses"]["nodes"]) == 20
    plan = query_plan(service, statements.texts[0], statements.parameters[0])
    assert "ix_courses_status_primary_language_created_at_id" in plan
    assert "TEMP B-TREE" not in plan
    assert "filesort" not in plan


@pytest.mark.parametrize(
    "filter", [{}, {"currency": "USD", "minPrice": "0", "isFeatured": False, "updatedAfter": "2020-01-01T00:00:00Z"}]
)
def test_facets_read_an_index_only(
    client: Client, service: Service, make: Factories, statements: StatementRecorder, filter: dict[str, Any]
) -> None:
    for actor in (None, make.actor(make.user())):
        with statements:
            assert client.execute(FACETS, as_=actor, filter=filter)["courseFacets"]["totalCount"] == COURSES
        plan = query_plan(service, statements.texts[0], statements.parameters[0])
        assert "ix_courses_facets" in plan
        assert "COVERING INDEX" in plan or "Using index" in plan
        assert "TEMP B-TREE" not in plan
        assert "temporary" not in plan


@pytest.mark.parametrize("search", ["how to lear", "c#", "topic77", "volume 1", "l"])
def test_search_uses_the_term_index(
    client: Client, service: Service, statements: StatementRecorder, search: str
) -> None:
    with statements:
        assert client.execute(PAGE, search=search, first=20)["courses"]["nodes"]
    for statement, parameters in zip(statements.texts, statements.parameters, strict=True):
        assert rows_read(service, statement, parameters) < MAX_ROWS_OF_SEARCH
    plan = query_plan(service, statements.texts[-1], statements.parameters[-1])
    assert "PRIMARY" in plan
    assert "SCAN course_terms" not in plan
