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
from graphql.execution import Executor, VariableValues, get_variable_values

import lms_graphql
from lms_graphql.app import document_limits
from lms_graphql.graph.documents import DocumentCache
from lms_graphql.graph.execution import graphql_internals
from lms_graphql.graph.execution.executor import ReferenceExecutor
from lms_graphql.graph.execution.graphql_internals import Path, StrawberryExecutor
from lms_graphql.graph.execution.response_budget import ResponseBudget
from lms_graphql.graph.literal_validation import LocatedValuesOfCorrectTypeRule
from lms_graphql.graph.schema import strawberry_internals
from lms_graphql.graph.schema.builder import print_sdl
from lms_graphql.graph.schema.fields import expose_enum
from lms_graphql.schema import schema
from lms_graphql.settings import Settings

OVERRIDDEN = {
    "execute_fields": ["parent_type", "source_value", "path", "grouped_field_set", "position_context"],
    "handle_field_error": ["raw_error", "return_type", "field_details_list", "path"],
    "complete_leaf_value": ["return_type", "result"],
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
    standard_parameters = [name for name in inspect.signature(standard).parameters if name != "self"]
    assert standard_parameters == OVERRIDDEN[method]
    assert list(inspect.signature(overriding).parameters) == ["self", *OVERRIDDEN[method]]


def test_executor_has_expected_attributes(calls: list[Any]) -> None:
    executor = calls[0][0]
    assert isinstance(executor, Executor)
    assert executor.is_awaitable(1) is False
    assert type(executor.async_helpers) is type(graphql_internals.ASYNC_HELPERS)


def test_strawberry_info_has_plain_variables(calls: list[Any]) -> None:
    executor, query_type, _, field_set = calls[0]
    nodes = [details.node for details in field_set["page"]]
    info = executor.build_resolve_info(query_type.fields["page"], nodes, query_type, Path(None, "page", "Query"))
    assert info.variable_values == {"n": 3}
    assert info.context is executor.context_value


def test_field_set_of_same_selection_is_cached(calls: list[Any]) -> None:
    executor, _, _, field_set = calls[0]
    _, item_type, path, expected = calls[1]
    assert path == Path(Path(None, "page", "Query"), 0, None)
    assert executor.collect_subfields(item_type, field_set["page"])[0] is expected


def test_fields_are_collected_for_the_values_of_conditions() -> None:
    text = "query ($yes: Boolean!) { page(first: 1) { ...F size @skip(if: $yes) } } fragment F on Item { name }"
    small_schema = strawberry.Schema(Query)._schema
    operation = DocumentCache(small_schema, document_limits(Settings())).prepare(text).operation(None)
    assert operation.condition_variables == ("yes",)
    names = {}
    for yes in (True, False):
        values = get_variable_values(small_schema, operation.definition.variable_definitions or (), {"yes": yes})
        assert isinstance(values, VariableValues)
        collector = graphql_internals.FieldCollector(small_schema, operation, values)
        root_fields = collector.root_fields(cast("GraphQLObjectType", small_schema.query_type))
        item_type = cast("GraphQLObjectType", small_schema.type_map["Item"])
        names[yes] = list(collector.object_fields(item_type, root_fields["page"]))
    assert names == {True: ["name"], False: ["name", "size"]}


def test_plain_resolver_is_known_for_fields_without_arguments() -> None:
    types = strawberry.Schema(Query)._schema.type_map
    item_fields, query_fields = (cast("GraphQLObjectType", types[name]).fields for name in ("Item", "Query"))
    function, takes_info = graphql_internals.plain_resolver(item_fields["label"])
    assert function is not None
    assert function(Item(name="box", size=3)) == "box 3"
    assert not takes_info
    assert graphql_internals.plain_resolver(query_fields["page"]) == (None, False)
    lecture_fields = cast("GraphQLObjectType", schema.graphql_schema.type_map["Lecture"]).fields
    assert graphql_internals.plain_resolver(lecture_fields["section"])[1]
    user_fields = cast("GraphQLObjectType", schema.graphql_schema.type_map["User"]).fields
    assert graphql_internals.plain_resolver(user_fields["email"]) == (None, False), "it has a permission"


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
def test_standard_executor_does_not_import_the_others() -> None:
    script = (
        "import sys; from lms_graphql import app, settings; "
        "chosen = settings.Settings(executor='standard'); "
        "app.GraphQLView(app.schema.graphql_schema, None, chosen, None, None, None, None); "
        "print(sorted(name for name in sys.modules if name.startswith('lms_graphql.graph.execution')))"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "operation_runner" in printed
    for module in ("graphql_internals", "execution.executor", "query_plan", "plan_runner"):
        assert module not in printed


def test_one_of_inputs_are_marked_in_the_sdl() -> None:
    printed = print_sdl(schema)
    assert "input QuestionInput @oneOf {" in printed
    assert printed.count("@oneOf {") == 2
