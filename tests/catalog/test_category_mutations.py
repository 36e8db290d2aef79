"""The tree of categories, as super admins change it.

That the races can be lost was tried: without the turn, two moves make a tree that is too deep, and on InnoDB without
innodb_snapshot_isolation a circle; without the category's lock, a course on its way into one that is deleted fails.
"""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select

from lms_graphql.catalog.category_tree import CategoryTree
from lms_graphql.catalog.models import Category, CourseStatus
from lms_graphql.core.actor import ANONYMOUS, Role
from tests.catalog.course_client import NO_IDS, CourseClient, racing, rounds
from tests.factories import Factories, global_id
from tests.live_service import Client, Service


@pytest.fixture
def admin(client: Client, make: Factories) -> CourseClient:
    return CourseClient(client, make.actor(make.user(Role.SUPER_ADMIN)))


def branch(make: Factories, levels: int) -> list[Category]:
    """Categories below each other, the root first."""
    made: list[Category] = []
    for _ in range(levels):
        made.append(make.category(parent=made[-1] if made else None))
    return made


def test_a_category_is_made_renamed_moved_and_removed(client: Client, make: Factories, admin: CourseClient) -> None:
    shelf = global_id("Category", make.category("Shelf"))
    made = admin.ok("createCategory", name="  Data & Science ", description="Numbers.", parentId=shelf)
    assert (made["name"], made["slug"], made["description"]) == ("Data & Science", "data-science", "Numbers.")
    assert made["parent"] == {"id": shelf}
    renamed = admin.ok("updateCategory", categoryId=made["id"], name="Statistics")
    assert renamed == {**made, "name": "Statistics"}, "the slug stays, and so does what was left out"
    root = admin.ok("updateCategory", categoryId=made["id"], parentId=None, description=None)
    assert (root["parent"], root["description"], root["name"]) == (None, None, "Statistics")
    names = [category["name"] for category in client.execute("{ categories { name } }")["categories"]]
    assert names == ["Shelf", "Statistics"]
    assert admin.ok("deleteCategory", categoryId=made["id"]) == made["id"]
    assert client.execute('{ category(slug: "data-science") { id } }') == {"category": None}
    assert admin.user_errors("deleteCategory", categoryId=made["id"]) == [("NOT_FOUND", "categoryId")]


def test_the_id_of_what_was_deleted_is_never_given_again(client: Client, admin: CourseClient) -> None:
    gone = admin.ok("createCategory", name="Shelf")["id"]
    admin.ok("deleteCategory", categoryId=gone)
    assert admin.ok("createCategory", name="Another shelf")["id"] != gone
    assert client.execute("query ($id: ID!) { node(id: $id) { id } }", id=gone) == {"node": None}


def test_an_update_that_says_nothing_changes_nothing(make: Factories, admin: CourseClient) -> None:
    category = make.category("Shelf", description="Old words.", parent=make.category())
    shown = admin.ok("updateCategory", categoryId=global_id("Category", category))
    assert (shown["name"], shown["description"]) == ("Shelf", "Old words.")
    assert shown["parent"] is not None


@pytest.mark.parametrize("role", [None, Role.LEARNER, Role.INSTRUCTOR])
def test_nobody_but_super_admins_changes_the_tree(client: Client, make: Factories, role: Role | None) -> None:
    category = make.category("Shelf")
    writer = CourseClient(client, ANONYMOUS if role is None else make.actor(make.user(role)))
    code = ["UNAUTHENTICATED" if role is None else "FORBIDDEN"]
    for id in (global_id("Category", category), "nonsense"):
        assert writer.error_codes("createCategory", name="New", parentId=id) == code
        assert writer.error_codes("updateCategory", categoryId=id, name="New") == code
        assert writer.error_codes("deleteCategory", categoryId=id) == code
    assert client.execute("{ categories { name children { id } } }")["categories"] == [
        {"name": "Shelf", "children": []}
    ]


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        ({"name": ""}, [("REQUIRED", "name")]),
        ({"name": "  "}, [("REQUIRED", "name")]),
        ({"name": "x" * 101}, [("TOO_LONG", "name")]),
        ({"name": "two\nlines"}, [("INVALID", "name")]),
        ({"name": " ", "description": "x" * 10_001}, [("REQUIRED", "name"), ("TOO_LONG", "description")]),
    ],
)
def test_all_faults_are_told_at_once_and_nothing_changes(
    client: Client, make: Factories, admin: CourseClient, said: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    category = make.category("Shelf")
    assert admin.user_errors("createCategory", **said) == faults
    assert admin.user_errors("updateCategory", categoryId=global_id("Category", category), **said) == faults
    assert client.execute("{ categories { name description } }")["categories"] == [
        {"name": "Shelf", "description": None}
    ]


def test_a_name_cannot_be_taken_away(make: Factories, admin: CourseClient) -> None:
    category = make.category()
    assert admin.user_errors("updateCategory", categoryId=global_id("Category", category), name=None) == [
        ("REQUIRED", "name")
    ]


def test_limits_are_reached_and_kept(make: Factories, admin: CourseClient) -> None:
    made = admin.ok("createCategory", name="x" * 100, description="é" * 10_000)
    assert (len(made["name"]), len(made["description"])) == (100, 10_000)


@pytest.mark.parametrize("id", NO_IDS)
def test_what_is_not_there_is_not_found_at_its_path(make: Factories, admin: CourseClient, id: str) -> None:
    category = global_id("Category", make.category())
    assert admin.user_errors("createCategory", name="", parentId=id) == [("NOT_FOUND", "parentId")]
    assert admin.user_errors("updateCategory", categoryId=id, name="") == [("NOT_FOUND", "categoryId")]
    assert admin.user_errors("updateCategory", categoryId=category, parentId=id) == [("NOT_FOUND", "parentId")]
    assert admin.user_errors("deleteCategory", categoryId=id) == [("NOT_FOUND", "categoryId")]


def test_siblings_have_different_names_whatever_the_case(make: Factories, admin: CourseClient) -> None:
    taken = [("ALREADY_EXISTS", "name")]
    root = global_id("Category", make.category("Design"))
    other = admin.ok("createCategory", name="Other")["id"]
    assert admin.user_errors("createCategory", name="dESIGN") == taken
    assert admin.user_errors("updateCategory", categoryId=other, name="design ") == taken
    below = admin.ok("createCategory", name="Design", parentId=root)["id"]
    assert admin.user_errors("createCategory", name="DESIGN", parentId=root) == taken
    assert admin.user_errors("updateCategory", categoryId=below, parentId=None) == taken, "moved to where the name is"
    assert admin.ok("updateCategory", categoryId=root, name="DESIGN")["name"] == "DESIGN", "its own name is free"


def test_slugs_are_unique_and_never_empty(make: Factories, admin: CourseClient) -> None:
    slugs, parent = [], None
    for _ in range(3):
        made = admin.ok("createCategory", name="C# for Games", parentId=parent)
        parent = made["id"]
        slugs.append(made["slug"])
    assert slugs == ["c-sharp-for-games", "c-sharp-for-games-2", "c-sharp-for-games-3"]
    assert [admin.ok("createCategory", name=name)["slug"] for name in ("学习", "设计")] == [
        "category",
        "category-2",
    ]


def test_a_category_is_never_below_itself(make: Factories, admin: CourseClient) -> None:
    root, child, grandchild = (global_id("Category", category) for category in branch(make, 3))
    for below in (root, child, grandchild):
        assert admin.user_errors("updateCategory", categoryId=root, parentId=below) == [("INVALID", "parentId")]
    assert admin.user_errors("updateCategory", categoryId=child, parentId=grandchild) == [("INVALID", "parentId")]
    assert admin.ok("updateCategory", categoryId=grandchild, parentId=root)["parent"] == {"id": root}


def test_the_tree_is_five_levels_deep_and_a_moved_branch_counts_whole(make: Factories, admin: CourseClient) -> None:
    too_deep = [("LIMIT_REACHED", "parentId")]
    deep = [global_id("Category", category) for category in branch(make, 5)]
    assert admin.user_errors("createCategory", name="Deeper", parentId=deep[4]) == too_deep
    moved = [global_id("Category", category) for category in branch(make, 3)]
    assert admin.user_errors("updateCategory", categoryId=moved[0], parentId=deep[2]) == too_deep
    assert admin.user_errors("updateCategory", categoryId=moved[0], parentId=deep[3]) == too_deep
    assert admin.ok("updateCategory", categoryId=moved[0], parentId=deep[1])["parent"] == {"id": deep[1]}
    assert admin.user_errors("createCategory", name="Deeper", parentId=moved[2]) == too_deep


@pytest.mark.parametrize("status", list(CourseStatus))
def test_what_is_in_use_is_not_deleted(make: Factories, admin: CourseClient, status: CourseStatus) -> None:
    in_use = [("IN_USE", "categoryId")]
    root, child = branch(make, 2)
    make.course(category=child, status=status)
    assert admin.user_errors("deleteCategory", categoryId=global_id("Category", root)) == in_use
    assert admin.user_errors("deleteCategory", categoryId=global_id("Category", child)) == in_use


def tree(service: Service) -> dict[int, int | None]:
    rows = select(Category.id, Category.parent_id)
    return service.database.read_sync(lambda session: {row.id: row.parent_id for row in session.execute(rows)})


def test_two_moves_at_once_make_no_circle(make: Factories, service: Service, admin: CourseClient) -> None:
    with racing(service) as both:
        for _ in rounds(service):
            one, other = (global_id("Category", make.category()) for _ in range(2))
            answers = both.race(
                admin.race_request("updateCategory", categoryId=one, parentId=other),
                admin.race_request("updateCategory", categoryId=other, parentId=one),
            )
            assert Counter(answer.code for answer in answers) == {None: 1, "INVALID": 1}


@pytest.mark.slow
def test_two_moves_at_once_make_no_tree_that_is_too_deep(
    make: Factories, service: Service, admin: CourseClient
) -> None:
    with racing(service) as both:
        for _ in rounds(service)[:40]:
            (_, below), (middle, inside), (last, _) = (
                [global_id("Category", category) for category in branch(make, 2)] for _ in range(3)
            )
            answers = both.race(
                admin.race_request("updateCategory", categoryId=middle, parentId=below),
                admin.race_request("updateCategory", categoryId=last, parentId=inside),
            )
            assert Counter(answer.code for answer in answers) == {None: 1, "LIMIT_REACHED": 1}
    parents = tree(service)
    assert max(CategoryTree(parents).depth(key) for key in parents) == 4


def test_of_two_creations_of_one_name_one_counts(service: Service, admin: CourseClient) -> None:
    with racing(service, 3) as all_three:
        for number in rounds(service):
            ask = admin.race_request("createCategory", name=f"Name {number}")
            codes = Counter(answer.code for answer in all_three.race(ask, ask, ask))
            assert codes == {None: 1, "ALREADY_EXISTS": 2}


@pytest.mark.slow
def test_nothing_is_put_into_a_category_that_is_being_deleted(
    make: Factories, service: Service, admin: CourseClient
) -> None:
    with racing(service, 3) as all_three:
        for _ in rounds(service):
            id = global_id("Category", make.category())
            deleted, below, course = all_three.race(
                admin.race_request("deleteCategory", categoryId=id),
                admin.race_request("createCategory", name="Below", parentId=id),
                admin.race_request("createCourse", title="Inside", description="", categoryId=id),
            )
            if deleted.code is None:
                assert (below.code, course.code) == ("NOT_FOUND", "NOT_FOUND")
            else:
                assert deleted.code == "IN_USE"
                assert {below.code, course.code} <= {None, "NOT_FOUND"}
                assert None in {below.code, course.code}
