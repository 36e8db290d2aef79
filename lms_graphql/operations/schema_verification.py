"""`db verify`: compare every table, relationship, enum and model property with the live database, by reading it."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CheckConstraint, Enum, Inspector, Table, UniqueConstraint, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapper, RelationshipProperty, Session, aliased

from lms_graphql.all_models import MODEL_MODULES
from lms_graphql.core.orm import Model
from lms_graphql.operations import migrations
from lms_graphql.operations.database_check import CheckResult


def verify_schema(session: Session) -> Iterator[CheckResult]:
    """Yield a result for each difference of the schema, then for each table, relationship, enum and property."""
    live = inspect(session.connection())
    for line in migrations.schema_drift(session.connection()):
        yield CheckResult(False, f"drift: {line}")
    for mapper in mappers():
        yield _table(session, live, mapper)
        for relationship in sorted(mapper.relationships, key=lambda relationship: relationship.key):
            yield _relationship(session, mapper, relationship)
        for column in mapper.local_table.columns:
            if isinstance(column.type, Enum):
                yield _enum(session, mapper, column)
        for name in _properties(mapper.class_):
            yield _property(session, mapper, name)


def mappers() -> list[Mapper[Any]]:
    """Return the mappers of all models, in the order of `MODEL_MODULES` and of their names."""
    order = {module.__name__: number for number, module in enumerate(MODEL_MODULES)}
    return sorted(
        Model.registry.mappers, key=lambda mapper: (order[mapper.class_.__module__], mapper.class_.__name__)
    )


def _table(session: Session, live: Inspector, mapper: Mapper[Any]) -> CheckResult:
    table = mapper.local_table
    name = str(getattr(table, "name", table))
    if not live.has_table(name):
        return CheckResult(False, f"table {name}: missing")
    problems = []
    for kind, expected, existing in _parts(live, mapper, name):
        if missing := sorted(expected - existing):
            problems.append(f"missing {kind} {', '.join(missing)}")
    if problems:
        return CheckResult(False, f"table {name}: {'; '.join(problems)}")
    rows = session.scalar(select(func.count()).select_from(table))
    return CheckResult(True, f"table {name}: {rows} rows")


def _parts(live: Inspector, mapper: Mapper[Any], name: str) -> Iterator[tuple[str, set[str], set[str]]]:
    """Yield each kind of part with the names in the model and the names in the database."""
    table = cast("Table", mapper.local_table)
    yield "columns", {column.name for column in table.columns}, {part["name"] for part in live.get_columns(name)}
    keys = {str(part.name) for part in table.foreign_key_constraints}
    yield "foreign keys", keys, {str(part["name"]) for part in live.get_foreign_keys(name)}
    unique = {str(part.name) for part in table.constraints if isinstance(part, UniqueConstraint)}
    yield "unique keys", unique, {str(part["name"]) for part in live.get_unique_constraints(name)}
    checks = {str(part.name) for part in table.constraints if isinstance(part, CheckConstraint)}
    yield "checks", checks, {str(part["name"]) for part in live.get_check_constraints(name)}
    indexes = {str(part.name) for part in table.indexes}
    yield "indexes", indexes, {str(part["name"]) for part in live.get_indexes(name)}


def _relationship(session: Session, mapper: Mapper[Any], relationship: RelationshipProperty[Any]) -> CheckResult:
    name = f"relationship {mapper.class_.__name__}.{relationship.key}"
    other = aliased(relationship.mapper.class_)
    link = getattr(mapper.class_, relationship.key)
    try:
        session.execute(select(mapper.class_, other).join(link.of_type(other)).limit(1)).first()
    except (SQLAlchemyError, LookupError) as error:
        return CheckResult(False, f"{name}: {_first_line(error)}")
    return CheckResult(True, f"{name} -> {relationship.mapper.class_.__name__}")


def _enum(session: Session, mapper: Mapper[Any], column: Any) -> CheckResult:
    name = f"enum {mapper.local_table}.{column.name}"
    enum_class: type[StrEnum] = column.type.enum_class
    try:
        values = session.scalars(select(func.lower(column)).distinct()).all()
    except SQLAlchemyError as error:
        return CheckResult(False, f"{name}: {_first_line(error)}")
    allowed = {member.value for member in enum_class}
    if unknown := sorted(str(value) for value in values if value is not None and str(value) not in allowed):
        return CheckResult(False, f"{name}: unknown values {', '.join(unknown)}")
    return CheckResult(True, f"{name}: {', '.join(sorted(allowed))}")


def _properties(model: type) -> list[str]:
    return sorted(name for name, value in vars(model).items() if isinstance(value, property))


def _property(session: Session, mapper: Mapper[Any], name: str) -> CheckResult:
    """Read the property of one row."""
    title = f"property {mapper.class_.__name__}.{name}"
    try:
        row = session.scalars(select(mapper.class_).limit(1)).first()
        if row is None:
            return CheckResult(True, f"{title}: no row to read it from")
        return CheckResult(True, f"{title}: {getattr(row, name)!r}")
    except (SQLAlchemyError, LookupError, AttributeError, TypeError, ValueError) as error:
        return CheckResult(False, f"{title}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
