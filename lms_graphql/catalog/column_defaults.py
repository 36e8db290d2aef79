"""Defaults of columns that follow from other columns, for rows inserted with SQLAlchemy Core, without validators."""

from sqlalchemy.engine.default import DefaultExecutionContext

from lms_graphql.catalog.language_tags import primary_language


def default_parent_key(context: DefaultExecutionContext) -> int:
    """Return the default of `Category.parent_key`."""
    parent: int | None = context.get_current_parameters().get("parent_id")  # type: ignore[no-untyped-call]
    return parent or 0


def default_primary_language(context: DefaultExecutionContext) -> str:
    """Return the default of `Course.primary_language`."""
    return primary_language(context.get_current_parameters()["language"])  # type: ignore[no-untyped-call]
