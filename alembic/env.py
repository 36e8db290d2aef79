"""Migration environment: uses the connection from `operations.migrations`, or else the settings' database."""

from typing import Any, Literal

from sqlalchemy import BigInteger, Connection, String, Text

from alembic import context
from lms_graphql import settings
from lms_graphql.all_models import metadata
from lms_graphql.core import orm
from lms_graphql.core.engines import make_engine
from lms_graphql.operations.migrations import is_model_table


def render_type(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """Return the source of a column's type in a new migration: the name that the models use."""
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
        include_name=is_model_table,
        render_item=render_type,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_on_settings_database() -> None:
    engine = make_engine(settings.load_settings().url, pool_size=1)
    with engine.begin() as connection:
        run(connection)


if context.is_offline_mode():
    raise SystemExit("Migrations need a database and cannot print SQL. Run `lms-graphql db migrate`.")
connection = context.config.attributes.get("connection")
if connection is None:
    run_on_settings_database()
else:
    run(connection)
