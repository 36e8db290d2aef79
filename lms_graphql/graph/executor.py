"""graphql-core's executor with a short way for the commonest field: a plain value read off a row.

graphql-core makes a path, an info object and several calls for each field. Where a field has no resolver of its own
and is a leaf, its value is an attribute that only needs its form checked. Everything else, and every value that is
not as expected, goes the long way, so that errors come out the same.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    Undefined,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path, gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

Output = Callable[[Any], Any]
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1


class Step(NamedTuple):
    """A field of a selection: read off the row by this attribute, or None where it goes the long way."""

    response_name: str
    details: FieldDetailsList
    attribute: str | None
    output: Output
    nullable: bool


class Steps(NamedTuple):
    of: GroupedFieldSet
    """Kept, so that its id, by which the steps are found, is not given to another."""
    steps: list[Step]
    plain: bool
    """Whether every field is read off the row."""


class RowExecutor(StrawberryGraphQLCoreExecutionContext):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._steps: dict[int, Steps] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        results: dict[str, Any] = {}
        waiting: list[str] = []
        try:
            for name, details, attribute, output, nullable in self._steps_of(parent_type, grouped_field_set).steps:
                if attribute is not None:
                    value = getattr(source_value, attribute, Undefined)
                    if value is None and nullable:
                        results[name] = None
                        continue
                    value = output(value)
                    if value is not Undefined:
                        results[name] = value
                        continue
                field_path = Path(path, name, parent_type.name)
                result = self.execute_field(parent_type, source_value, details, field_path, position_context)
                if result is not Undefined:
                    results[name] = result
                    if self.is_awaitable(result):
                        waiting.append(name)
        except Exception:
            if waiting:
                self.settle_in_background([results[name] for name in waiting])
            raise
        return _settled(results, waiting) if waiting else results

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: Any,
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> AwaitableOrValue[list[Any]]:
        kind = item_type.of_type if is_non_null_type(item_type) else item_type
        if isinstance(kind, GraphQLObjectType) and isinstance(items, list):
            selected = self.collect_subfields(kind, field_details_list)[0]
            steps = self._steps_of(kind, selected)
            if steps.plain and (rows := _plain_rows(steps.steps, items)) is not None:
                return rows
        return super().complete_iterable_value(item_type, field_details_list, info, path, items, position_context)

    def _steps_of(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> Steps:
        known = self._steps.get(id(fields))
        if known is None:
            steps = [self._step(parent_type, name, details) for name, details in fields.items()]
            known = Steps(fields, steps, all(step.attribute is not None for step in steps))
            self._steps[id(fields)] = known
        return known

    def _step(self, parent_type: GraphQLObjectType, response_name: str, details: FieldDetailsList) -> Step:
        name = details[0].node.name.value
        definition = self.schema.get_field(parent_type, name)
        attribute = None if definition is None else _attribute_of(definition)
        if definition is None or attribute is None:
            return Step(response_name, details, None, _long_way, False)
        leaf = cast("GraphQLLeafType", get_nullable_type(definition.type))
        return Step(response_name, details, attribute, _output_of(leaf), not is_non_null_type(definition.type))


def _plain_rows(steps: list[Step], items: list[Any]) -> list[dict[str, Any]] | None:
    """All of a list whose fields are read off its rows; None where a value is not as expected."""
    rows = []
    for item in items:
        row: dict[str, Any] = {}
        for name, _, attribute, output, nullable in steps:
            value = getattr(item, attribute, Undefined)  # type: ignore[arg-type]
            if value is None and nullable:
                row[name] = None
                continue
            value = output(value)
            if value is Undefined:
                return None
            row[name] = value
        rows.append(row)
    return rows


async def _settled(results: dict[str, Any], waiting: list[str]) -> dict[str, Any]:
    if len(waiting) == 1:
        results[waiting[0]] = await results[waiting[0]]
    else:
        values = await gather_with_cancel(*(results[name] for name in waiting))
        results.update(zip(waiting, values, strict=True))
    return results


def _attribute_of(definition: GraphQLField) -> str | None:
    """The row's attribute that this field shows, where it shows one as it is."""
    field: StrawberryField | None = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    plain = field is not None and field.is_basic_field and is_leaf_type(get_nullable_type(definition.type))
    return field.python_name if plain and field is not None else None


def _output_of(leaf: GraphQLLeafType) -> Output:
    if leaf is GraphQLInt:
        return _integer
    if isinstance(leaf, GraphQLEnumType):
        names = {value.value: name for name, value in leaf.values.items()}
        return lambda value: names.get(value, Undefined)
    expected = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}.get(leaf)
    if expected is not None:
        return lambda value: value if type(value) is expected else Undefined
    return leaf.coerce_output_value if hasattr(leaf, "coerce_output_value") else _long_way


def _integer(value: Any) -> Any:
    return value if type(value) is int and _SMALLEST <= value <= _LARGEST else Undefined


def _long_way(value: Any) -> Any:
    return Undefined
