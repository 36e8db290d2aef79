"""Filters of the catalog: categories by slug, several difficulties, durations and dates of changes."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from lms_graphql.catalog.models import DifficultyLevel
from lms_graphql.core.actor import Role
from tests.factories import Factories, global_id
from tests.live_service import Client, StatementRecorder
from tests.row_writer import START

COURSES = (
    "query C($filter: CourseFilter, $first: Int) { courses(filter: $filter, first: $first) { nodes { title } } }"
)
COUNT = "query C($filter: CourseFilter) { courses(filter: $filter) { totalCount } }"
CHANGED = START + timedelta(days=30)


def iso(time: datetime) -> str:
    return time.isoformat()


@pytest.fixture
def three_courses(make: Factories) -> None:
    """Create a short, a long and an empty course: one in a category, one below it, one in another."""
    instructor = make.user(Role.INSTRUCTOR)
    code = make.category("Code")
    for title, category, difficulty, duration, days in (
        ("short", code, DifficultyLevel.BEGINNER, 600, 0),
        ("long", make.category("Python", parent=code), DifficultyLevel.INTERMEDIATE, 7200, 1),
        ("empty", make.category("Art"), DifficultyLevel.ADVANCED, 0, 2),
    ):
        make.course(
            title,
            instructor=instructor,
            category=category,
            lectures=0,
            difficulty_level=difficulty,
            total_duration=duration,
            updated_at=CHANGED + timedelta(days=days),
        )


@pytest.mark.query_budget
@pytest.mark.usefixtures("three_courses")
def test_filters_take_one_statement_and_one_for_categories(client: Client, statements: StatementRecorder) -> None:
    expected: list[tuple[dict[str, Any], set[str]]] = [
        ({"categorySlug": "code"}, {"short", "long"}),
        ({"categorySlug": " python "}, {"long"}),
        ({"categorySlug": "Code"}, set()),
        ({"categorySlug": ""}, set()),
        ({"categorySlug": "%"}, set()),
        ({"difficulties": ["BEGINNER", "ADVANCED", "BEGINNER"]}, {"short", "empty"}),
        ({"difficulties": []}, set()),
        ({"difficulties": None, "categorySlug": None, "updatedAfter": None}, {"short", "long", "empty"}),
        ({"difficulties": ["BEGINNER", "ADVANCED"], "difficulty": "ADVANCED"}, {"empty"}),
        ({"minDurationSeconds": 600}, {"short", "long"}),
        ({"maxDurationSeconds": 600}, {"short", "empty"}),
        ({"minDurationSeconds": 1, "maxDurationSeconds": 7199}, {"short"}),
        ({"minDurationSeconds": 601, "maxDurationSeconds": 600}, set()),
        ({"minDurationSeconds": -1}, {"short", "long", "empty"}),
        ({"updatedAfter": iso(CHANGED)}, {"long", "empty"}),
        ({"updatedAfter": iso(CHANGED - timedelta(microseconds=1))}, {"short", "long", "empty"}),
        ({"updatedAfter": iso(CHANGED + timedelta(days=2))}, set()),
        ({"categorySlug": "code", "difficulties": ["BEGINNER"], "maxDurationSeconds": 600}, {"short"}),
    ]
    for filter, titles in expected:
        with statements:
            data = client.execute(COURSES, filter=filter, first=10)
        assert {node["title"] for node in data["courses"]["nodes"]} == titles, filter
        assert statements.count == (2 if filter.get("categorySlug") is not None else 1), filter
        assert client.execute(COUNT, filter=filter)["courses"]["totalCount"] == len(titles), filter


def test_category_id_and_slug_together_are_rejected(client: Client, make: Factories) -> None:
    category = make.category("Code")
    both = {"categoryId": global_id("Category", category), "categorySlug": category.slug}
    assert client.error_codes(COUNT, filter=both) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    "filter", [{"difficulties": ["EXPERT"]}, {"minDurationSeconds": 1.5}, {"updatedAfter": "yesterday"}]
)
def test_filter_of_wrong_type_is_rejected(client: Client, filter: dict[str, Any]) -> None:
    assert client.error_codes(COUNT, filter=filter) == ["BAD_USER_INPUT"]
