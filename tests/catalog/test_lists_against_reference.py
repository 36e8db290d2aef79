"""Search and category branches compared with plain Python over random courses."""

import random
from collections.abc import Iterator
from typing import Any

from lms_graphql.catalog.models import Category, CourseStatus
from lms_graphql.core import global_ids
from lms_graphql.core.list_queries import MAX_BRANCHES
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client

WORDS = ["go", "gopher", "gone", "python", "pythonic", "py", "art", "arts", "c", "data"]
SEARCH = """
query S($search: String!, $orderBy: CourseOrder, $after: String) {
  courses(search: $search, orderBy: $orderBy, first: 7, after: $after) {
    totalCount nodes { id } pageInfo { endCursor hasNextPage }
  }
}
"""
BRANCHES = """
query B($orderBy: CourseOrder!, $after: String) {
  categoryTree { id courseCount courses(orderBy: $orderBy, first: 2, after: $after) {
    totalCount nodes { id } pageInfo { endCursor hasNextPage }
  } }
}
"""
FILTERED = "query F($filter: CourseFilter!) { courses(filter: $filter, first: 100) { totalCount nodes { id } } }"


def pages(client: Client, document: str, **variables: Any) -> Iterator[dict[str, Any]]:
    """Yield all pages of `courses`."""
    after = None
    while True:
        page = client.execute(document, **variables, after=after)["courses"]
        yield page
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def score(texts: list[tuple[int, list[str]]], search: list[str]) -> int:
    """Return the score of a course by its texts and their weights. 0 means that it does not match."""
    weights = {word: sum(weight for weight, words in texts if word in words) for word in WORDS}
    exact = [weights[word] for word in set(search[:-1]) - {search[-1]}]
    prefix = max(weight for word, weight in weights.items() if word.startswith(search[-1]))
    return sum([*exact, prefix]) if all([*exact, prefix]) else 0


def test_search_ranks_like_a_scan_of_all_texts(client: Client, make: Factories) -> None:
    chance = random.Random(16)
    texts: dict[str, list[tuple[int, list[str]]]] = {}
    for _ in range(40):
        title, short, description = ([chance.choice(WORDS) for _ in range(count)] for count in (2, 3, 6))
        status = chance.choice([CourseStatus.PUBLISHED] * 4 + [CourseStatus.DRAFT])
        course = make.course(
            " ".join(title),
            short_description=" ".join(short),
            description=" ".join(description),
            status=status,
            lectures=0,
        )
        if status is CourseStatus.PUBLISHED:
            texts[course.global_id] = [(4, title), (2, short), (1, description)]
    newest = list(texts)[::-1]
    for _ in range(15):
        words = [chance.choice(WORDS) for _ in range(chance.randint(1, 3))]
        words[-1] = words[-1][: chance.randint(1, 6)]
        found = [key for key in newest if score(texts[key], words)]
        ranked = sorted(found, key=lambda key: -score(texts[key], words))
        for order, expected in (("RELEVANCE", ranked), ("NEWEST", found), ("OLDEST", found[::-1])):
            result = list(pages(client, SEARCH, search=" ".join(words), orderBy=order))
            assert [node["id"] for page in result for node in page["nodes"]] == expected, (words, order)
            assert {page["totalCount"] for page in result} == {len(expected)}, (words, order)


def random_branches(chance: random.Random, make: Factories, count: int) -> dict[str, set[int]]:
    """Create a random tree of categories. Return the keys of each category and its descendants, by the id."""
    path: dict[int, list[Category]] = {}
    categories: list[Category] = []
    for number in range(count):
        parent = chance.choice([None, *(category for category in categories if len(path[category.id]) < 5)])
        category = make.category(f"Category {number}", parent=parent)
        path[category.id] = [*(path[parent.id] if parent else []), category]
        categories.append(category)
    return {
        global_id("Category", category): {key for key, ancestors in path.items() if category in ancestors}
        for category in categories
    }


def test_branches_have_the_courses_of_all_descendants(client: Client, make: Factories) -> None:
    chance = random.Random(20)
    branches = random_branches(chance, make, MAX_BRANCHES + 5)
    keys = [None, *sorted(set().union(*branches.values()))]
    courses: list[CourseTree] = [
        make.course(
            category_id=chance.choice(keys),
            price=chance.choice([0, 500]),
            status=chance.choice([CourseStatus.PUBLISHED] * 3 + [CourseStatus.DRAFT]),
            lectures=0,
        )
        for _ in range(60)
    ]
    published = [course for course in courses if course.row.status is CourseStatus.PUBLISHED]
    by_price = sorted(published, key=lambda course: course.row.price)
    for order, ordered in (("OLDEST", published), ("NEWEST", published[::-1]), ("PRICE_LOW_TO_HIGH", by_price)):
        expected = {
            category: [course.global_id for course in ordered if course.row.category_id in members]
            for category, members in branches.items()
        }
        cursor = None
        for category in (nodes := client.execute(BRANCHES, orderBy=order)["categoryTree"]):
            page, ids = category["courses"], expected[category["id"]]
            assert [node["id"] for node in page["nodes"]] == ids[:2]
            assert page["pageInfo"]["hasNextPage"] == (len(ids) > 2)
            assert category["courseCount"] == page["totalCount"] == len(ids)
            cursor = page["pageInfo"]["endCursor"] if len(ids) > 4 else cursor
        assert cursor is not None
        assert len(nodes) == len(branches)
        last = next(node["courses"] for node in nodes if node["courses"]["pageInfo"]["endCursor"] == cursor)
        following = [course.global_id for course in ordered]
        following = following[following.index(last["nodes"][-1]["id"]) + 1 :]
        for category in client.execute(BRANCHES, orderBy=order, after=cursor)["categoryTree"]:
            ids = [id for id in expected[category["id"]] if id in following]
            assert [node["id"] for node in category["courses"]["nodes"]] == ids[:2]


def test_category_filter_finds_the_courses_of_all_descendants(client: Client, make: Factories) -> None:
    chance = random.Random(7)
    branches = random_branches(chance, make, 12)
    keys = sorted(set().union(*branches.values()))
    courses = [make.course(category_id=chance.choice([None, *keys]), lectures=0) for _ in range(30)]
    for category, members in branches.items():
        page = client.execute(FILTERED, filter={"categoryId": category})["courses"]
        expected = [course.global_id for course in courses[::-1] if course.row.category_id in members]
        assert [node["id"] for node in page["nodes"]] == expected
        assert page["totalCount"] == len(expected)
    nothing = client.execute(FILTERED, filter={"categoryId": global_ids.encode("Category", 10_000)})["courses"]
    assert nothing == {"totalCount": 0, "nodes": []}
