"""The catalog's entrances."""

from decimal import Decimal
from typing import Annotated

import strawberry

from lms_graphql.catalog.models import CourseStatus, DifficultyLevel
from lms_graphql.catalog.reads import categories, courses
from lms_graphql.catalog.reads.courses import CourseFilter, CourseOrder
from lms_graphql.catalog.types.category import Category
from lms_graphql.catalog.types.course import Course
from lms_graphql.core import global_ids
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.core.money import DECIMALS, to_units
from lms_graphql.core.pagination import PageArguments
from lms_graphql.core.search_terms import query_terms
from lms_graphql.graph.context import Info
from lms_graphql.graph.schema.connections import After, Before, Connection, First, Last
from lms_graphql.graph.schema.fields import field, input_type, resolver_field

MAX_SEARCH_LENGTH = 200
NO_SUCH_KEY = 0
"""A key that no row has: what an id of another kind finds."""

Search = Annotated[
    str | None,
    strawberry.argument(
        description="Words that all must be there, without case and accents; the last one may be unfinished."
    ),
]
Order = Annotated[
    CourseOrder | None,
    strawberry.argument(description="Left out: RELEVANCE with `search`, else NEWEST."),
]
Slug = Annotated[str, strawberry.argument(description="Its part of an address.")]


@input_type(name="CourseFilter")
class CourseFilterInput:
    """What a course must be; a field left out asks nothing."""

    status: CourseStatus | None = field("PUBLISHED where left out.", default=None)
    category_id: strawberry.ID | None = field("The category or any category below it.", default=None)
    instructor_id: strawberry.ID | None = field("Who teaches it.", default=None)
    difficulty: DifficultyLevel | None = field("Whom it is written for.", default=None)
    language: str | None = field("BCP 47 tag, e.g. en.", default=None)
    is_free: bool | None = field("Whether it costs nothing.", default=None)
    is_featured: bool | None = field("Whether the platform recommends it.", default=None)
    currency: str | None = field("Of `minPrice` and `maxPrice`; the platform's own where left out.", default=None)
    min_price: Decimal | None = field("What it costs at least.", default=None)
    max_price: Decimal | None = field("What it costs at most.", default=None)


Filter = Annotated[CourseFilterInput | None, strawberry.argument(description="What a course must be.")]


@strawberry.type
class CatalogQueries:
    @resolver_field(name="categories")
    def root_categories(self, info: Info) -> list[Category]:
        """The root categories, in name order; `children` leads down."""
        return info.context.read(categories.root_categories)

    @strawberry.field
    def category(self, info: Info, slug: Slug) -> Category | None:
        """The category with this slug."""
        return info.context.load(categories.categories_by_slug, slug)

    @strawberry.field
    def course(self, info: Info, slug: Slug) -> Course | None:
        """The course with this slug."""
        return info.context.load(courses.courses_by_slug, slug)

    @resolver_field(name="courses")
    def all_courses(
        self,
        info: Info,
        filter: Filter = None,
        search: Search = None,
        order_by: Order = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Course]:
        """
        Published courses; course staff also find their own drafts with `filter: {status: DRAFT}`.
        `orderBy` left out: RELEVANCE with `search`, else NEWEST.
        """
        found = _words(search)
        chosen = order_by or (CourseOrder.NEWEST if found is None else CourseOrder.RELEVANCE)
        wanted = _filter(filter or CourseFilterInput(), info.context.settings.currency)
        listing = courses.courses(info.context.actor.access_level, wanted, found, chosen)
        return info.context.page(listing, PageArguments(first, after, last, before))


def _words(search: str | None) -> tuple[str, ...] | None:
    """None where nothing is searched for: an empty search box shows everything."""
    if search is None or not search.strip():
        return None
    if len(search) > MAX_SEARCH_LENGTH:
        raise _bad(f"Search for at most {MAX_SEARCH_LENGTH} characters.")
    return tuple(query_terms(search))


def _filter(asked: CourseFilterInput, own_currency: str) -> CourseFilter:
    currency = asked.currency
    priced = asked.min_price is not None or asked.max_price is not None
    if currency is None and priced:
        currency = own_currency
    if currency is not None and currency not in DECIMALS:
        raise _bad("`currency` is an ISO 4217 code, e.g. USD.")
    return CourseFilter(
        status=asked.status or CourseStatus.PUBLISHED,
        category_key=_key("Category", asked.category_id),
        instructor_key=_key("User", asked.instructor_id),
        difficulty=asked.difficulty,
        language=asked.language and asked.language.strip(),  # MariaDB takes "en " for "en", SQLite does not
        is_free=asked.is_free,
        is_featured=asked.is_featured,
        currency=currency,
        min_price=_units("minPrice", asked.min_price, currency),
        max_price=_units("maxPrice", asked.max_price, currency),
    )


def _key(kind: str, id: str | None) -> int | None:
    return None if id is None else global_ids.decode_key(kind, id) or NO_SUCH_KEY


def _units(name: str, amount: Decimal | None, currency: str | None) -> int | None:
    if amount is None or currency is None:
        return None
    try:
        return to_units(amount, currency)
    except ValueError as error:
        raise _bad(f"`{name}`: {error}") from None


def _bad(message: str) -> RequestError:
    return RequestError(RequestErrorCode.BAD_USER_INPUT, message)
