"""Undocumented parts of graphql-core and Strawberry that the toolbox uses. An upgrade that changes one fails here.

`docs/architecture.md` lists them. They are used in `graphql_internals`, `executor`, `literal_validation`,
`strawberry_internals` and `builder` alone.
"""

import ast
import asyncio
import enum
import inspect
import subprocess
import sys
from pathlib import Path as FilePath
from types import SimpleNamespace
from typing import Any, cast

import pytest
import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLObjectType,
    GraphQLString,
    Undefined,
    ValuesOfCorrectTypeRule,
    execute,
    parse,
    validate,
)
from graphql.execution import Executor
from graphql.execution.executor import CollectedErrors

import lms_graphql
from lms_graphql.graph.execution import graphql_internals
from lms_graphql.graph.execution.executor import ReferenceExecutor
from lms_graphql.graph.execution.graphql_internals import Path, StrawberryExecutor
from lms_graphql.graph.execution.response_budget import ResponseBudget
from lms_graphql.graph.literal_validation import LocatedValuesOfCorrectTypeRule
from lms_graphql.graph.schema import strawberry_internals
from lms_graphql.graph.schema.builder import print_sdl
from lms_graphql.graph.schema.fields import expose_enum
from lms_graphql.schema import schema

OVERRIDDEN = [
    "execute_root_grouped_field_set",
    "execute_fields",
    "handle_field_error",
    "complete_iterable_value",
]
CALLED = {
    "complete_value": ["return_type", "field_details_list", "info", "path", "result", "position_context"],
    "build_resolve_info": ["field_def", "field_nodes", "parent_type", "path"],
    "collect_subfields": ["return_type", "field_details_list"],
}
PRIVATE_MODULES = ("strawberry.execution", "strawberry.schema.", "strawberry.types.", "strawberry.utils.")
DOCUMENTED_MODULES = {"strawberry.schema.config"}
INTERNALS = {"graphql_internals.py", "strawberry_internals.py"}

DOCUMENT = "query ($n: Int = 3) { page(first: $n) { name size } }"


@strawberry.type
class Item:
    name: str
    size: int

    @strawberry.field
    def label(self) -> str:
        return f"{self.name} {self.size}"


@strawberry.type
class Query:
    @strawberry.field
    def page(self, first: int, after: str | None = None) -> list[Item]:
        return [Item(name="box", size=first)]


class RecordingExecutor(StrawberryExecutor):
    """Standard executor that records what the internals return while it executes."""

    def execute_fields(self, parent_type: Any, source_value: Any, path: Any, field_set: Any, position: Any) -> Any:
        self.context_value.calls.append((self, parent_type, path, field_set))
        return super().execute_fields(parent_type, source_value, path, field_set, position)


@pytest.fixture(scope="module")
def calls() -> list[Any]:
    """Return executor, type, path and selection of each object of one execution: the query, then its item."""
    context = SimpleNamespace(calls=[])
    small_schema = strawberry.Schema(Query)._schema
    result: Any = execute(small_schema, parse(DOCUMENT), context_value=context, executor_class=RecordingExecutor)
    assert result.errors is None
    return context.calls


def imported_modules(path: FilePath) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def test_undocumented_strawberry_modules_are_imported_only_by_internals() -> None:
    package = FilePath(lms_graphql.__file__).parent
    importers = {
        path.name
        for path in package.rglob("*.py")
        if any(name.startswith(PRIVATE_MODULES) for name in imported_modules(path) - DOCUMENTED_MODULES)
    }
    assert importers == INTERNALS


@pytest.mark.parametrize("method", OVERRIDDEN)
def test_overridden_executor_method_has_the_same_parameters(method: str) -> None:
    overriding, standard = getattr(ReferenceExecutor, method), getattr(Executor, method)
    assert list(inspect.signature(overriding).parameters) == list(inspect.signature(standard).parameters)


@pytest.mark.parametrize("method", CALLED)
def test_called_executor_method_has_expected_parameters(method: str) -> None:
    assert list(inspect.signature(getattr(Executor, method)).parameters) == ["self", *CALLED[method]]


def test_executor_has_expected_attributes(calls: list[Any]) -> None:
    executor = calls[0][0]
    assert isinstance(executor, Executor)
    assert executor.error_propagation is True
    assert executor.is_awaitable(1) is False
    assert list(inspect.signature(CollectedErrors.add).parameters) == ["self", "error", "path"]
    assert isinstance(executor.collected_errors, CollectedErrors)
    assert type(executor.async_helpers) is type(graphql_internals.ASYNC_HELPERS)


def test_strawberry_info_has_plain_variables(calls: list[Any]) -> None:
    executor, query_type, _, field_set = calls[0]
    nodes = [details.node for details in field_set["page"]]
    info = executor.build_resolve_info(query_type.fields["page"], nodes, query_type, Path(None, "page", "Query"))
    assert info.variable_values == {"n": 3}
    assert info.context is executor.context_value


def test_path_links_to_the_root(calls: list[Any]) -> None:
    path = calls[1][2]
    assert path == Path(Path(None, "page", "Query"), 0, None)
    assert (path.key, path.prev.key, path.prev.typename, path.as_list()) == (0, "page", "Query", ["page", 0])


def test_field_set_of_same_selection_is_cached(calls: list[Any]) -> None:
    executor, query_type, _, field_set = calls[0]
    _, item_type, _, expected = calls[1]
    details = field_set["page"]
    assert graphql_internals.collect_object_fields(executor, item_type, details) is expected
    assert [detail[0].node.name.value for detail in expected.values()] == ["name", "size"]
    assert query_type.name == "Query"


def test_arguments_are_coerced_from_variables(calls: list[Any]) -> None:
    executor, query_type, _, field_set = calls[0]
    values = graphql_internals.argument_values(executor, query_type.fields["page"], field_set["page"])
    assert values == {"first": 3, "after": None}


def test_row_attribute_is_known_for_fields_without_resolver(calls: list[Any]) -> None:
    fields = calls[1][1].fields
    assert graphql_internals.row_attribute(fields["name"]) == "name"
    assert graphql_internals.row_attribute(fields["label"]) is None


def test_awaitables_are_recognized() -> None:
    async def nothing() -> None: ...

    coroutine: Any = nothing()
    is_recognized: bool = graphql_internals.is_awaitable(coroutine)
    coroutine.close()
    assert is_recognized
    assert not graphql_internals.is_awaitable([coroutine])


def test_async_helpers_gather() -> None:
    async def gather() -> list[int]:
        values = [asyncio.sleep(0, number) for number in range(2)]
        return list(await graphql_internals.ASYNC_HELPERS.gather(values))

    assert asyncio.run(gather()) == [0, 1]


def test_resolvers_get_the_replaced_async_helpers() -> None:
    helpers = []

    @strawberry.type
    class Root:
        @strawberry.field
        def number(self, info: strawberry.Info) -> int:
            helpers.append(info._raw_info.async_helpers)
            return 1

    context = SimpleNamespace(budget=ResponseBudget(100, 10))
    root_schema = strawberry.Schema(Root)._schema
    result: Any = execute(root_schema, parse("{ number }"), context_value=context, executor_class=ReferenceExecutor)
    assert result.data == {"number": 1}
    assert helpers == [graphql_internals.ASYNC_HELPERS]


def test_schema_has_the_executable_schema() -> None:
    assert schema.graphql_schema.query_type is not None
    assert schema.graphql_schema.query_type.name == "Query"


def test_schema_hook_changes_fields() -> None:
    class WithoutSize(strawberry_internals.ExtensibleSchema):
        def fields_of(self, python_type: type, fields: list[Any]) -> list[Any]:
            return [field for field in fields if not (python_type is Item and field.python_name == "size")]

    assert list(WithoutSize(Query).graphql_schema.type_map["Item"].fields) == ["name", "label"]  # type: ignore[attr-defined]


def test_resolver_function_is_known_for_fields() -> None:
    definition: Any = Item.__strawberry_definition__  # type: ignore[attr-defined]
    functions = {field.python_name: strawberry_internals.resolver_function(field) for field in definition.fields}
    assert functions["name"] is None
    assert functions["label"].__name__ == "label"  # type: ignore[union-attr]


def test_field_metadata_is_known_for_fields() -> None:
    @strawberry.type
    class Root:
        plain: str = ""
        sized: str = strawberry.field(default="", metadata={"size": 3})

    fields = cast("GraphQLObjectType", strawberry.Schema(Root)._schema.query_type).fields
    assert strawberry_internals.field_metadata(fields["sized"]) == {"size": 3}
    assert strawberry_internals.field_metadata(fields["plain"]) == {}


def test_payload_type_is_unwrapped_from_nullable_fields() -> None:
    @strawberry.type
    class Root:
        @strawberry.field
        def item(self) -> Item:
            raise NotImplementedError

        @strawberry.field
        def maybe(self) -> Item | None:
            raise NotImplementedError

    definition: Any = Root.__strawberry_definition__  # type: ignore[attr-defined]
    assert [strawberry_internals.payload_type(field) for field in definition.fields] == [Item, Item]


def test_enum_value_descriptions_reach_the_schema() -> None:
    class Size(enum.StrEnum):
        SMALL = "small"

    expose_enum(Size, "Size.", SMALL="Fits into a box.")

    @strawberry.type
    class Root:
        size: Size

    graphql_type: Any = strawberry.Schema(Root)._schema.type_map["Size"]
    assert graphql_type.values["SMALL"].description == "Fits into a box."


def test_input_validation_rules_match_strawberry() -> None:
    names = [rule.__name__ for rule in strawberry_internals.INPUT_VALIDATION_RULES]
    assert names == ["MaybeNullValidationRule", "OneOfInputValidationRule"]
    assert validate(schema.graphql_schema, parse("{ __typename }"), strawberry_internals.INPUT_VALIDATION_RULES) == []


def test_literal_rule_checks_whole_values() -> None:
    """The method that we override checks a value with all its parts, and nothing else checks them."""
    parameters = list(inspect.signature(ValuesOfCorrectTypeRule.is_valid_value_node).parameters)
    assert parameters == ["self", "node", "input_type"]
    document = parse('{ courses(filter: {minPrice: ["x"], isFree: 1}) { totalCount } }')
    for rule in (ValuesOfCorrectTypeRule, LocatedValuesOfCorrectTypeRule):
        assert len(validate(schema.graphql_schema, document, [rule])) == 2


def test_camel_case_matches_schema() -> None:
    assert strawberry_internals.to_camel_case("full_name") == "fullName"


def test_schema_types_can_be_changed_after_building() -> None:
    types = [kind for kind in schema.graphql_schema.type_map.values() if not kind.name.startswith("__")]
    inputs: list[Any] = []
    for graphql_type in types:
        if isinstance(graphql_type, GraphQLObjectType):
            assert graphql_type.is_type_of is None
            inputs += [argument for field in graphql_type.fields.values() for argument in field.args.values()]
        elif isinstance(graphql_type, GraphQLInputObjectType):
            inputs += graphql_type.fields.values()
    assert inputs
    assert all(graphql_input.default_value is not None for graphql_input in inputs)
    assert GraphQLArgument(GraphQLInt).default_value is Undefined
    assert GraphQLString.coerce_output_value("text") == "text"


@pytest.mark.slow
def test_standard_executor_does_not_import_fast_executor() -> None:
    script = (
        "import sys; from lms_graphql import app, settings; "
        "app.GraphQLView(app.schema.graphql_schema, None, settings.Settings(executor='standard'), None, None); "
        "print(sorted(name for name in sys.modules if name.startswith('lms_graphql.graph.execution')))"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "operation_runner" in printed
    assert "graphql_internals" not in printed
    assert "executor" not in printed


def test_one_of_inputs_are_marked_in_the_sdl() -> None:
    printed = print_sdl(schema)
    assert "input QuestionInput @oneOf {" in printed
    assert printed.count("@oneOf {") == 2
