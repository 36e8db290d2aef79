"""Facets of the catalog: each value has as many courses as the list finds with it."""

from typing import Any

import pytest

from lms_graphql.catalog.models import CourseStatus, DifficultyLevel, EnrollmentStatus
from lms_graphql.core.actor import Actor, Role
from tests.factories import Factories, global_id
from tests.live_service import Client, StatementRecorder

FACETS = """query F($filter: CourseFilter, $search: String) {
  courseFacets(filter: $filter, search: $search) {
    totalCount freeCount paidCount
    difficulties { difficulty count } languages { language count } categories { count category { id slug } }
  }
}"""


def facets(client: Client, search: str | None = None, as_: Actor | None = None, **filter: Any) -> Any:
    return client.execute(FACETS, filter=filter, search=search, as_=as_)["courseFacets"]


def values(facet: list[dict[str, Any]], name: str) -> list[tuple[str, int]]:
    return [(value[name] if name != "category" else value[name]["slug"], value["count"]) for value in facet]


@pytest.fixture
def catalog(make: Factories) -> None:
    """Create courses in a tree of categories. All values are combined unevenly."""
    instructor = make.user(Role.INSTRUCTOR)
    code, art = make.category("Code"), make.category("Art")
    categories = {"code": code, "python": make.category("Python", parent=code), "art": art}
    for title, category, difficulty, language, price in (
        ("Tea one", "code", DifficultyLevel.BEGINNER, "en", 0),
        ("Tea two", "python", DifficultyLevel.BEGINNER, "en-US", 900),
        ("Tea three", "python", DifficultyLevel.ADVANCED, "de", 0),
        ("Draw", "art", DifficultyLevel.INTERMEDIATE, "en", 500),
        ("Paint", "art", DifficultyLevel.BEGINNER, "pt-BR", 0),
        ("Paint again", "art", DifficultyLevel.ADVANCED, "pt-BR", 100),
    ):
        make.course(
            title,
            instructor=instructor,
            category=categories[category],
            lectures=0,
            difficulty_level=difficulty,
            language=language,
            price=price,
        )


@pytest.mark.usefixtures("catalog")
def test_facets_count_courses_by_value(client: Client) -> None:
    counts = facets(client)
    assert (counts["totalCount"], counts["freeCount"], counts["paidCount"]) == (6, 3, 3)
    assert values(counts["difficulties"], "difficulty") == [("BEGINNER", 3), ("ADVANCED", 2), ("INTERMEDIATE", 1)]
    assert values(counts["languages"], "language") == [("en", 3), ("pt-BR", 2), ("de", 1), ("en-US", 1)]
    assert values(counts["categories"], "category") == [("art", 3), ("python", 2), ("code", 1)]


FILTERS: list[dict[str, Any]] = [
    {},
    {"difficulty": "BEGINNER"},
    {"difficulties": ["BEGINNER", "ADVANCED"], "difficulty": "ADVANCED"},
    {"difficulties": []},
    {"language": "EN"},
    {"languages": ["en", "pt"], "language": "en-us"},
    {"languages": ["not a tag"]},
    {"categorySlug": "code"},
    {"categorySlug": "nowhere"},
    {"categoryId": "nonsense"},
    {"isFree": True},
    {"isFree": False, "categorySlug": "art", "languages": ["en", "pt"]},
    {"minPrice": "1", "maxPrice": "6", "isFree": True},
    {"difficulties": ["BEGINNER"], "language": "en", "categorySlug": "python", "isFree": False},
]


def list_counts(client: Client, search: str | None, filters: list[dict[str, Any]], as_: Actor | None = None) -> Any:
    """Return the number of courses that the list finds with each of these filters."""
    counts = []
    for start in range(0, len(filters), 10):  # a document may have ten root fields
        variables = {f"f{number}": filter for number, filter in enumerate(filters[start : start + 10])}
        fields = (f"{name}: courses(filter: ${name}, search: $search) {{ totalCount }}" for name in variables)
        parameters = " ".join(f"${name}: CourseFilter" for name in variables)
        document = f"query C($search: String {parameters}) {{ {' '.join(fields)} }}"
        data = client.execute(document, as_, None, search=search, **variables)
        counts += [data[name]["totalCount"] for name in variables]
    return counts


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("search", [None, "tea"])
def test_each_count_is_what_the_list_finds_with_that_value(client: Client, search: str | None) -> None:
    """A facet ignores its own conditions: its count is that of the list with the value in their place."""
    expected: list[dict[str, Any]] = []
    counts: list[int] = []

    def compare(filter: dict[str, Any], ignored: set[str], count: int, **value: Any) -> None:
        expected.append({**{name: filter[name] for name in filter.keys() - ignored}, **value})
        counts.append(count)

    for filter in FILTERS:
        found = facets(client, search, **filter)
        compare(filter, set(), found["totalCount"])
        for is_free, name in ((True, "freeCount"), (False, "paidCount")):
            compare(filter, {"isFree"}, found[name], isFree=is_free)
        difficulties = dict(values(found["difficulties"], "difficulty"))
        for difficulty in DifficultyLevel:
            count = difficulties.get(difficulty.name, 0)
            compare(filter, {"difficulty", "difficulties"}, count, difficulty=difficulty.name)
        for language, count in values(found["languages"], "language"):
            compare(filter, {"language", "languages"}, count, language=language)
        categories = dict(values(found["categories"], "category"))
        for slug, below in (("art", ()), ("python", ()), ("code", ("python",))):
            count = sum(categories.get(name, 0) for name in (slug, *below))
            compare(filter, {"categoryId", "categorySlug"}, count, categorySlug=slug)
    assert list_counts(client, search, expected) == counts


def test_facets_have_the_visibility_of_the_list(client: Client, make: Factories) -> None:
    instructor, colleague = make.user(Role.INSTRUCTOR), make.user(Role.INSTRUCTOR)
    learner, admin = make.user(), make.user(Role.SUPER_ADMIN)
    for status in CourseStatus:
        course = make.course(instructor=instructor, status=status, lectures=0)
        make.enrollment(learner, course, EnrollmentStatus.CANCELLED)
    for viewer, counts in (
        (None, {"PUBLISHED": 1}),
        (colleague, {"PUBLISHED": 1}),
        (learner, {"PUBLISHED": 1, "ARCHIVED": 1}),
        (instructor, {"PUBLISHED": 1, "ARCHIVED": 1, "DRAFT": 1}),
        (admin, {"PUBLISHED": 1, "ARCHIVED": 1, "DRAFT": 1}),
    ):
        actor = make.actor(viewer) if viewer else None
        for status in CourseStatus:
            found = facets(client, as_=actor, status=status.name)
            expected = counts.get(status.name, 0)
            assert (found["totalCount"], found["freeCount"]) == (expected, expected), (viewer, status)
            assert list_counts(client, None, [{"status": status.name}], actor) == [expected], (viewer, status)


def test_categories_are_ordered_by_count_and_name(client: Client, make: Factories) -> None:
    instructor = make.user(Role.INSTRUCTOR)
    for number in range(102):
        category = make.category(f"{'é' if number % 2 else 'e'} {101 - number:03}")
        for _ in range(2 if number == 50 else 1):
            make.course(instructor=instructor, category=category, sections=0, lectures=0)
    make.course(instructor=instructor, sections=0, lectures=0, status=CourseStatus.ARCHIVED)
    slugs = [slug for slug, _ in values(facets(client)["categories"], "category")]
    assert slugs[:3] == ["e-051", "e-000", "e-001"]
    assert len(slugs) == 100


@pytest.mark.query_budget
@pytest.mark.usefixtures("catalog")
def test_facets_take_three_statements(client: Client, statements: StatementRecorder) -> None:
    for search in (None, "tea"):
        with statements:
            facets(client, search, categorySlug="code", language="en")
        assert statements.count == 3, "groups, names of categories, and categories"


def test_facets_reject_what_the_list_rejects(client: Client, make: Factories) -> None:
    category = make.category("Code")
    both = {"categoryId": global_id("Category", category), "categorySlug": category.slug}
    for variables in ({"filter": both}, {"filter": {"currency": "XXX"}}, {"search": "x" * 201}):
        assert client.error_codes(FACETS, **variables) == ["BAD_USER_INPUT"]


def test_facets_cost_their_categories(client: Client) -> None:
    body = client.graphql(FACETS)
    assert body["extensions"]["cost"] == 100
