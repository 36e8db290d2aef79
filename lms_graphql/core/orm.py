"""Column types, base classes and naming conventions that all tables share."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

import orjson
from sqlalchemy import BigInteger, Boolean, DateTime, Dialect, Enum, Integer, MetaData, String, Text, false, true
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

from lms_graphql.core import clock

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

MYSQL_OPTIONS = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_unicode_ci"}
TABLE_OPTIONS = {**MYSQL_OPTIONS, **{key.replace("mysql", "mariadb"): value for key, value in MYSQL_OPTIONS.items()}}

BigIntKey = BigInteger().with_variant(Integer, "sqlite")
"""Integer primary key. SQLite generates keys only for the type INTEGER."""


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC with microseconds: aware in Python, without an offset in the database."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("This datetime has no offset. Use clock.now(), not datetime.now().")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class FixedDecimal(TypeDecorator[Decimal]):
    """An exact number with two decimals, stored as an integer of hundredths, because SQLite has no decimal type."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        hundredths = value.scaleb(2)
        if hundredths != hundredths.to_integral_value():
            raise ValueError("This column stores two decimals. Round the value first.")
        return int(hundredths)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-2)


class Json(TypeDecorator[Any]):
    """Lists and objects as JSON text. The databases' own JSON types differ, and no query looks inside."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(long_text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


def case_sensitive(length: int) -> String:
    """Return a text type with exact comparison, for folded names, slugs, keys, codes and hashes."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return String(length).with_variant(binary, "mysql", "mariadb")


def long_text() -> Text:
    """Return a type for up to 50,000 characters, for which MySQL's TEXT (65,535 bytes) may be too small."""
    return Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def checked_enum(kind: type[StrEnum], name: str) -> Enum:
    """Return a type that stores the enum's value as text, with a CHECK constraint of this name."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
        validate_strings=True,
    )


class Model(DeclarativeBase):
    """Base class of all models."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime(),
        bool: Boolean(create_constraint=False),
    }


class TimestampedModel(Model):
    """A model with a primary key and the times of its creation and last change."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(BigIntKey, primary_key=True, sort_order=-3)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, sort_order=-2)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now, sort_order=-1)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Set AUTOINCREMENT, without which SQLite gives the key of a deleted row to the next row."""
        super().__init_subclass__(**kwargs)
        if "__abstract__" not in cls.__dict__:
            cls.metadata.tables[cls.__tablename__].dialect_options["sqlite"]["autoincrement"] = True


class OrderedModel(TimestampedModel):
    """A model whose rows have a position among those of their parent: 0, 1, 2 …"""

    __abstract__ = True

    order_index: Mapped[int] = mapped_column(default=0, server_default="0")


class VersionedOrderedModel(OrderedModel):
    """A model whose rows have a version. Services that raise it set `updated_at` as well.

    Positions and totals change without them, so `updated_at` is not set by each UPDATE.
    """

    __abstract__ = True

    updated_at: Mapped[datetime] = mapped_column(default=clock.now, sort_order=-1)
    version: Mapped[int] = mapped_column(default=1, server_default="1")


def true_column() -> Mapped[bool]:
    """Return a boolean column that defaults to true, also for rows inserted outside of this code."""
    return mapped_column(default=True, server_default=true())


def false_column() -> Mapped[bool]:
    """Return a boolean column that defaults to false, like `true_column`."""
    return mapped_column(default=False, server_default=false())


def counter_column() -> Mapped[int]:
    """Return an integer column that defaults to 0."""
    return mapped_column(default=0, server_default="0")
