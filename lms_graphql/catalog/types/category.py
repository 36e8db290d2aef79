"""GraphQL type of categories."""

import strawberry

from lms_graphql.catalog.category_tree import MAX_CATEGORIES, MAX_DEPTH
from lms_graphql.catalog.reads import categories, courses
from lms_graphql.catalog.reads.courses import CourseOrder
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import ListSize, field, object_type, resolver_field
from lms_graphql.graph.schema.node import Node

CATEGORY_LEVEL = ListSize(expected=10, total=MAX_CATEGORIES)
CATEGORY_ANCESTORS = ListSize(expected=MAX_DEPTH - 1)


@object_type
class Category(Node):
    """A category of courses. Categories form a tree of at most five levels."""

    slug: str = field("Part of the category's URL, unique among categories. It never changes.")
    name: str = field("Name, unique among the categories with the same parent.")
    description: str | None = field("Description; null if not set.")
    parent_key: strawberry.Private[int | None]

    @strawberry.field
    def parent(self, info: Info) -> "Category | None":
        """Parent category; null for a root."""
        if self.parent_key is None:
            return None
        return info.context.load(categories.categories_by_key, self.parent_key)

    @strawberry.field
    def depth(self, info: Info) -> int:
        """Number of categories above this one: 0 for a root, at most 4."""
        return 0 if self.parent_key is None else info.context.load(categories.depths_by_category, self.key, 0)

    @resolver_field(list_size=CATEGORY_LEVEL)
    def children(self, info: Info) -> list["Category"]:
        """Child categories, ordered by name."""
        return info.context.load_list(categories.children_by_category, self.key)

    @resolver_field(list_size=CATEGORY_ANCESTORS)
    def ancestors(self, info: Info) -> list["Category"]:
        """All categories above this one, from the root to the parent. Empty for a root."""
        return info.context.load_list(categories.ancestors_by_category, self.key)

    @strawberry.field
    def course_count(self, info: Info) -> int:
        """Number of published courses in this category and its descendants."""
        return info.context.count(courses.courses_of_category(CourseOrder.NEWEST), self.key)
