"""Lists of courses: filters, sort orders and pagination, at the root and nested."""

import itertools
import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

import pytest

from lms_graphql.catalog.models import CourseStatus, DifficultyLevel
from lms_graphql.core.actor import Role
from tests.factories import Factories, global_id
from tests.live_service import Client, StatementRecorder
from tests.row_writer import START

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
ORDERS = ["NEWEST", "OLDEST", "TITLE", "PRICE_LOW_TO_HIGH", "PRICE_HIGH_TO_LOW", "MOST_ENROLLED", "RECENTLY_UPDATED"]


def cursor(*parts: Any) -> str:
    """Return a forged cursor with these values."""
    return urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


def titles(client: Client, **variables: Any) -> list[str]:
    return [node["title"] for node in client.execute(COURSES, **variables)["courses"]["nodes"]]


@pytest.fixture
def seven_courses(make: Factories) -> None:
    """Create seven courses with ties in every sort order."""
    prices = [(0, "USD"), (1999, "USD"), (1999, "USD"), (999, "USD"), (1500, "JPY"), (900, "EUR"), (0, "USD")]
    course_titles = ["delta", "Alpha", "charlie", "Écho", "bravo", "alpha", "Bravo 2"]
    for title, (price, currency), enrollments in zip(course_titles, prices, [3, 1, 3, 0, 9, 1, 3], strict=True):
        updated_at = START + timedelta(days=enrollments)
        make.course(title, price=price, currency=currency, enrollment_count=enrollments, updated_at=updated_at)


@pytest.mark.usefixtures("seven_courses")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_in_both_directions_cover_the_list(client: Client, order: str, size: int) -> None:
    all_titles = titles(client, orderBy=order, first=100)
    assert len(all_titles) == 7
    forward: list[str] = []
    after = None
    for _ in range(10):
        page = client.execute(COURSES, orderBy=order, first=size, after=after)["courses"]
        forward += [node["title"] for node in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert forward == all_titles
    backward: list[str] = []
    before = None
    for _ in range(10):
        page = client.execute(COURSES, orderBy=order, last=size, before=before)["courses"]
        backward = [node["title"] for node in page["nodes"]] + backward
        assert page["pageInfo"]["hasNextPage"] is (before is not None)
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert backward == all_titles


@pytest.mark.usefixtures("seven_courses")
def test_orders_sort_as_documented(client: Client) -> None:
    by_creation = ["delta", "Alpha", "charlie", "Écho", "bravo", "alpha", "Bravo 2"]
    assert titles(client, orderBy="OLDEST") == by_creation
    assert titles(client, orderBy="NEWEST") == titles(client) == by_creation[::-1]
    assert titles(client, orderBy="TITLE") == ["Alpha", "alpha", "bravo", "Bravo 2", "charlie", "delta", "Écho"]
    by_price = ["alpha", "bravo", "delta", "Bravo 2", "Écho", "Alpha", "charlie"]
    assert titles(client, orderBy="PRICE_LOW_TO_HIGH") == by_price
    assert titles(client, orderBy="PRICE_HIGH_TO_LOW") == by_price[::-1]
    assert titles(client, orderBy="MOST_ENROLLED")[:4] == ["bravo", "Bravo 2", "charlie", "delta"]
    by_update = ["bravo", "Bravo 2", "charlie", "delta", "alpha", "Alpha", "Écho"]
    assert titles(client, orderBy="RECENTLY_UPDATED") == by_update


def test_recently_updated_order_follows_the_curriculum_but_not_enrollments(client: Client, make: Factories) -> None:
    instructor, learner = make.user(Role.INSTRUCTOR), make.user()
    courses = {
        name: make.course(
            name, instructor=instructor, status=CourseStatus.ARCHIVED, updated_at=START + timedelta(days)
        )
        for days, name in enumerate(("first", "second", "third"))
    }
    actor, archived = make.actor(instructor), {"status": "ARCHIVED"}
    recent = {"orderBy": "RECENTLY_UPDATED", "filter": archived, "as_": actor}
    assert titles(client, **recent) == ["third", "second", "first"]
    grant = "mutation G($input: GrantEnrollmentInput!) { grantEnrollment(input: $input) { errors { code } } }"
    enrollment = {"userId": global_id("User", learner), "courseId": courses["first"].global_id}
    assert client.execute(grant, as_=actor, input=enrollment)["grantEnrollment"]["errors"] == []
    assert titles(client, **recent) == ["third", "second", "first"]
    rename = "mutation R($input: UpdateLectureInput!) { updateLecture(input: $input) { errors { code } } }"
    change = {"lectureId": global_id("Lecture", courses["first"].lectures[0]), "title": "New"}
    assert client.execute(rename, as_=actor, input=change)["updateLecture"]["errors"] == []
    assert titles(client, **recent) == ["first", "third", "second"]


@pytest.mark.usefixtures("seven_courses")
def test_after_and_before_can_be_combined(client: Client) -> None:
    edges = client.execute(COURSES, orderBy="TITLE")["courses"]["edges"]
    after, before = edges[1]["cursor"], edges[5]["cursor"]
    page = client.execute(COURSES, orderBy="TITLE", first=2, after=after, before=before)["courses"]
    assert [node["title"] for node in page["nodes"]] == ["bravo", "Bravo 2"]
    assert page["pageInfo"]["hasNextPage"] is True
    page = client.execute(COURSES, orderBy="TITLE", last=2, after=after, before=before)["courses"]
    assert [node["title"] for node in page["nodes"]] == ["Bravo 2", "charlie"]
    assert page["totalCount"] == 7


def test_default_page_size_is_twenty(client: Client, make: Factories) -> None:
    instructor = make.user(Role.INSTRUCTOR)
    for _ in range(21):
        make.course(instructor=instructor, lectures=0)
    page = client.execute(COURSES)["courses"]
    assert len(page["nodes"]) == 20
    assert page["pageInfo"]["hasNextPage"] is True


@pytest.mark.sqlite_only
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
def test_invalid_arguments_are_rejected(client: Client, variables: Any, code: str) -> None:
    assert client.error_codes(COURSES, **variables) == [code]


@pytest.mark.usefixtures("seven_courses")
def test_cursor_of_another_order_or_list_is_rejected(client: Client, make: Factories) -> None:
    cursor = client.execute(COURSES, orderBy="TITLE", first=1)["courses"]["pageInfo"]["endCursor"]
    assert client.error_codes(COURSES, orderBy="NEWEST", after=cursor) == ["BAD_CURSOR"]
    category = make.category("Elsewhere")
    nested = """
      query C($slug: String!, $after: String) {
        category(slug: $slug) { courses(orderBy: TITLE, after: $after) { nodes { id } } }
      }
    """
    assert client.error_codes(nested, slug=category.slug, after=cursor) == ["BAD_CURSOR"]


def test_filters_select_matching_courses(client: Client, make: Factories) -> None:
    code = make.category("Code")
    python = make.category("Python", parent=code)
    other = make.category("Other")
    instructor = make.user(Role.INSTRUCTOR)
    make.course("in code", category=code, language="de")
    make.course("in python", category=python, difficulty_level=DifficultyLevel.ADVANCED, is_featured=True)
    make.course("elsewhere", category=other, price=2000, instructor=instructor)
    make.course("in euro", category=other, price=2000, currency="EUR")

    def matches(**filter: Any) -> set[str]:
        return set(titles(client, filter=filter))

    assert matches(categoryId=global_id("Category", code)) == {"in code", "in python"}
    assert matches(categoryId=global_id("Category", python)) == {"in python"}
    assert matches(instructorId=global_id("User", instructor)) == {"elsewhere"}
    assert matches(difficulty="ADVANCED") == {"in python"}
    assert matches(language="de") == matches(language=" de ") == {"in code"}
    assert matches(isFeatured=True) == {"in python"}
    assert matches(isFree=True) == {"in code", "in python"}
    assert matches(isFree=False) == {"elsewhere", "in euro"}
    assert matches(minPrice="19.99") == {"elsewhere"}
    assert matches(minPrice="19.99", currency="EUR") == {"in euro"}
    assert matches(minPrice=0, maxPrice=20) == {"in code", "in python", "elsewhere"}
    assert matches(categoryId=global_id("Category", other), isFree=True) == set()
    assert matches(categoryId=global_id("User", instructor)) == set()
    assert matches(instructorId="nonsense") == set()


def test_statuses_list_unpublished_courses_of_everybody_for_super_admins(client: Client, make: Factories) -> None:
    owner, colleague = make.user(Role.INSTRUCTOR), make.user(Role.INSTRUCTOR)
    for instructor in (owner, colleague):
        for status in CourseStatus:
            make.course(f"{status} {instructor.id}", instructor=instructor, status=status)
    both = {"statuses": ["ARCHIVED", "DRAFT"]}
    everybody = {f"{status} {user.id}" for status in ("draft", "archived") for user in (owner, colleague)}
    expected = {
        make.user(Role.SUPER_ADMIN): everybody,
        owner: {f"draft {owner.id}", f"archived {owner.id}"},
        make.user(): set(),
    }
    for user, found in expected.items():
        document = "query C($filter: CourseFilter) { courses(filter: $filter) { totalCount nodes { title } } }"
        courses = client.execute(document, as_=make.actor(user), filter=both)["courses"]
        assert {course["title"] for course in courses["nodes"]} == found
        assert courses["totalCount"] == len(found)
    assert len(titles(client, filter={"statuses": ["DRAFT", "PUBLISHED"], "status": "PUBLISHED"})) == 2
    assert titles(client, filter={"statuses": []}) == []


def test_language_filter_ignores_case_and_finds_regions(client: Client, make: Factories) -> None:
    for tag in ("en", "en-US", "en-GB", "eng", "zh-Hant", "zh-Hant-TW", "zh-Hans"):
        make.course(tag, language=tag)

    def matches(**filter: Any) -> set[str]:
        return set(titles(client, filter=filter))

    assert matches(language="en") == matches(language="EN") == {"en", "en-US", "en-GB"}
    assert matches(language="en-us") == {"en-US"}
    assert matches(language="zh-hant") == {"zh-Hant", "zh-Hant-TW"}
    assert matches(languages=["ENG", "zh-HANS", "nonsense!"]) == {"eng", "zh-Hans"}
    assert matches(languages=["en", "eng"], language="en-GB") == {"en-GB"}
    assert matches(languages=[]) == matches(language="") == matches(language="en-") == matches(language="%") == set()
    too_many = "query C($filter: CourseFilter) { courses(filter: $filter) { totalCount } }"
    assert client.error_codes(too_many, filter={"languages": ["en"] * 21}) == ["BAD_USER_INPUT"]


def test_titles_sort_without_strokes(client: Client, make: Factories) -> None:
    for title in ("Zebra", "Łódź", "Mango", "Lorry"):
        make.course(title)
    assert titles(client, orderBy="TITLE") == ["Łódź", "Lorry", "Mango", "Zebra"]


def test_slug_with_trailing_space_does_not_match(client: Client, make: Factories) -> None:
    course, category = make.course(), make.category()
    document = """query S($course: String!, $category: String!) {
      course(slug: $course) { title }
      category(slug: $category) { name }
    }"""
    exact = client.execute(document, course=course.slug, category=category.slug)
    assert exact["course"] is not None
    assert exact["category"] is not None
    with_space = client.execute(document, course=f"{course.slug} ", category=f"{category.slug} ")
    assert with_space == {"course": None, "category": None}


@pytest.mark.query_budget
def test_total_count_is_queried_only_when_selected(
    client: Client, make: Factories, statements: StatementRecorder
) -> None:
    make.course()
    with statements:
        client.execute("{ courses { nodes { title } pageInfo { hasNextPage } } }")
    assert statements.count == 1
    with statements:
        assert client.execute("{ courses { totalCount nodes { title } } }")["courses"]["totalCount"] == 1
    assert statements.count == 2


@pytest.mark.query_budget
def test_nested_pages_take_one_statement_for_all_parents(
    client: Client, make: Factories, statements: StatementRecorder
) -> None:
    root = make.category("Root")
    child_categories = [make.category(f"Child {number}", parent=root) for number in range(3)]
    for number, category in itertools.product(range(3), child_categories):
        make.course(f"{category.name} {number}", category=category, lectures=0)
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
        category_node = client.execute(document, first=2)["category"]
    assert (
        statements.count == 10
    )  # two levels of categories, their pages, three counts, and the tree for each of these
    assert category_node["courseCount"] == 9
    for child in category_node["children"]:
        assert child["courseCount"] == child["courses"]["totalCount"] == 3
        assert [node["title"] for node in child["courses"]["nodes"]] == [f"{child['name']} 0", f"{child['name']} 1"]
        assert child["courses"]["pageInfo"]["hasNextPage"] is True
    cursor = category_node["children"][1]["courses"]["pageInfo"]["endCursor"]
    children = client.execute(document, first=5, after=cursor)["category"]["children"]
    assert [len(child["courses"]["nodes"]) for child in children] == [1, 1, 2]


def test_category_courses_cannot_be_sorted_by_relevance(client: Client, make: Factories) -> None:
    make.category("Art")
    document = '{ category(slug: "art") { courses(orderBy: RELEVANCE) { nodes { id } } } }'
    assert client.error_codes(document) == ["BAD_USER_INPUT"]


def test_user_courses_hide_unpublished_ones_from_others(client: Client, make: Factories) -> None:
    instructor = make.user(Role.INSTRUCTOR)
    make.course("first", instructor=instructor)
    make.course("second", instructor=instructor)
    make.course("hidden", instructor=instructor, status=CourseStatus.DRAFT)
    make.course("old", instructor=instructor, status=CourseStatus.ARCHIVED)
    document = "query T($id: ID!) { node(id: $id) { ... on User { courses { totalCount nodes { title } } } } }"
    id = global_id("User", instructor)
    anonymous = client.execute(document, id=id)["node"]["courses"]
    assert [node["title"] for node in anonymous["nodes"]] == ["second", "first"]
    assert anonymous["totalCount"] == 2
    own_courses = client.execute(document, as_=make.actor(instructor), id=id)["node"]["courses"]
    assert own_courses["totalCount"] == 4


@pytest.mark.query_budget
def test_category_tree_is_ordered_by_name(client: Client, make: Factories, statements: StatementRecorder) -> None:
    root = make.category("Zoology")
    make.category("art")
    bees = make.category("Bees", parent=root)
    make.category("Ants", parent=root)
    make.category("Honey", parent=bees)
    with statements:
        data = client.execute("""{
          categories { name }
          category(slug: "zoology") { children { name children { name ancestors { name } parent { slug } } } }
        }""")
    assert [category["name"] for category in data["categories"]] == ["art", "Zoology"]
    ants_node, bees_node = data["category"]["children"]
    assert (ants_node["name"], bees_node["name"]) == ("Ants", "Bees")
    honey_node = bees_node["children"][0]
    assert [category["name"] for category in honey_node["ancestors"]] == ["Zoology", "Bees"]
    assert honey_node["parent"] == {"slug": "bees"}
    assert statements.count <= 6
