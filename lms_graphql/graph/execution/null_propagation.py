"""Where a null belongs that a field which may not be null leaves behind: at the nearest place above that may be."""

from typing import Any

from graphql import GraphQLObjectType, GraphQLOutputType, is_list_type, is_non_null_type
from graphql.execution import Executor
from graphql.execution.collect_fields import GroupedFieldSet
from graphql.pyutils import Path


def propagate_null(
    executor: Executor[Any], root_type: GraphQLObjectType, fields: GroupedFieldSet, data: Any, path: Path
) -> Any:
    """The data with that place nulled; None where there is no such place but the whole answer."""
    steps = _from_the_root(path)
    here: Any = data
    place: tuple[Any, str | int] | None = None
    parent_type, expected = root_type, None
    for number, step in enumerate(steps):
        if here is None:
            return data  # nulled already, by another failure
        if isinstance(step.key, str):
            parent_type = executor.schema.type_map[step.typename or parent_type.name]  # type: ignore[assignment]
            details = fields[step.key]
            definition = executor.schema.get_field(parent_type, details[0].node.name.value)
            assert definition is not None
            expected = definition.type
        else:
            expected = _item_type(expected)
        if not is_non_null_type(expected):
            place = (here, step.key)
        here = here[step.key]
        following = steps[number + 1] if number + 1 < len(steps) else None
        if following is not None and isinstance(following.key, str):
            below: Any = executor.schema.type_map[following.typename or ""]
            fields = executor.collect_subfields(below, details)[0]
    if place is None:
        return None
    place[0][place[1]] = None
    return data


def _from_the_root(path: Path) -> list[Path]:
    steps = []
    step: Path | None = path
    while step is not None:
        steps.append(step)
        step = step.prev
    return steps[::-1]


def _item_type(of: GraphQLOutputType | None) -> GraphQLOutputType:
    kind = of.of_type if is_non_null_type(of) else of
    assert is_list_type(kind)
    return kind.of_type
