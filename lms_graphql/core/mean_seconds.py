"""SQL function: the mean number of seconds between two times of many rows."""

from typing import Any

from sqlalchemy import Float, SQLColumnExpression
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class _MeanSeconds(GenericFunction[float]):
    """The databases have no common function for the difference of two times."""

    type = Float()
    inherit_cache = True
    name = "mean_seconds"


def mean_seconds(start: SQLColumnExpression[Any], end: SQLColumnExpression[Any]) -> _MeanSeconds:
    """Return the mean of `end - start` in seconds, as the column `mean_seconds`. It is null without rows."""
    return _MeanSeconds(start, end)


@compiles(_MeanSeconds, "mysql", "mariadb")
def _compile_for_mysql(function: _MeanSeconds, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(clause, **options) for clause in function.clauses)
    return f"AVG(TIMESTAMPDIFF(MICROSECOND, {start}, {end}) / 1000000)"


@compiles(_MeanSeconds, "sqlite")
def _compile_for_sqlite(function: _MeanSeconds, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(clause, **options) for clause in function.clauses)
    return f"AVG((JULIANDAY({end}) - JULIANDAY({start})) * 86400)"
