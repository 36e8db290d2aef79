"""Reads of courses: by key, by slug, and as lists with filters and orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache, partial
from operator import eq, ge, gt, le
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, SQLColumnExpression, and_, bindparam, false, or_, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Category, Course, CourseStatus, DifficultyLevel
from lms_graphql.catalog.policies import courses_visible_to
from lms_graphql.catalog.reads.categories import branch_keys, branches_by_category, category_nodes
from lms_graphql.catalog.reads.course_search import Matches, find_matches, stored_terms, term_binds
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.search_terms import QueryTerms
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows


class CourseOrder(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"
    PRICE_LOW_TO_HIGH = "price_low_to_high"
    PRICE_HIGH_TO_LOW = "price_high_to_low"
    MOST_ENROLLED = "most_enrolled"
    RECENTLY_UPDATED = "recently_updated"
    RELEVANCE = "relevance"


@with_global_id("Course")
class CourseRow(NamedTuple):
    key: int
    slug: str
    title: str
    title_key: str
    short_description: str | None
    description: str
    language: str
    difficulty: DifficultyLevel
    status: CourseStatus
    price_units: int
    currency: str
    is_featured: bool
    allow_qa: bool
    allow_notes: bool
    thumbnail_url: str | None
    preview_video_url: str | None
    instructor_key: int
    category_key: int | None
    lecture_count: int
    duration_seconds: int
    enrollment_count: int
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    score: int = 0
    """The relevance in search results, higher is better. 0 in other reads."""

    @property
    def is_free(self) -> bool:
        return self.price_units == 0


COLUMNS = (
    Course.id,
    Course.slug,
    Course.title,
    Course.title_key,
    Course.short_description,
    Course.description,
    Course.language,
    Course.difficulty_level,
    Course.status,
    Course.price,
    Course.currency,
    Course.is_featured,
    Course.allow_qa,
    Course.allow_notes,
    Course.thumbnail_url,
    Course.preview_video_url,
    Course.instructor_id,
    Course.category_id,
    Course.total_lectures,
    Course.total_duration,
    Course.enrollment_count,
    Course.published_at,
    Course.created_at,
    Course.updated_at,
    Course.version,
)


CATEGORY_KEYS: BindParameter[Any] = bindparam("category_keys", expanding=True)
"""The keys in the branch of the filter's category."""


@dataclass(frozen=True, slots=True)
class CourseFilter:
    """Conditions on a course; None means no condition. Prices are in the smallest unit of `currency`."""

    status: CourseStatus | None = CourseStatus.PUBLISHED
    statuses: tuple[CourseStatus, ...] | None = None
    category_key: int | None = None
    category_slug: str | None = None
    instructor_key: int | None = None
    difficulty: DifficultyLevel | None = None
    difficulties: tuple[DifficultyLevel, ...] | None = None
    language: str | None = None
    languages: tuple[str, ...] | None = None
    min_duration_seconds: int | None = None
    max_duration_seconds: int | None = None
    updated_after: datetime | None = None
    is_free: bool | None = None
    is_featured: bool | None = None
    currency: str | None = None
    min_price: int | None = None
    max_price: int | None = None


@cache
def _visible_courses(access_level: AccessLevel) -> RowSelect:
    return select(*COLUMNS).where(courses_visible_to(access_level))


@cache
def _by_key(access_level: AccessLevel) -> RowSelect:
    return _visible_courses(access_level).where(Course.id.in_(KEYS))


@cache
def _by_slug(access_level: AccessLevel) -> RowSelect:
    return _visible_courses(access_level).where(Course.slug.in_(KEYS))


def courses_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, CourseRow]:
    rows = fetch_rows(session, _by_key(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: CourseRow(*row) for row in rows}


def courses_by_slug(session: Session, actor: Actor, slugs: Sequence[str]) -> dict[str, CourseRow]:
    rows = fetch_rows(session, _by_slug(actor.access_level), {**actor.bind_params, "keys": slugs})
    return {row[1]: CourseRow(*row) for row in rows}


@lru_cache(maxsize=256)
def courses(
    access_level: AccessLevel, filter: CourseFilter, terms: QueryTerms | None, order_by: CourseOrder
) -> ListQuery:
    """Return the visible courses that match the filter. If `terms` is not None, they also match the search."""
    rows = select(*COLUMNS).where(courses_visible_to(access_level, filter.status), *filter_clauses(filter))
    binds = partial(_list_binds, filter, () if terms is None else stored_terms(terms))
    if terms is None:
        has_category = filter.category_key is not None or filter.category_slug is not None
        late_columns = COLUMNS if has_category else ()
        return ListQuery(rows, _to_row, _sort_order("courses", order_by), binds=binds, late_columns=late_columns)
    is_ranked = order_by is CourseOrder.RELEVANCE
    found = find_matches(rows, terms, is_ranked=is_ranked)
    to_row = _to_ranked_row if is_ranked else _to_row
    order = _sort_order("courses", order_by, found)
    return ListQuery(found.rows, to_row, order, binds=binds, late_columns=COLUMNS)


def _list_binds(filter: CourseFilter, terms: Sequence[str], session: Session) -> dict[str, Any]:
    binds: dict[str, Any] = dict(term_binds(session, terms))
    if filter.category_key is not None or filter.category_slug is not None:
        branch = branch_keys(category_nodes(session), filter.category_key, filter.category_slug)
        binds["category_keys"] = sorted(branch)
    return binds


@cache
def courses_of_category(order_by: CourseOrder) -> ListQuery:
    """Return the published courses in a category and its descendants."""
    rows = select(*COLUMNS).where(Course.status == CourseStatus.PUBLISHED)
    order = _sort_order("category.courses", order_by)
    return ListQuery(
        rows,
        _to_row,
        order,
        parent=Course.category_id,
        branches=branches_by_category,
        parent_key=Category.id,
        late_columns=COLUMNS,
    )


@cache
def courses_of_instructor(access_level: AccessLevel, status: CourseStatus | None) -> ListQuery:
    """Return the courses of an instructor. Only the instructor and super admins see unpublished ones."""
    rows = select(*COLUMNS)
    if status is not None:
        rows = rows.where(Course.status == status)
    if access_level is not AccessLevel.SUPER_ADMIN:
        rows = rows.where(or_(Course.status == CourseStatus.PUBLISHED, Course.instructor_id == VIEWER))
    return ListQuery(rows, _to_row, _sort_order("user.courses", CourseOrder.NEWEST), parent=Course.instructor_id)


def filter_clauses(filter: CourseFilter) -> list[ColumnElement[bool]]:
    """Return the clauses on `Course` of a filter."""
    clauses: list[ColumnElement[bool]] = []
    for column, compare, value in (
        (Course.status, eq, filter.status),
        (Course.instructor_id, eq, filter.instructor_key),
        (Course.difficulty_level, eq, filter.difficulty),
        (Course.is_featured, eq, filter.is_featured),
        (Course.currency, eq, filter.currency),
        (Course.price, ge, filter.min_price),
        (Course.price, le, filter.max_price),
        (Course.total_duration, ge, filter.min_duration_seconds),
        (Course.total_duration, le, filter.max_duration_seconds),
        (Course.updated_at, gt, filter.updated_after),
    ):
        if value is not None:
            clauses.append(compare(column, value))
    if filter.category_key is not None or filter.category_slug is not None:
        clauses.append(Course.category_id.in_(CATEGORY_KEYS))
    if filter.statuses is not None:
        clauses.append(Course.status.in_(filter.statuses))
    if filter.difficulties is not None:
        clauses.append(Course.difficulty_level.in_(filter.difficulties))
    if filter.language is not None:
        clauses.append(_has_language(filter.language))
    if filter.languages is not None:
        clauses.append(or_(false(), *map(_has_language, filter.languages)))
    if filter.is_free is not None:
        clauses.append(Course.price == 0 if filter.is_free else Course.price > 0)
    return clauses


def _has_language(tag: str) -> ColumnElement[bool]:
    """Return whether the course's language is the tag or begins with it: `en` finds `en-US`, but not the reverse."""
    if "-" not in tag:
        return Course.primary_language == tag
    return and_(Course.language >= tag, Course.language < f"{tag}.")  # the full stop follows the hyphen in ASCII


def _to_row(row: Any) -> CourseRow:
    """Return the course. Columns of the order may follow its own."""
    return CourseRow(*row[: len(COLUMNS)])


def _to_ranked_row(row: Any) -> CourseRow:
    return CourseRow(*row[: len(COLUMNS) + 1])


def _sort_order(list_name: str, order_by: CourseOrder, matches: Matches | None = None) -> SortOrder:
    """Return the sort order. `list_name` goes into cursors. Raise BAD_USER_INPUT for RELEVANCE without a search."""
    created = SortKey(Course.created_at, lambda row: row.created_at, datetime)
    price = (
        SortKey(Course.currency, lambda row: row.currency, str),
        SortKey(Course.price, lambda row: row.price_units, int),
    )
    sort_keys: dict[CourseOrder, tuple[SortKey, ...]] = {
        CourseOrder.NEWEST: (created,),
        CourseOrder.OLDEST: (created,),
        CourseOrder.TITLE: (SortKey(Course.title_key, lambda row: row.title_key, str),),
        CourseOrder.PRICE_LOW_TO_HIGH: price,
        CourseOrder.PRICE_HIGH_TO_LOW: price,
        CourseOrder.MOST_ENROLLED: (SortKey(Course.enrollment_count, lambda row: row.enrollment_count, int),),
        CourseOrder.RECENTLY_UPDATED: (SortKey(Course.updated_at, lambda row: row.updated_at, datetime),),
    }
    key: SQLColumnExpression[int] = Course.id
    if matches is not None and order_by is CourseOrder.RELEVANCE:
        key = matches.key
        sort_keys[CourseOrder.RELEVANCE] = (SortKey(matches.score, lambda row: row.score, int),)
    elif order_by is CourseOrder.RELEVANCE:
        message = "The order RELEVANCE needs a search. Add `search`, or choose another order."
        raise RequestError(RequestErrorCode.BAD_USER_INPUT, message)
    ascending = {CourseOrder.OLDEST, CourseOrder.TITLE, CourseOrder.PRICE_LOW_TO_HIGH}
    name = f"{list_name}:{order_by.value}"
    terms = (*sort_keys[order_by], SortKey(key, lambda row: row.key, int))
    return SortOrder(name, terms, descending=order_by not in ascending)
