"""The categories below those of `db init`."""

from collections.abc import Mapping
from datetime import timedelta

from lms_graphql.catalog.models import Category
from lms_graphql.core.text import sort_key
from lms_graphql.demo import resources
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.demo.timeline import FIRST


def place_categories(rows: RowBuffer, existing: Mapping[str, int]) -> dict[str, int]:
    """The keys of all categories by slug. One that is there already is used as it is."""
    ids = dict(existing)
    for number, (slug, text) in enumerate(resources.read("pools/categories").items()):
        if slug in ids:
            continue
        ids[slug] = rows.key(Category)
        made_at = FIRST - timedelta(days=60) + timedelta(minutes=number)
        rows.add(
            Category,
            id=ids[slug],
            created_at=made_at,
            updated_at=made_at,
            name=text["name"],
            name_key=sort_key(text["name"]),
            slug=slug,
            description=text["description"],
            parent_id=ids[text["parent"]],
        )
    return ids
