"""Mutations of categories.

The races were also run without the locks, to see that the tests can fail. Without the named lock, two moves make a
tree that is too deep, and a cycle on InnoDB without innodb_snapshot_isolation. Without the category's lock, the
creation of a course fails while its category is deleted.
"""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import insert, select

from lms_graphql.catalog.category_tree import CategoryTree
from lms_graphql.catalog.models import Category, CourseStatus
from lms_graphql.core.actor import ANONYMOUS, Role
from tests.catalog.course_client import INVALID_IDS, CourseClient, rounds_for_database, service_racers
from tests.factories import Factories, global_id
from tests.live_service import Client, Service, StatementRecorder


@pytest.fixture
def admin(client: Client, make: Factories) -> CourseClient:
    return CourseClient(client, make.actor(make.user(Role.SUPER_ADMIN)))


def category_path(make: Factories, levels: int) -> list[Category]:
    """Create categories, each the parent of the next one."""
    path: list[Category] = []
    for _ in range(levels):
        path.append(make.category(parent=path[-1] if path else None))
    return path


def test_category_is_created_renamed_moved_and_deleted(client: Client, make: Factories, admin: CourseClient) -> None:
    parent = global_id("Category", make.category("Science"))
    created = admin.ok("createCategory", name="  Data & Science ", description="Numbers.", parentId=parent)
    assert (created["name"], created["slug"], created["description"]) == (
        "Data & Science",
        "data-science",
        "Numbers.",
    )
    assert created["parent"] == {"id": parent}
    renamed = admin.ok("updateCategory", categoryId=created["id"], name="Statistics")
    assert renamed == {**created, "name": "Statistics"}, "slug and omitted fields stay"
    root = admin.ok("updateCategory", categoryId=created["id"], parentId=None, description=None)
    assert (root["parent"], root["description"], root["name"]) == (None, None, "Statistics")
    names = [category["name"] for category in client.execute("{ categories { name } }")["categories"]]
    assert names == ["Science", "Statistics"]
    assert admin.ok("deleteCategory", categoryId=created["id"]) == created["id"]
    assert client.execute('{ category(slug: "data-science") { id } }') == {"category": None}
    assert admin.user_errors("deleteCategory", categoryId=created["id"]) == [("NOT_FOUND", "categoryId")]


def test_deleted_category_id_is_never_reused(client: Client, admin: CourseClient) -> None:
    deleted = admin.ok("createCategory", name="Science")["id"]
    admin.ok("deleteCategory", categoryId=deleted)
    assert admin.ok("createCategory", name="Art")["id"] != deleted
    assert client.execute("query ($id: ID!) { node(id: $id) { id } }", id=deleted) == {"node": None}


def test_empty_update_changes_nothing(make: Factories, admin: CourseClient) -> None:
    category = make.category("Science", description="Old words.", parent=make.category())
    updated = admin.ok("updateCategory", categoryId=global_id("Category", category))
    assert (updated["name"], updated["description"]) == ("Science", "Old words.")
    assert updated["parent"] is not None


TREE = "{ categoryTree { name depth parent { name } ancestors { name } courseCount } }"


def test_category_tree_lists_each_category_after_its_parent(client: Client, make: Factories) -> None:
    science, art = make.category("Science"), make.category("Art")
    physics, biology = make.category("Physics", parent=science), make.category("Biology", parent=science)
    make.category("Optics", parent=physics)
    make.category("Zebras", parent=biology)
    tree = client.execute(TREE)["categoryTree"]
    assert [(category["name"], category["depth"]) for category in tree] == [
        (art.name, 0),
        (science.name, 0),
        (biology.name, 1),
        ("Zebras", 2),
        (physics.name, 1),
        ("Optics", 2),
    ]
    for category in tree:
        assert len(category["ancestors"]) == category["depth"]
        assert (category["parent"] or {}).get("name") == ([None, *category["ancestors"]][-1] or {}).get("name")


@pytest.mark.query_budget
def test_category_tree_takes_constant_statements(
    client: Client, make: Factories, statements: StatementRecorder
) -> None:
    counts = []
    for levels in (2, 5):
        category_path(make, levels)
        with statements:
            client.execute("{ categoryTree { name depth parent { name } children { name } ancestors { name } } }")
        counts.append(statements.count)
    assert counts[0] == counts[1] <= 5


def test_anonymous_viewer_can_request_five_levels(client: Client, make: Factories) -> None:
    path = category_path(make, 5)
    tree = "name"
    for _ in range(4):
        tree = f"name children {{ {tree} }}"
    (level,) = client.execute(f"{{ categories {{ {tree} }} }}")["categories"]
    for category in path[:-1]:
        assert level["name"] == category.name
        (level,) = level["children"]
    assert level == {"name": path[-1].name}


def test_number_of_categories_is_limited(
    client: Client, make: Factories, admin: CourseClient, service: Service
) -> None:
    first = make.category("First")
    rows = [{"name": f"C{number}", "name_key": f"c{number}", "slug": f"c{number}"} for number in range(998)]
    service.database.write_sync(lambda session: session.execute(insert(Category), rows) and None)
    child = admin.ok("createCategory", name="Last", parentId=global_id("Category", first))["id"]
    assert admin.user_errors("createCategory", name="One more") == [("LIMIT_REACHED", "parentId")]
    assert len(client.execute("{ categoryTree { id depth } }")["categoryTree"]) == 1_000
    admin.ok("deleteCategory", categoryId=child)
    admin.ok("createCategory", name="One more")


@pytest.mark.parametrize("role", [None, Role.LEARNER, Role.INSTRUCTOR])
def test_only_super_admins_can_change_categories(client: Client, make: Factories, role: Role | None) -> None:
    category = make.category("Science")
    user = CourseClient(client, ANONYMOUS if role is None else make.actor(make.user(role)))
    code = ["UNAUTHENTICATED" if role is None else "FORBIDDEN"]
    for id in (global_id("Category", category), "nonsense"):
        assert user.error_codes("createCategory", name="New", parentId=id) == code
        assert user.error_codes("updateCategory", categoryId=id, name="New") == code
        assert user.error_codes("deleteCategory", categoryId=id) == code
    assert client.execute("{ categories { name children { id } } }")["categories"] == [
        {"name": "Science", "children": []}
    ]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"name": ""}, [("REQUIRED", "name")]),
        ({"name": "  "}, [("REQUIRED", "name")]),
        ({"name": "x" * 101}, [("TOO_LONG", "name")]),
        ({"name": "two\nlines"}, [("INVALID", "name")]),
        ({"name": " ", "description": "x" * 10_001}, [("REQUIRED", "name"), ("TOO_LONG", "description")]),
    ],
)
def test_invalid_category_returns_all_errors(
    client: Client, make: Factories, admin: CourseClient, fields: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    category = make.category("Science")
    assert admin.user_errors("createCategory", **fields) == errors
    assert admin.user_errors("updateCategory", categoryId=global_id("Category", category), **fields) == errors
    assert client.execute("{ categories { name description } }")["categories"] == [
        {"name": "Science", "description": None}
    ]


def test_category_name_cannot_be_null(make: Factories, admin: CourseClient) -> None:
    category = make.category()
    assert admin.user_errors("updateCategory", categoryId=global_id("Category", category), name=None) == [
        ("REQUIRED", "name")
    ]


def test_longest_name_and_description_are_accepted(make: Factories, admin: CourseClient) -> None:
    created = admin.ok("createCategory", name="x" * 100, description="é" * 10_000)
    assert (len(created["name"]), len(created["description"])) == (100, 10_000)


@pytest.mark.parametrize("id", INVALID_IDS)
def test_unknown_ids_are_not_found(make: Factories, admin: CourseClient, id: str) -> None:
    category = global_id("Category", make.category())
    assert admin.user_errors("createCategory", name="", parentId=id) == [("NOT_FOUND", "parentId")]
    assert admin.user_errors("updateCategory", categoryId=id, name="") == [("NOT_FOUND", "categoryId")]
    assert admin.user_errors("updateCategory", categoryId=category, parentId=id) == [("NOT_FOUND", "parentId")]
    assert admin.user_errors("deleteCategory", categoryId=id) == [("NOT_FOUND", "categoryId")]


def test_sibling_names_are_unique_ignoring_strokes(admin: CourseClient) -> None:
    assert admin.ok("createCategory", name="Łódź")["slug"] == "lodz"
    for same_name in ("Lodz", "Lodz\u2800", "\u3164LODZ\u200b"):
        assert admin.user_errors("createCategory", name=same_name) == [("ALREADY_EXISTS", "name")]


def test_sibling_names_are_unique_ignoring_case(make: Factories, admin: CourseClient) -> None:
    name_exists = [("ALREADY_EXISTS", "name")]
    root = global_id("Category", make.category("Design"))
    other = admin.ok("createCategory", name="Other")["id"]
    assert admin.user_errors("createCategory", name="dESIGN") == name_exists
    assert admin.user_errors("updateCategory", categoryId=other, name="design ") == name_exists
    child = admin.ok("createCategory", name="Design", parentId=root)["id"]
    assert admin.user_errors("createCategory", name="DESIGN", parentId=root) == name_exists
    assert admin.user_errors("updateCategory", categoryId=child, parentId=None) == name_exists, (
        "the root has the name"
    )
    assert admin.ok("updateCategory", categoryId=root, name="DESIGN")["name"] == "DESIGN", "its own name is allowed"


def test_category_slugs_are_unique_and_never_empty(make: Factories, admin: CourseClient) -> None:
    slugs, parent = [], None
    for _ in range(3):
        created = admin.ok("createCategory", name="C# for Games", parentId=parent)
        parent = created["id"]
        slugs.append(created["slug"])
    assert slugs == ["c-sharp-for-games", "c-sharp-for-games-2", "c-sharp-for-games-3"]
    assert [admin.ok("createCategory", name=name)["slug"] for name in ("?!", "😀")] == [
        "category",
        "category-2",
    ]


def test_category_cannot_be_its_own_descendant(make: Factories, admin: CourseClient) -> None:
    root, child, grandchild = (global_id("Category", category) for category in category_path(make, 3))
    for descendant in (root, child, grandchild):
        assert admin.user_errors("updateCategory", categoryId=root, parentId=descendant) == [("INVALID", "parentId")]
    assert admin.user_errors("updateCategory", categoryId=child, parentId=grandchild) == [("INVALID", "parentId")]
    assert admin.ok("updateCategory", categoryId=grandchild, parentId=root)["parent"] == {"id": root}


def test_tree_depth_limit_includes_moved_subtrees(make: Factories, admin: CourseClient) -> None:
    too_deep = [("LIMIT_REACHED", "parentId")]
    deep = [global_id("Category", category) for category in category_path(make, 5)]
    assert admin.user_errors("createCategory", name="Deeper", parentId=deep[4]) == too_deep
    moved = [global_id("Category", category) for category in category_path(make, 3)]
    assert admin.user_errors("updateCategory", categoryId=moved[0], parentId=deep[2]) == too_deep
    assert admin.user_errors("updateCategory", categoryId=moved[0], parentId=deep[3]) == too_deep
    assert admin.ok("updateCategory", categoryId=moved[0], parentId=deep[1])["parent"] == {"id": deep[1]}
    assert admin.user_errors("createCategory", name="Deeper", parentId=moved[2]) == too_deep


@pytest.mark.parametrize("status", list(CourseStatus))
def test_category_in_use_cannot_be_deleted(make: Factories, admin: CourseClient, status: CourseStatus) -> None:
    in_use = [("IN_USE", "categoryId")]
    root, child = category_path(make, 2)
    make.course(category=child, status=status)
    assert admin.user_errors("deleteCategory", categoryId=global_id("Category", root)) == in_use
    assert admin.user_errors("deleteCategory", categoryId=global_id("Category", child)) == in_use


def parents_by_key(service: Service) -> dict[int, int | None]:
    rows = select(Category.id, Category.parent_id)
    return service.database.read_sync(lambda session: {row.id: row.parent_id for row in session.execute(rows)})


def test_concurrent_moves_cannot_create_a_cycle(make: Factories, service: Service, admin: CourseClient) -> None:
    with service_racers(service) as clients:
        for _ in rounds_for_database(service):
            first, second = (global_id("Category", make.category()) for _ in range(2))
            responses = clients.race(
                admin.race_request("updateCategory", categoryId=first, parentId=second),
                admin.race_request("updateCategory", categoryId=second, parentId=first),
            )
            assert Counter(response.code for response in responses) == {None: 1, "INVALID": 1}


@pytest.mark.slow
def test_concurrent_moves_cannot_exceed_the_depth(make: Factories, service: Service, admin: CourseClient) -> None:
    with service_racers(service) as clients:
        for _ in rounds_for_database(service)[:40]:
            (_, first_child), (second, second_child), (third, _) = (
                [global_id("Category", category) for category in category_path(make, 2)] for _ in range(3)
            )
            responses = clients.race(
                admin.race_request("updateCategory", categoryId=second, parentId=first_child),
                admin.race_request("updateCategory", categoryId=third, parentId=second_child),
            )
            assert Counter(response.code for response in responses) == {None: 1, "LIMIT_REACHED": 1}
    parents = parents_by_key(service)
    assert max(CategoryTree(parents).depth(key) for key in parents) == 4


def test_concurrent_creations_of_one_name_succeed_once(service: Service, admin: CourseClient) -> None:
    with service_racers(service, 3) as clients:
        for number in rounds_for_database(service):
            request = admin.race_request("createCategory", name=f"Name {number}")
            codes = Counter(response.code for response in clients.race(request, request, request))
            assert codes == {None: 1, "ALREADY_EXISTS": 2}


@pytest.mark.slow
def test_category_under_deletion_accepts_no_content(make: Factories, service: Service, admin: CourseClient) -> None:
    with service_racers(service, 3) as clients:
        for _ in rounds_for_database(service):
            id = global_id("Category", make.category())
            deletion, child, course = clients.race(
                admin.race_request("deleteCategory", categoryId=id),
                admin.race_request("createCategory", name="Below", parentId=id),
                admin.race_request("createCourse", title="Inside", description="", categoryId=id),
            )
            if deletion.code is None:
                assert (child.code, course.code) == ("NOT_FOUND", "NOT_FOUND")
            else:
                assert deletion.code == "IN_USE"
                assert {child.code, course.code} <= {None, "NOT_FOUND"}
                assert None in {child.code, course.code}
