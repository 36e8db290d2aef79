"""Null propagation: if a field that cannot be null fails, the nearest nullable position above it becomes null."""

from typing import Any

from graphql import GraphQLObjectType, GraphQLOutputType, is_list_type, is_non_null_type
from graphql.execution import Executor

from lms_graphql.graph.execution.graphql_internals import GroupedFieldSet, Path, collect_object_fields


def propagate_null(
    executor: Executor[Any], root_type: GraphQLObjectType, fields: GroupedFieldSet, data: Any, path: Path
) -> Any:
    """Set the nearest nullable position at or above the path to null. Return the data, or None if nothing is left."""
    steps = _steps_from_root(path)
    value: Any = data
    nullable: tuple[Any, str | int] | None = None
    parent_type, expected_type = root_type, None
    for number, step in enumerate(steps):
        if value is None:
            return data  # because another failure has set this position to null already
        if isinstance(step.key, str):
            parent_type = executor.schema.type_map[step.typename or parent_type.name]  # type: ignore[assignment]
            details = fields[step.key]
            definition = executor.schema.get_field(parent_type, details[0].node.name.value)
            assert definition is not None
            expected_type = definition.type
        else:
            expected_type = _item_type(expected_type)
        if not is_non_null_type(expected_type):
            nullable = (value, step.key)
        value = value[step.key]
        next_step = steps[number + 1] if number + 1 < len(steps) else None
        if next_step is not None and isinstance(next_step.key, str):
            object_type: Any = executor.schema.type_map[next_step.typename or ""]
            fields = collect_object_fields(executor, object_type, details)
    if nullable is None:
        return None
    nullable[0][nullable[1]] = None
    return data


def _steps_from_root(path: Path) -> list[Path]:
    steps = []
    step: Path | None = path
    while step is not None:
        steps.append(step)
        step = step.prev
    return steps[::-1]


def _item_type(output_type: GraphQLOutputType | None) -> GraphQLOutputType:
    list_type = output_type.of_type if is_non_null_type(output_type) else output_type
    assert is_list_type(list_type)
    return list_type.of_type
