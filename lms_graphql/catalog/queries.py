"""Queries of the catalog: categories and courses."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from lms_graphql.catalog.category_tree import MAX_CATEGORIES
from lms_graphql.catalog.language_tags import parse_language_tag
from lms_graphql.catalog.models import CourseStatus, DifficultyLevel
from lms_graphql.catalog.reads import categories, course_facets, courses
from lms_graphql.catalog.reads.courses import CourseFilter, CourseOrder
from lms_graphql.catalog.types.category import CATEGORY_LEVEL, Category
from lms_graphql.catalog.types.course import Course
from lms_graphql.catalog.types.facets import CourseFacets
from lms_graphql.core import global_ids
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.core.money import DECIMALS, to_units
from lms_graphql.core.pagination import PageArguments
from lms_graphql.core.search_terms import parse_search
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import ListSize, field, input_type, resolver_field

MAX_LANGUAGES = 20
NO_LANGUAGE = ""
"""A language that no course has. It stands for malformed tags."""

CategorySlugArgument = Annotated[str, strawberry.argument(description="Slug of the category.")]
CourseSlugArgument = Annotated[str, strawberry.argument(description="Slug of the course.")]
CourseSearchArgument = Annotated[
    str | None,
    strawberry.argument(
        description="Search text, at most 200 characters. Courses match if title or descriptions contain all words. "
        "Case, accents and strokes are ignored. The last word also matches as a prefix. Texts without spaces, as in "
        "Chinese, are found by any part. A blank text matches every course."
    ),
]
SearchOrderArgument = Annotated[
    CourseOrder | None,
    strawberry.argument(description="Sort order (default RELEVANCE with `search`, else NEWEST)."),
]


@input_type(name="CourseFilter")
class CourseFilterInput:
    """
    Conditions on courses. A course must meet all of them. An omitted field is no condition. Without `status` and
    `statuses`, only published courses match.
    """

    status: CourseStatus | None = field(
        "Publication status. Without `statuses`, the default is PUBLISHED.", default=None
    )
    statuses: list[CourseStatus] | None = field("Any of these publication statuses.", default=None)
    category_id: strawberry.ID | None = field("Id of a category. Courses in its descendants match too.", default=None)
    category_slug: str | None = field("Slug of a category, in place of `categoryId`.", default=None)
    instructor_id: strawberry.ID | None = field("Id of the user who teaches the course.", default=None)
    difficulty: DifficultyLevel | None = field("Previous knowledge that the course expects.", default=None)
    difficulties: list[DifficultyLevel] | None = field("Any of these difficulties.", default=None)
    language: str | None = field("Language as a BCP 47 tag, in any case. `en` finds `en-US` too.", default=None)
    languages: list[str] | None = field("Any of these languages, at most 20. Like `language`.", default=None)
    min_duration_seconds: int | None = field("Shortest duration of all lectures together, inclusive.", default=None)
    max_duration_seconds: int | None = field("Longest duration of all lectures together, inclusive.", default=None)
    updated_after: datetime | None = field(
        "The course, its sections or its lectures were changed after this time.", default=None
    )
    is_free: bool | None = field("Whether the course is free.", default=None)
    is_featured: bool | None = field("Whether the platform recommends the course.", default=None)
    currency: str | None = field(
        "ISO 4217 code of the course's currency. With a price limit the default is the platform's currency.",
        default=None,
    )
    min_price: Decimal | None = field("Lowest price, inclusive.", default=None)
    max_price: Decimal | None = field("Highest price, inclusive.", default=None)


CourseFilterArgument = Annotated[
    CourseFilterInput | None, strawberry.argument(description="Conditions that the courses must meet.")
]


@strawberry.type
class CatalogQueries:
    @resolver_field(name="categories", list_size=CATEGORY_LEVEL)
    def root_categories(self, info: Info) -> list[Category]:
        """Root categories, ordered by name. Their `children` lead to the rest of the tree."""
        return info.context.read(categories.root_categories)

    @resolver_field(list_size=ListSize(expected=MAX_CATEGORIES, total=MAX_CATEGORIES))
    def category_tree(self, info: Info) -> list[Category]:
        """All categories in one list, at most 1,000. Each comes after its parent, siblings are ordered by name."""
        return info.context.read(categories.category_tree)

    @strawberry.field
    def category(self, info: Info, slug: CategorySlugArgument) -> Category | None:
        """The category with this slug; null if it does not exist."""
        return info.context.load(categories.categories_by_slug, slug)

    @strawberry.field
    def course(self, info: Info, slug: CourseSlugArgument) -> Course | None:
        """The course with this slug; null if it does not exist or the viewer may not see it."""
        return info.context.load(courses.courses_by_slug, slug)

    @resolver_field(name="courses")
    def all_courses(
        self,
        info: Info,
        filter: CourseFilterArgument = None,
        search: CourseSearchArgument = None,
        order_by: SearchOrderArgument = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Course]:
        """Courses that the viewer may see, published ones by default.

        With `filter: {statuses: [DRAFT, ARCHIVED]}`, instructors get their own drafts and archived courses. Super
        admins get all of them.
        """
        terms = parse_search(search)
        order = order_by or (CourseOrder.NEWEST if terms is None else CourseOrder.RELEVANCE)
        conditions = _course_filter(filter or CourseFilterInput(), info.context.settings.currency)
        query = courses.courses(info.context.actor.access_level, conditions, terms, order)
        return info.context.page(query, PageArguments(first, after, last, before))

    @strawberry.field
    def course_facets(
        self, info: Info, filter: CourseFilterArgument = None, search: CourseSearchArgument = None
    ) -> CourseFacets | None:
        """
        Numbers of courses that `courses` finds with this filter and search, by the values that a catalog offers as
        filters.
        """
        conditions = _course_filter(filter or CourseFilterInput(), info.context.settings.currency)
        return info.context.read(course_facets.course_facets, conditions, parse_search(search))


def _course_filter(input: CourseFilterInput, default_currency: str) -> CourseFilter:
    currency = input.currency
    has_price_limit = input.min_price is not None or input.max_price is not None
    if currency is None and has_price_limit:
        currency = default_currency
    if currency is not None and currency not in DECIMALS:
        raise _bad_user_input("`currency` is unknown. Use an ISO 4217 code such as USD.")
    if input.category_id is not None and input.category_slug is not None:
        raise _bad_user_input("`categoryId` and `categorySlug` exclude each other. Use one of them.")
    return CourseFilter(
        status=input.status or (CourseStatus.PUBLISHED if input.statuses is None else None),
        statuses=None if input.statuses is None else tuple(sorted(set(input.statuses))),
        category_key=global_ids.decode_filter_key("Category", input.category_id),
        category_slug=None if input.category_slug is None else input.category_slug.strip(),
        instructor_key=global_ids.decode_filter_key("User", input.instructor_id),
        difficulty=input.difficulty,
        difficulties=None if input.difficulties is None else tuple(sorted(set(input.difficulties))),
        language=None if input.language is None else _language(input.language),
        languages=_languages(input.languages),
        min_duration_seconds=input.min_duration_seconds,
        max_duration_seconds=input.max_duration_seconds,
        updated_after=input.updated_after,
        is_free=input.is_free,
        is_featured=input.is_featured,
        currency=currency,
        min_price=_units("minPrice", input.min_price, currency),
        max_price=_units("maxPrice", input.max_price, currency),
    )


def _languages(tags: list[str] | None) -> tuple[str, ...] | None:
    if tags is not None and len(tags) > MAX_LANGUAGES:
        raise _bad_user_input(f"`languages` has too many values. Use at most {MAX_LANGUAGES}.")
    return None if tags is None else tuple(map(_language, tags))


def _language(tag: str) -> str:
    return parse_language_tag(tag) or NO_LANGUAGE


def _units(name: str, amount: Decimal | None, currency: str | None) -> int | None:
    if amount is None or currency is None:
        return None
    try:
        return to_units(amount, currency)
    except ValueError as error:
        raise _bad_user_input(f"`{name}`: {error}") from None


def _bad_user_input(message: str) -> RequestError:
    return RequestError(RequestErrorCode.BAD_USER_INPUT, message)
