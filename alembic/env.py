"""Runs the migrations on the connection that `operations.migrations` hands in, or on the settings' database."""

from typing import Any, Literal

from sqlalchemy import BigInteger, Connection, String, Text

from alembic import context
from lms_graphql import settings
from lms_graphql.all_models import metadata
from lms_graphql.core import orm
from lms_graphql.core.engines import make_engine


def written(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """How a column's type stands in a new migration: by the name that the models use."""
    if kind != "type":
        return False
    if isinstance(item, orm.UtcDateTime | orm.FixedDecimal | orm.Json):
        return f"orm.{type(item).__name__}()"
    if isinstance(item, BigInteger) and "sqlite" in item._variant_mapping:
        return "orm.BigIntKey"
    if isinstance(item, Text) and "mysql" in item._variant_mapping:
        return "orm.long_text()"
    if type(item) is String and "mysql" in item._variant_mapping:
        return f"orm.case_sensitive({item.length})"
    return False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        render_item=written,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_on_the_settings_database() -> None:
    engine = make_engine(settings.load_settings().url, pool_size=1)
    with engine.begin() as connection:
        run(connection)


if context.is_offline_mode():
    raise SystemExit("Migrations need a database: `lms-graphql db migrate`.")
handed_in = context.config.attributes.get("connection")
if handed_in is None:
    run_on_the_settings_database()
else:
    run(handed_in)
