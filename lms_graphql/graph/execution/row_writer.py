"""Row writers: functions, generated for a selection, that turn rows into objects of the response.

A generated function reads attributes into local variables, checks their types and builds a dict display. So most
values need no call.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLOutputType,
    GraphQLString,
    Undefined,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

RowWriter = Callable[[Iterable[Any]], tuple[list[dict[str, Any]], int]]
"""Returns the objects, and the number of characters of their texts."""
MIN_INT, MAX_INT = -(2**31), 2**31 - 1


class PlanError(Exception):
    """A query without a plan, or a value that the plan leaves to the reference executor."""


class Leaf(NamedTuple):
    """A field that is read from an attribute of the row."""

    attribute: str
    type: GraphQLOutputType


def make_row_writer(fields: Mapping[str, Leaf | str | None]) -> RowWriter:
    """Return the writer of a selection. It raises an exception for a value that does not have the usual type.

    `fields` are all fields by response key: those that are read from the row, and constant values.
    """
    namespace: dict[str, Any] = {"PlanError": PlanError}
    lines = ["def write(rows):", " objects, characters = [], 0", " for row in rows:"]
    entries = []
    for number, (name, leaf) in enumerate(fields.items()):
        if isinstance(leaf, Leaf):
            lines.append(f"  v{number} = row.{leaf.attribute}")
            lines += [f"  {line}" for line in _check(leaf.type, f"v{number}", namespace)]
        entries.append(f"{name!r}: {f'v{number}' if isinstance(leaf, Leaf) else repr(leaf)}")
    lines += [f"  objects.append({{{', '.join(entries)}}})", " return objects, characters"]
    exec("\n".join(lines), namespace)  # noqa: S102 - names of GraphQL and Python, which have no other characters
    writer: RowWriter = namespace.pop("write")  # because the function refers to its namespace
    return writer


def _check(output_type: GraphQLOutputType, variable: str, namespace: dict[str, Any]) -> list[str]:
    """Return the lines that check a value and convert it to its form in the response."""
    leaf_type: Any = get_nullable_type(output_type)
    is_nullable = not is_non_null_type(output_type)
    unless_null = f"{variable} is not None and " if is_nullable else ""
    if leaf_type in (GraphQLString, GraphQLID):
        otherwise = f"elif {variable} is not None: raise PlanError" if is_nullable else "else: raise PlanError"
        return [f"if {variable}.__class__ is str: characters += len({variable})", otherwise]
    if leaf_type is GraphQLInt:
        is_int = f"{variable}.__class__ is int and {MIN_INT} <= {variable} <= {MAX_INT}"
        return [f"if {unless_null}not ({is_int}): raise PlanError"]
    if leaf_type is GraphQLBoolean:
        return [f"if {unless_null}{variable}.__class__ is not bool: raise PlanError"]
    if isinstance(leaf_type, GraphQLEnumType):
        values = {value.value: name for name, value in leaf_type.values.items()}
        namespace[f"names_{variable}"] = {**values, None: None} if is_nullable else values
        return [f"{variable} = names_{variable}[{variable}]"]
    namespace[f"complete_{variable}"] = make_leaf_completer(output_type)
    return [f"{variable} = complete_{variable}({variable})"]


def make_leaf_completer(output_type: Any) -> Callable[[Any], Any]:
    """Return a function that completes the value of a scalar, an enum or a list of them. It raises if it fails."""
    is_nullable, value_type = not is_non_null_type(output_type), get_nullable_type(output_type)
    if is_list_type(value_type):
        complete_item = make_leaf_completer(value_type.of_type)
        convert: Any = lambda items: [*map(complete_item, items)] if type(items) in (list, tuple) else None  # noqa: E731
    elif value_type in (GraphQLString, GraphQLID):
        # graphql-core would make a text of any object, of a pending load as well.
        convert = lambda value: value if type(value) is str else None  # noqa: E731
    else:
        convert = value_type.coerce_output_value

    def complete(value: Any) -> Any:
        completed = None if value is None else convert(value)
        if (completed is None and not (is_nullable and value is None)) or completed is Undefined:
            raise PlanError("The value does not have the type of the field.")
        return completed

    return complete
