"""GraphQL types of facets: numbers of courses by the values that a catalog offers as filters."""

import strawberry

from lms_graphql.catalog.models import DifficultyLevel
from lms_graphql.catalog.reads import categories
from lms_graphql.catalog.reads.course_facets import MAX_VALUES, CategoryCount
from lms_graphql.catalog.types.category import Category
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.fields import ListSize, as_graphql, field, object_type, resolver_field


@object_type
class DifficultyFacet:
    """Number of courses with a difficulty."""

    difficulty: DifficultyLevel = field("Difficulty, for `CourseFilter.difficulty`.")
    count: int = field("Number of courses that the filter finds with this difficulty, at least 1.")


@object_type
class LanguageFacet:
    """Number of courses in a language."""

    language: str = field("Language of a course as a BCP 47 tag, for `CourseFilter.language`.")
    count: int = field(
        "Number of courses that the filter finds with this language, at least 1. `en` counts courses in `en-US` too."
    )


@object_type
class CategoryFacet:
    """Number of courses in a category."""

    count: int = field("Number of courses that have this category themselves, at least 1.")
    category_key: strawberry.Private[int]

    @resolver_field()
    def category(self, info: Info) -> Category:
        """Category of these courses. Courses in its descendants are counted there."""
        return info.context.load(categories.categories_by_key, self.category_key)


@object_type
class CourseFacets:
    """
    Numbers of courses by the values that a catalog offers as filters. Each list ignores its own conditions of the
    filter, so that a catalog can show the other choices.

    A list has at most 100 values: those with most courses first, equal ones by value. Values without courses are left
    out.
    """

    total_count: int = field("Number of courses that match the whole filter: the `totalCount` of `courses`.")
    difficulties: list[DifficultyFacet] = field("Difficulties. Ignores `difficulty` and `difficulties`.")
    languages: list[LanguageFacet] = field("Languages of the courses. Ignores `language` and `languages`.")
    free_count: int = field("Number of courses that are free. Ignores `isFree`.")
    paid_count: int = field("Number of courses that are not free. Ignores `isFree`.")
    category_counts: strawberry.Private[list[CategoryCount]]

    @resolver_field(list_size=ListSize(expected=MAX_VALUES))
    def categories(self) -> list[CategoryFacet]:
        """Categories that the courses have themselves. Ignores `categoryId` and `categorySlug`."""
        return as_graphql(self.category_counts)
