"""Courses: one by one, and in lists by every order and filter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Course, CourseStatus, DifficultyLevel
from lms_graphql.catalog.policies import visible_to
from lms_graphql.catalog.reads.categories import subtree
from lms_graphql.catalog.reads.course_search import search_matches
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.errors import RequestError, RequestErrorCode
from lms_graphql.core.global_ids import with_global_id
from lms_graphql.core.list_queries import PARENTS, ListQuery
from lms_graphql.core.pagination import SortKey, SortOrder
from lms_graphql.core.statements import KEYS, RowSelect, fetch_rows


class CourseOrder(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"
    PRICE_LOW_TO_HIGH = "price_low_to_high"
    PRICE_HIGH_TO_LOW = "price_high_to_low"
    MOST_ENROLLED = "most_enrolled"
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
    """How well it answers a search; 0 outside of one."""

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


@dataclass(frozen=True, slots=True)
class CourseFilter:
    """What a course must be; None asks nothing. Prices count the smallest unit of `currency`."""

    status: CourseStatus = CourseStatus.PUBLISHED
    category_key: int | None = None
    instructor_key: int | None = None
    difficulty: DifficultyLevel | None = None
    language: str | None = None
    is_free: bool | None = None
    is_featured: bool | None = None
    currency: str | None = None
    min_price: int | None = None
    max_price: int | None = None


@cache
def _visible(scope: AccessLevel) -> RowSelect:
    return select(*COLUMNS).where(visible_to(scope))


@cache
def _by_id(scope: AccessLevel) -> RowSelect:
    return _visible(scope).where(Course.id.in_(KEYS))


@cache
def _by_slug(scope: AccessLevel) -> RowSelect:
    return _visible(scope).where(Course.slug.in_(KEYS))


def courses_by_key(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, CourseRow]:
    rows = fetch_rows(session, _by_id(actor.access_level), {**actor.bind_params, "keys": keys})
    return {row[0]: CourseRow(*row) for row in rows}


def courses_by_slug(session: Session, actor: Actor, slugs: Sequence[str]) -> dict[str, CourseRow]:
    rows = fetch_rows(session, _by_slug(actor.access_level), {**actor.bind_params, "keys": slugs})
    return {row[1]: CourseRow(*row) for row in rows}


@lru_cache(maxsize=256)
def courses(
    scope: AccessLevel, asked: CourseFilter, words: tuple[str, ...] | None, order_by: CourseOrder
) -> ListQuery:
    """All courses that the filter and, where there are `words`, the search leave."""
    rows = _visible(scope).where(*_clauses(asked))
    score: ColumnElement[int] | None = None
    if words is not None:
        found = search_matches(words)
        score = found.c.score
        rows = rows.join(found, found.c.course_id == Course.id).add_columns(score)
    return ListQuery(rows, _make, _order("courses", order_by, score))


@cache
def courses_of_category(order_by: CourseOrder) -> ListQuery:
    """Published courses in a category or any below it."""
    branch = subtree(PARENTS)
    published = Course.status == CourseStatus.PUBLISHED
    rows = select(*COLUMNS).join(branch, branch.c.member == Course.category_id).where(published)
    return ListQuery(rows, _make, _order("category.courses", order_by), parent=branch.c.root)


@cache
def courses_of_instructor(scope: AccessLevel, status: CourseStatus | None) -> ListQuery:
    """What someone teaches: others see the published ones only."""
    rows = select(*COLUMNS)
    if status is not None:
        rows = rows.where(Course.status == status)
    if scope is not AccessLevel.ADMIN:
        rows = rows.where(or_(Course.status == CourseStatus.PUBLISHED, Course.instructor_id == VIEWER))
    return ListQuery(rows, _make, _order("user.courses", CourseOrder.NEWEST), parent=Course.instructor_id)


def _clauses(asked: CourseFilter) -> list[ColumnElement[bool]]:
    clauses = [Course.status == asked.status]
    if asked.category_key is not None:
        branch = subtree((asked.category_key,))
        clauses.append(Course.category_id.in_(select(branch.c.member)))
    for column, wanted in (
        (Course.instructor_id, asked.instructor_key),
        (Course.difficulty_level, asked.difficulty),
        (Course.language, asked.language),
        (Course.is_featured, asked.is_featured),
        (Course.currency, asked.currency),
    ):
        if wanted is not None:
            clauses.append(column == wanted)
    if asked.is_free is not None:
        clauses.append(Course.price == 0 if asked.is_free else Course.price > 0)
    if asked.min_price is not None:
        clauses.append(Course.price >= asked.min_price)
    if asked.max_price is not None:
        clauses.append(Course.price <= asked.max_price)
    return clauses


def _make(row: Any) -> CourseRow:
    return CourseRow(*row)


def _order(listed: str, order_by: CourseOrder, score: ColumnElement[int] | None = None) -> SortOrder:
    created = SortKey(Course.created_at, lambda row: row.created_at, datetime)
    price = (
        SortKey(Course.currency, lambda row: row.currency, str),
        SortKey(Course.price, lambda row: row.price_units, int),
    )
    terms: dict[CourseOrder, tuple[SortKey, ...]] = {
        CourseOrder.NEWEST: (created,),
        CourseOrder.OLDEST: (created,),
        CourseOrder.TITLE: (SortKey(Course.title_key, lambda row: row.title_key, str),),
        CourseOrder.PRICE_LOW_TO_HIGH: price,
        CourseOrder.PRICE_HIGH_TO_LOW: price,
        CourseOrder.MOST_ENROLLED: (SortKey(Course.enrollment_count, lambda row: row.enrollment_count, int),),
    }
    if score is not None:
        terms[CourseOrder.RELEVANCE] = (SortKey(score, lambda row: row.score, int),)
    elif order_by is CourseOrder.RELEVANCE:
        message = "RELEVANCE sorts what a search has found: give `search`, or another order."
        raise RequestError(RequestErrorCode.BAD_USER_INPUT, message)
    key = SortKey(Course.id, lambda row: row.key, int)
    rising = {CourseOrder.OLDEST, CourseOrder.TITLE, CourseOrder.PRICE_LOW_TO_HIGH}
    return SortOrder(f"{listed}:{order_by.value}", (*terms[order_by], key), descending=order_by not in rising)
