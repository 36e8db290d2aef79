"""Facets of courses: numbers of courses by difficulty, language, category and price."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from lms_graphql.catalog.language_tags import has_language
from lms_graphql.catalog.models import Course, CourseTerm, DifficultyLevel
from lms_graphql.catalog.policies import courses_visible_to
from lms_graphql.catalog.reads.categories import CategoryNode, branch_keys, category_nodes
from lms_graphql.catalog.reads.course_search import stored_terms
from lms_graphql.catalog.reads.courses import CourseFilter, filter_clauses
from lms_graphql.core.actor import AccessLevel, Actor
from lms_graphql.core.search_terms import QueryTerms
from lms_graphql.core.statements import RowSelect, fetch_rows
from lms_graphql.core.term_matches import has_all_terms

T = TypeVar("T")

MAX_VALUES = 100
"""The number of values of a facet. The rarest ones are left out."""


@dataclass(frozen=True, slots=True)
class DifficultyCount:
    difficulty: DifficultyLevel
    count: int


@dataclass(frozen=True, slots=True)
class LanguageCount:
    language: str
    count: int


@dataclass(frozen=True, slots=True)
class CategoryCount:
    category_key: int
    count: int


class CourseCounts(NamedTuple):
    """Facets of the courses that match a filter and a search. Each ignores its own conditions."""

    total_count: int
    difficulties: list[DifficultyCount]
    languages: list[LanguageCount]
    category_counts: list[CategoryCount]
    free_count: int
    paid_count: int


class _Group(NamedTuple):
    """Courses that have these three values in common: their number, and how many of them are free."""

    difficulty: DifficultyLevel
    language: str
    category_key: int | None
    course_count: int
    free_count: int


class _Conditions(NamedTuple):
    """The facets' own conditions of a filter: the values that match, or None if all do."""

    difficulties: Collection[DifficultyLevel] | None
    languages: Collection[str] | None
    categories: Collection[int] | None
    is_free: bool | None


@dataclass(slots=True)
class _Sums:
    """Sums of groups. Each facet ignores its own conditions, and the total ignores none."""

    total_count: int = 0
    difficulties: Counter[DifficultyLevel] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    categories: Counter[int] = field(default_factory=Counter)
    free_count: int = 0
    paid_count: int = 0


WITHOUT_FACETS: dict[str, Any] = dict.fromkeys(
    ("difficulty", "difficulties", "language", "languages", "category_key", "category_slug", "is_free")
)
"""Changes of a filter that remove the conditions which a facet ignores."""


def course_facets(session: Session, actor: Actor, filter: CourseFilter, terms: QueryTerms | None) -> CourseCounts:
    """Return the facets of the visible courses that match the filter and the search.

    One statement counts the groups of courses that match all conditions but those of the facets. Every facet is a sum
    of some groups, so the conditions of the facets are applied to groups instead of courses.
    """
    statement = _groups(actor.access_level, replace(filter, **WITHOUT_FACETS), terms)
    groups = [_Group._make(row) for row in fetch_rows(session, statement, actor.bind_params)]
    categories = category_nodes(session)
    sums = _sum_groups(groups, _conditions(filter, {group.language for group in groups}, categories))
    positions = {category.key: position for position, category in enumerate(categories)}
    return CourseCounts(
        sums.total_count,
        [DifficultyCount(*item) for item in _most_frequent(sums.difficulties, lambda difficulty: difficulty.value)],
        [LanguageCount(*item) for item in _most_frequent(_with_subtags(sums.languages), str)],
        [CategoryCount(*item) for item in _most_frequent(sums.categories, lambda key: positions.get(key, -1))],
        sums.free_count,
        sums.paid_count,
    )


@lru_cache(maxsize=256)
def _groups(access_level: AccessLevel, filter: CourseFilter, terms: QueryTerms | None) -> RowSelect:
    """Return the statement for the groups of the courses that match. `ix_courses_facets` has its columns."""
    keys = (Course.difficulty_level, Course.language, Course.category_id)
    free_count = func.count(case((Course.price == 0, 1)))
    groups = select(*keys, func.count(), free_count).group_by(*keys)
    groups = groups.where(courses_visible_to(access_level, filter.status), *filter_clauses(filter))
    if terms is None:
        return groups
    words = QueryTerms(stored_terms(terms))
    return groups.where(has_all_terms(Course.id, CourseTerm.term, CourseTerm.course_id, words))


def _conditions(filter: CourseFilter, languages: Collection[str], categories: Sequence[CategoryNode]) -> _Conditions:
    """Return the values that match the facets' own conditions, among these languages and categories."""
    difficulties: set[DifficultyLevel] | None = None
    if filter.difficulty is not None or filter.difficulties is not None:
        one = set(DifficultyLevel) if filter.difficulty is None else {filter.difficulty}
        difficulties = one if filter.difficulties is None else one & set(filter.difficulties)
    matching_languages: set[str] | None = None
    if filter.language is not None or filter.languages is not None:
        matching_languages = {language for language in languages if _matches_language(language, filter)}
    matching_categories: set[int] | None = None
    if filter.category_key is not None or filter.category_slug is not None:
        matching_categories = branch_keys(categories, filter.category_key, filter.category_slug)
    return _Conditions(difficulties, matching_languages, matching_categories, filter.is_free)


def _matches_language(language: str, filter: CourseFilter) -> bool:
    is_one = filter.language is None or has_language(language, filter.language)
    return is_one and (filter.languages is None or any(has_language(language, tag) for tag in filter.languages))


def _sum_groups(groups: Iterable[_Group], conditions: _Conditions) -> _Sums:
    sums = _Sums()
    for group in groups:
        count = group.course_count
        if conditions.is_free is not None:
            count = group.free_count if conditions.is_free else group.course_count - group.free_count
        difficulty_matches = _allows(conditions.difficulties, group.difficulty)
        language_matches = _allows(conditions.languages, group.language)
        category_matches = _allows(conditions.categories, group.category_key)
        if language_matches and category_matches:
            sums.difficulties[group.difficulty] += count
        if difficulty_matches and category_matches:
            sums.languages[group.language] += count
        if difficulty_matches and language_matches and group.category_key is not None:
            sums.categories[group.category_key] += count
        if difficulty_matches and language_matches and category_matches:
            sums.total_count += count
            sums.free_count += group.free_count
            sums.paid_count += group.course_count - group.free_count
    return sums


def _allows(values: Collection[Any] | None, value: Any) -> bool:
    return values is None or value in values


def _with_subtags(counts: Mapping[str, int]) -> dict[str, int]:
    """Add the courses in `en-US` to those in `en`, as the filter does. Languages that no course has are not added."""
    totals = dict(counts)
    for language, count in counts.items():
        subtags = language.split("-")
        for length in range(1, len(subtags)):
            if (shorter := "-".join(subtags[:length])) in totals:
                totals[shorter] += count
    return totals


def _most_frequent(counts: Mapping[T, int], order: Callable[[T], Any]) -> list[tuple[T, int]]:
    """Return the values with courses, at most `MAX_VALUES`: the most frequent first, then by `order`."""
    present = (item for item in counts.items() if item[1])
    return sorted(present, key=lambda item: (-item[1], order(item[0])))[:MAX_VALUES]
