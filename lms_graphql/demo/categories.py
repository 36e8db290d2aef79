"""Demo categories below those of `db init`."""

from collections.abc import Mapping
from datetime import timedelta

from lms_graphql.catalog.models import Category
from lms_graphql.core.text import sort_key
from lms_graphql.demo import resources
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import START


def add_categories(rows: RowBuffer, existing_keys: Mapping[str, int]) -> dict[str, int]:
    """Add the demo categories and return the keys of all categories by slug. Existing categories are not changed."""
    keys = dict(existing_keys)
    for number, (slug, text) in enumerate(resources.read("pools/categories").items()):
        if slug in keys:
            continue
        keys[slug] = rows.next_key(Category)
        created_at = START - timedelta(days=60) + timedelta(minutes=number)
        rows.add(
            Category,
            id=keys[slug],
            created_at=created_at,
            updated_at=created_at,
            name=text["name"],
            name_key=sort_key(text["name"]),
            slug=slug,
            description=text["description"],
            parent_id=keys[text["parent"]],
        )
    return keys
