"""Course search: terms, prefixes, accents, relevance and stable pages."""

import pytest

from lms_graphql.catalog.search_index import term_weights
from tests.factories import Factories
from tests.live_service import Client

SEARCH = """
query S($search: String!, $first: Int, $after: String) {
  courses(search: $search, first: $first, after: $after) {
    totalCount nodes { title } pageInfo { endCursor hasNextPage }
  }
}
"""


def test_term_weight_depends_on_the_text() -> None:
    weights = term_weights("Go", "Go for it", "Learn Go, C# and ASP.NET")
    assert weights["go"] == 7
    assert weights["for"] == 2
    assert weights["c#"] == weights["c"] == weights[".net"] == weights["net"] == 1


def test_prefix_has_the_highest_weight_of_its_words() -> None:
    weights = term_weights("Gopher", None, "Go" + " " + "x" * 70)
    assert {term: weight for term, weight in weights.items() if term.startswith("go")} == {
        "go": 1, "go*": 4, "gop*": 4, "goph*": 4, "gophe*": 4, "gopher": 4, "gopher*": 4
    }  # fmt: skip
    assert max(map(len, weights)) == 64
    assert weights["x" * 64] == weights["x" * 63 + "*"] == 1


@pytest.fixture
def varied_courses(make: Factories) -> None:
    descriptions = {
        "C# for Game Developers": "Write games.",
        "Modern C++": "Systems in C++.",
        "Services on .NET": "ASP.NET and more.",
        "AI for Everyone": "What it can do.",
        "Go in Practice": f"Concurrent programs. {'x' * 70}",
        "How to Learn Anything": "And how not to.",
        "Learning to Draw": "How lines become pictures.",
        "Ćwiczenia z Pythona": "Für Anfänger, déjà vu.",
        "Łódź na weekend": "Smørrebrød, Đà Nẵng.",
        "机器学习入门": "大学で学ぶプログラミング。",
        "การเขียนโปรแกรม": "한국어프로그래밍 हिन्दी में",
    }
    for title, description in descriptions.items():
        make.course(title, description=description, lectures=0)


def titles(client: Client, search: str) -> list[str]:
    return [node["title"] for node in client.execute(SEARCH, search=search)["courses"]["nodes"]]


@pytest.mark.usefixtures("varied_courses")
@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("ai", ["AI for Everyone"]),
        ("c#", ["C# for Game Developers"]),
        ("C++", ["Modern C++"]),
        (".net", ["Services on .NET"]),
        ("asp.net", ["Services on .NET"]),
        ("go", ["Go in Practice"]),
        ("how to lear", ["How to Learn Anything", "Learning to Draw"]),
        ("lear how", []),  # only the last word is a prefix
        ("CWICZENIA", ["Ćwiczenia z Pythona"]),
        ("deja", ["Ćwiczenia z Pythona"]),
        ("fur anf", ["Ćwiczenia z Pythona"]),
        ("lodz", ["Łódź na weekend"]),
        ("smorrebrod da nang", ["Łódź na weekend"]),
        ("学习", ["机器学习入门"]),
        ("门", ["机器学习入门"]),
        ("大学 机器学", ["机器学习入门"]),
        ("习机", []),
        ("グラ", ["机器学习入门"]),
        ("โปรแกรม", ["การเขียนโปรแกรม"]),
        ("프로그", ["การเขียนโปรแกรม"]),
        ("हिन्दी में", ["การเขียนโปรแกรม"]),
        ("हनद", []),
        ("go nowhere", []),
        ("x" * 64, ["Go in Practice"]),
        ("x" * 63, ["Go in Practice"]),
        ("x" * 65, ["Go in Practice"]),  # words are cut at 64 characters
        ("!!!", []),
        ("%", []),
        ("_", []),
        ("' OR 1=1 --", []),
    ],
)
def test_search_finds_courses_with_all_words(client: Client, search: str, expected: list[str]) -> None:
    assert titles(client, search) == expected


@pytest.mark.usefixtures("varied_courses")
def test_blank_search_matches_every_course(client: Client) -> None:
    assert len(titles(client, "  ")) == len(titles(client, "\u200b\u3164")) == 11


def test_relevance_order_is_stable_across_pages(client: Client, make: Factories) -> None:
    for number in range(3):
        make.course(f"Other {number}", description="rust", lectures=0)
    make.course("Rust", short_description="rust", description="rust", lectures=0)
    make.course("Rust again", description="Nothing", lectures=0)
    expected = titles(client, "rust")
    assert expected == ["Rust", "Rust again", "Other 2", "Other 1", "Other 0"]
    page_titles: list[str] = []
    after = None
    while True:
        page = client.execute(SEARCH, search="rust", first=2, after=after)["courses"]
        page_titles += [node["title"] for node in page["nodes"]]
        make.course("Rusty newcomer", lectures=0)  # scores 4, so it belongs to a page that was already read
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert [title for title in page_titles if title != "Rusty newcomer"] == expected


def test_search_results_can_be_sorted_and_filtered(client: Client, make: Factories) -> None:
    make.course("Tea two", lectures=0, price=500)
    make.course("Tea one", lectures=0)
    document = """{
      sorted: courses(search: "tea", orderBy: TITLE) { nodes { title } }
      filtered: courses(search: "tea", filter: {isFree: true}) { totalCount nodes { title } }
    }"""
    data = client.execute(document)
    assert [node["title"] for node in data["sorted"]["nodes"]] == ["Tea one", "Tea two"]
    assert data["filtered"] == {"totalCount": 1, "nodes": [{"title": "Tea one"}]}
