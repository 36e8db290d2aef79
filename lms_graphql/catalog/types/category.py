"""Categories in the schema."""

import strawberry

from lms_graphql.catalog.reads import categories, courses
from lms_graphql.catalog.reads.courses import CourseOrder
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import field, object_type
from lms_graphql.graph.schema.node import Node


@object_type
class Category(Node):
    """A shelf of the catalog. Categories form a tree of at most five levels."""

    slug: str = field("Its part of an address, unique among categories.")
    name: str = field("What it is called.")
    description: str | None = field("What belongs here.")
    parent_key: strawberry.Private[int | None]

    @strawberry.field
    def parent(self, info: Info) -> "Category | None":
        """The category above; null for a root."""
        if self.parent_key is None:
            return None
        return info.context.load(categories.categories_by_key, self.parent_key)

    @strawberry.field
    def children(self, info: Info) -> list["Category"]:
        """The categories right below, in name order."""
        return info.context.load_list(categories.children_by_category, self.key)

    @strawberry.field
    def ancestors(self, info: Info) -> list["Category"]:
        """From the root down to this category's parent."""
        return info.context.load_list(categories.ancestors_by_category, self.key)

    @strawberry.field
    def course_count(self, info: Info) -> int:
        """Published courses in this category or any below it."""
        return info.context.count(courses.courses_of_category(CourseOrder.NEWEST), self.key)
