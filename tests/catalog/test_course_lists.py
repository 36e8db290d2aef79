"""Lists of courses: filters, orders, pages in both directions, at the root and nested."""

import itertools
import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from lms_graphql.catalog.models import CourseStatus, DifficultyLevel
from lms_graphql.core.actor import Role
from tests.factories import Factories, global_id
from tests.live_service import Client, Statements

COURSES = """
query Courses(
  $filter: CourseFilter, $search: String, $orderBy: CourseOrder,
  $first: Int, $after: String, $last: Int, $before: String
) {
  courses(
    filter: $filter, search: $search, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before
  ) {
    edges { cursor node { title } }
    nodes { title }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}
"""
ORDERS = ["NEWEST", "OLDEST", "TITLE", "PRICE_LOW_TO_HIGH", "PRICE_HIGH_TO_LOW", "MOST_ENROLLED"]


def cursor(*parts: Any) -> str:
    """One that only someone who reads the code would make."""
    return urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


def titles(client: Client, **variables: Any) -> list[str]:
    return [node["title"] for node in client.execute(COURSES, **variables)["courses"]["nodes"]]


@pytest.fixture
def shelf(make: Factories) -> None:
    """Seven courses with ties in every order."""
    prices = [(0, "USD"), (1999, "USD"), (1999, "USD"), (999, "USD"), (1500, "JPY"), (900, "EUR"), (0, "USD")]
    names = ["delta", "Alpha", "charlie", "Écho", "bravo", "alpha", "Bravo 2"]
    for name, (price, currency), enrolled in zip(names, prices, [3, 1, 3, 0, 9, 1, 3], strict=True):
        make.course(name, price=price, currency=currency, enrollment_count=enrolled)


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_put_together_are_the_list_in_both_directions(client: Client, order: str, size: int) -> None:
    whole = titles(client, orderBy=order, first=100)
    assert len(whole) == 7
    forward: list[str] = []
    after = None
    for _ in range(10):
        page = client.execute(COURSES, orderBy=order, first=size, after=after)["courses"]
        forward += [node["title"] for node in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert forward == whole
    backward: list[str] = []
    before = None
    for _ in range(10):
        page = client.execute(COURSES, orderBy=order, last=size, before=before)["courses"]
        backward = [node["title"] for node in page["nodes"]] + backward
        assert page["pageInfo"]["hasNextPage"] is (before is not None)
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert backward == whole


@pytest.mark.usefixtures("shelf")
def test_each_order_sorts_by_what_it_says(client: Client) -> None:
    created = ["delta", "Alpha", "charlie", "Écho", "bravo", "alpha", "Bravo 2"]
    assert titles(client, orderBy="OLDEST") == created
    assert titles(client, orderBy="NEWEST") == titles(client) == created[::-1]
    assert titles(client, orderBy="TITLE") == ["Alpha", "alpha", "bravo", "Bravo 2", "charlie", "delta", "Écho"]
    cheap = ["alpha", "bravo", "delta", "Bravo 2", "Écho", "Alpha", "charlie"]
    assert titles(client, orderBy="PRICE_LOW_TO_HIGH") == cheap
    assert titles(client, orderBy="PRICE_HIGH_TO_LOW") == cheap[::-1]
    assert titles(client, orderBy="MOST_ENROLLED")[:4] == ["bravo", "Bravo 2", "charlie", "delta"]


@pytest.mark.usefixtures("shelf")
def test_after_and_before_bound_a_page_together(client: Client) -> None:
    edges = client.execute(COURSES, orderBy="TITLE")["courses"]["edges"]
    after, before = edges[1]["cursor"], edges[5]["cursor"]
    page = client.execute(COURSES, orderBy="TITLE", first=2, after=after, before=before)["courses"]
    assert [node["title"] for node in page["nodes"]] == ["bravo", "Bravo 2"]
    assert page["pageInfo"]["hasNextPage"] is True
    page = client.execute(COURSES, orderBy="TITLE", last=2, after=after, before=before)["courses"]
    assert [node["title"] for node in page["nodes"]] == ["Bravo 2", "charlie"]
    assert page["totalCount"] == 7


def test_twenty_are_answered_where_no_size_is_given(client: Client, make: Factories) -> None:
    teacher = make.user(Role.INSTRUCTOR)
    for _ in range(21):
        make.course(instructor=teacher, lectures=0)
    page = client.execute(COURSES)["courses"]
    assert len(page["nodes"]) == 20
    assert page["pageInfo"]["hasNextPage"] is True


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"first": 0}, "BAD_USER_INPUT"),
        ({"first": 101}, "BAD_USER_INPUT"),
        ({"first": -1}, "BAD_USER_INPUT"),
        ({"last": 0}, "BAD_USER_INPUT"),
        ({"first": 1, "last": 1}, "BAD_USER_INPUT"),
        ({"after": "nonsense"}, "BAD_CURSOR"),
        ({"after": ""}, "BAD_CURSOR"),
        ({"before": "W10"}, "BAD_CURSOR"),
        ({"after": cursor("courses:newest", "0001-01-01T00:00:00+23:59", 1)}, "BAD_CURSOR"),
        ({"after": cursor("courses:newest", "2026-01-01T00:00:00", 1)}, "BAD_CURSOR"),
        ({"after": cursor("courses:newest", 5, 1)}, "BAD_CURSOR"),
        ({"after": cursor("courses:newest", "2026-01-01T00:00:00Z", 1.5)}, "BAD_CURSOR"),
        ({"after": cursor("courses:newest", "2026-01-01T00:00:00Z", 2**63)}, "BAD_CURSOR"),
        ({"after": cursor("courses:newest", "2026-01-01T00:00:00Z")}, "BAD_CURSOR"),
        ({"after": "é"}, "BAD_CURSOR"),
        ({"orderBy": "RELEVANCE"}, "BAD_USER_INPUT"),
        ({"search": "   ", "orderBy": "RELEVANCE"}, "BAD_USER_INPUT"),
        ({"search": "a" * 201}, "BAD_USER_INPUT"),
        ({"filter": {"minPrice": "9.999"}}, "BAD_USER_INPUT"),
        ({"filter": {"currency": "XXX"}}, "BAD_USER_INPUT"),
        ({"filter": {"minPrice": 9.5}}, "BAD_USER_INPUT"),
        ({"filter": {"minPrice": "-0"}}, "BAD_USER_INPUT"),
        ({"filter": {"minPrice": "1e3"}}, "BAD_USER_INPUT"),
        ({"filter": {"minPrice": "NaN"}}, "BAD_USER_INPUT"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused_with_a_code(client: Client, variables: Any, code: str) -> None:
    assert client.error_codes(COURSES, **variables) == [code]


@pytest.mark.usefixtures("shelf")
def test_a_cursor_of_another_order_or_list_is_refused(client: Client, make: Factories) -> None:
    cursor = client.execute(COURSES, orderBy="TITLE", first=1)["courses"]["pageInfo"]["endCursor"]
    assert client.error_codes(COURSES, orderBy="NEWEST", after=cursor) == ["BAD_CURSOR"]
    category = make.category("Elsewhere")
    nested = """
      query C($slug: String!, $after: String) {
        category(slug: $slug) { courses(orderBy: TITLE, after: $after) { nodes { id } } }
      }
    """
    assert client.error_codes(nested, slug=category.slug, after=cursor) == ["BAD_CURSOR"]


def test_filters_leave_what_was_asked_for(client: Client, make: Factories) -> None:
    code = make.category("Code")
    python = make.category("Python", parent=code)
    other = make.category("Other")
    teacher = make.user(Role.INSTRUCTOR)
    make.course("in code", category=code, language="de")
    make.course("in python", category=python, difficulty_level=DifficultyLevel.ADVANCED, is_featured=True)
    make.course("elsewhere", category=other, price=2000, instructor=teacher)
    make.course("in euro", category=other, price=2000, currency="EUR")

    def found(**asked: Any) -> set[str]:
        return set(titles(client, filter=asked))

    assert found(categoryId=global_id("Category", code)) == {"in code", "in python"}
    assert found(categoryId=global_id("Category", python)) == {"in python"}
    assert found(instructorId=global_id("User", teacher)) == {"elsewhere"}
    assert found(difficulty="ADVANCED") == {"in python"}
    assert found(language="de") == found(language=" de ") == {"in code"}
    assert found(isFeatured=True) == {"in python"}
    assert found(isFree=True) == {"in code", "in python"}
    assert found(isFree=False) == {"elsewhere", "in euro"}
    assert found(minPrice="19.99") == {"elsewhere"}
    assert found(minPrice="19.99", currency="EUR") == {"in euro"}
    assert found(minPrice=0, maxPrice=20) == {"in code", "in python", "elsewhere"}
    assert found(categoryId=global_id("Category", other), isFree=True) == set()
    assert found(categoryId=global_id("User", teacher)) == set()
    assert found(instructorId="nonsense") == set()


def test_a_slug_with_a_space_behind_it_is_another_one(client: Client, make: Factories) -> None:
    course, category = make.course(), make.category()
    document = """query S($course: String!, $category: String!) {
      course(slug: $course) { title }
      category(slug: $category) { name }
    }"""
    there = client.execute(document, course=course.slug, category=category.slug)
    assert there["course"] is not None
    assert there["category"] is not None
    other = client.execute(document, course=f"{course.slug} ", category=f"{category.slug} ")
    assert other == {"course": None, "category": None}


def test_total_count_is_worked_out_only_when_asked_for(
    client: Client, make: Factories, statements: Statements
) -> None:
    make.course()
    with statements:
        client.execute("{ courses { nodes { title } pageInfo { hasNextPage } } }")
    assert statements.count == 1
    with statements:
        assert client.execute("{ courses { totalCount nodes { title } } }")["courses"]["totalCount"] == 1
    assert statements.count == 2


def test_nested_pages_are_one_statement_for_all_parents(
    client: Client, make: Factories, statements: Statements
) -> None:
    root = make.category("Root")
    shelves = [make.category(f"Shelf {number}", parent=root) for number in range(3)]
    for number, shelf in itertools.product(range(3), shelves):
        make.course(f"{shelf.name} {number}", category=shelf, lectures=0)
    document = """
      query Nested($first: Int, $after: String) {
        category(slug: "root") {
          courseCount
          children { name courseCount courses(first: $first, after: $after, orderBy: OLDEST) {
            totalCount nodes { title } pageInfo { hasNextPage endCursor } } }
        }
      }
    """
    with statements:
        category = client.execute(document, first=2)["category"]
    assert statements.count == 6  # two levels of categories, their pages, and three counts
    assert category["courseCount"] == 9
    for child in category["children"]:
        assert child["courseCount"] == child["courses"]["totalCount"] == 3
        assert [node["title"] for node in child["courses"]["nodes"]] == [f"{child['name']} 0", f"{child['name']} 1"]
        assert child["courses"]["pageInfo"]["hasNextPage"] is True
    cursor = category["children"][1]["courses"]["pageInfo"]["endCursor"]
    children = client.execute(document, first=5, after=cursor)["category"]["children"]
    assert [len(child["courses"]["nodes"]) for child in children] == [1, 1, 2]


def test_a_category_has_no_search_to_sort_by(client: Client, make: Factories) -> None:
    make.category("Shelf")
    document = '{ category(slug: "shelf") { courses(orderBy: RELEVANCE) { nodes { id } } } }'
    assert client.error_codes(document) == ["BAD_USER_INPUT"]


def test_what_someone_teaches_is_a_list_of_theirs(client: Client, make: Factories) -> None:
    teacher = make.user(Role.INSTRUCTOR)
    make.course("first", instructor=teacher)
    make.course("second", instructor=teacher)
    make.course("hidden", instructor=teacher, status=CourseStatus.DRAFT)
    make.course("old", instructor=teacher, status=CourseStatus.ARCHIVED)
    document = "query T($id: ID!) { node(id: $id) { ... on User { courses { totalCount nodes { title } } } } }"
    anonymous = client.execute(document, id=global_id("User", teacher))["node"]["courses"]
    assert [node["title"] for node in anonymous["nodes"]] == ["second", "first"]
    assert anonymous["totalCount"] == 2
    own = client.execute(document, as_=make.actor(teacher), id=global_id("User", teacher))["node"]["courses"]
    assert own["totalCount"] == 4


def test_categories_form_a_tree_in_name_order(client: Client, make: Factories, statements: Statements) -> None:
    root = make.category("Zoology")
    make.category("art")
    bees = make.category("Bees", parent=root)
    make.category("Ants", parent=root)
    make.category("Honey", parent=bees)
    with statements:
        answer = client.execute("""{
          categories { name }
          category(slug: "zoology") { children { name children { name ancestors { name } parent { slug } } } }
        }""")
    assert [category["name"] for category in answer["categories"]] == ["art", "Zoology"]
    ants, bees_answer = answer["category"]["children"]
    assert (ants["name"], bees_answer["name"]) == ("Ants", "Bees")
    honey = bees_answer["children"][0]
    assert [category["name"] for category in honey["ancestors"]] == ["Zoology", "Bees"]
    assert honey["parent"] == {"slug": "bees"}
    assert statements.count <= 6
