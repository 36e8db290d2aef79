"""Messages of the installed graphql-core, which our code reads. An upgrade that changes one fails here.

Each case has the message of graphql-core and the message that clients receive. The text `secret` stands for a value
that the client sent. No message may repeat it.
"""

from typing import Any

import pytest
from graphql import (
    GraphQLScalarType,
    GraphQLSyntaxError,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from lms_graphql.graph import error_formatting, graphql_messages

pytestmark = pytest.mark.sqlite_only

SCHEMA = build_schema(
    """
    enum Color { RED GREEN }
    scalar Date
    input Box { size: Int!, color: Color }
    input Choice @oneOf { first: Int, second: String }
    type Query {
      field(
        int: Int, text: String, flag: Boolean, float: Float, id: ID, color: Color, box: Box, choice: Choice
        date: Date, list: [Int], required: Int! = 1
      ): String
      required: Required
    }
    type Required { name: String! }
    """
)


def reject_date(value: Any) -> Any:
    raise ValueError(f"bad {value}")


date = SCHEMA.type_map["Date"]
assert isinstance(date, GraphQLScalarType)
date.coerce_input_value = reject_date

ONE_OF = (
    "Within OneOf Input Object type 'Choice', exactly one field must be specified,"
    " and the value for that field must be non-null."
)
LITERALS = [
    ('int: "secret"', 'Int cannot represent non-integer value: "secret"', "Int cannot represent non-integer value."),
    (
        "int: 98765432100",
        "Int cannot represent non 32-bit signed integer value: 98765432100",
        "Int cannot represent non 32-bit signed integer value.",
    ),
    (
        "text: secret",
        "String cannot represent a non string value: secret",
        "String cannot represent a non string value.",
    ),
    (
        'flag: "secret"',
        'Boolean cannot represent a non boolean value: "secret"',
        "Boolean cannot represent a non boolean value.",
    ),
    (
        'float: "secret"',
        'Float cannot represent non numeric value: "secret"',
        "Float cannot represent non numeric value.",
    ),
    (
        'id: {a: "secret"}',
        'ID cannot represent a non-string and non-integer value: { a: "secret" }',
        "ID cannot represent a non-string and non-integer value.",
    ),
    (
        "color: secret",
        "Value 'secret' does not exist in 'Color' enum.",
        "This value does not exist in 'Color' enum. Use one of the names that the schema lists.",
    ),
    (
        'color: "secret"',
        "Enum 'Color' cannot represent non-enum value: \"secret\".",
        "Enum 'Color' cannot represent non-enum value. Write one of its names without quotes.",
    ),
    (
        "required: null",
        "Expected value of non-null type 'Int!' not to be None.",
        "Expected value of non-null type 'Int!' not to be null.",
    ),
    (
        'box: "secret"',
        "Expected value of type 'Box' to be an object, found: \"secret\".",
        "Expected value of type 'Box' to be an object.",
    ),
    (
        'box: {text: "secret"}',
        "Expected value of type 'Box' to include required field 'size', found: { text: \"secret\" }.",
        "Expected value of type 'Box' to include required field 'size'.",
    ),
    (
        'box: {size: 1, text: "secret"}',
        "Expected value of type 'Box' not to include unknown field 'text', found: { size: 1, text: \"secret\" }.",
        "Expected value of type 'Box' not to include unknown field 'text'.",
    ),
    (
        'box: {size: 1, sized: "secret"}',
        "Expected value of type 'Box' not to include unknown field 'sized'. Did you mean 'size'?"
        ' Found: { size: 1, sized: "secret" }.',
        "Expected value of type 'Box' not to include unknown field 'sized'. Did you mean 'size'?",
    ),
    (
        'date: "secret"',
        "Expected value of type 'Date', but encountered error 'bad secret'; found: \"secret\".",
        "Expected value of type 'Date'.",
    ),
]
VARIABLES: list[tuple[str, str, Any, str, str]] = [
    (
        "Int",
        "int",
        "secret",
        "Variable '$v' has invalid value: Int cannot represent non-integer value: 'secret'",
        "Variable '$v' has invalid value: Int cannot represent non-integer value.",
    ),
    (
        "[Int]",
        "list",
        ["secret"],
        "Variable '$v' has invalid value at [0]: Int cannot represent non-integer value: 'secret'",
        "Variable '$v' has invalid value at [0]: Int cannot represent non-integer value.",
    ),
    (
        "Color",
        "color",
        "secret",
        "Variable '$v' has invalid value: Value 'secret' does not exist in 'Color' enum.",
        "Variable '$v' has invalid value: This value does not exist in 'Color' enum."
        " Use one of the names that the schema lists.",
    ),
    (
        "Color",
        "color",
        "secret' does not exist in 'Color' enum. secret",
        "Variable '$v' has invalid value: Value 'secret' does not exist in 'Color' enum. secret'"
        " does not exist in 'Color' enum.",
        "Variable '$v' has invalid value: This value does not exist in 'Color' enum."
        " Use one of the names that the schema lists.",
    ),
    (
        "Color",
        "color",
        "redsecret",
        "Variable '$v' has invalid value: Value 'redsecret' does not exist in 'Color' enum.",
        "Variable '$v' has invalid value: This value does not exist in 'Color' enum."
        " Use one of the names that the schema lists.",
    ),
    (
        "Color",
        "color",
        ["secret"],
        "Variable '$v' has invalid value: Enum 'Color' cannot represent non-string value: ['secret'].",
        "Variable '$v' has invalid value: Enum 'Color' cannot represent non-string value."
        " Send one of its names as a string.",
    ),
    (
        "Box",
        "box",
        {"size": 1, "color": "rede"},
        "Variable '$v' has invalid value at .color: Value 'rede' does not exist in 'Color' enum."
        " Did you mean the enum value 'RED'?",
        "Variable '$v' has invalid value at .color: This value does not exist in 'Color' enum."
        " Did you mean the enum value 'RED'?",
    ),
    (
        "ID",
        "id",
        {"a": "secret"},
        "Variable '$v' has invalid value: ID cannot represent value: {'a': 'secret'}",
        "Variable '$v' has invalid value: ID cannot represent a non-string and non-integer value.",
    ),
    (
        "Box",
        "box",
        {"size": None},
        "Variable '$v' has invalid value at .size: Expected value of non-null type 'Int!' not to be None.",
        "Variable '$v' has invalid value at .size: Expected value of non-null type 'Int!' not to be null.",
    ),
    (
        "Box",
        "box",
        {"size": 1, "sized": "secret"},
        "Variable '$v' has invalid value: Expected value of type 'Box' not to include unknown field 'sized'."
        " Did you mean 'size'? Found: {'size': 1, 'sized': 'secret'}.",
        "Variable '$v' has invalid value: Expected value of type 'Box' not to include unknown field 'sized'."
        " Did you mean 'size'?",
    ),
    (
        "Choice",
        "choice",
        {"first": 1, "second": "secret"},
        f"Variable '$v' has invalid value: {ONE_OF}",
        f"Variable '$v' has invalid value: {ONE_OF}",
    ),
    (
        "Date",
        "date",
        "secret",
        "Variable '$v' has invalid value: Expected value of type 'Date', but encountered error 'bad secret';"
        " found: 'secret'.",
        "Variable '$v' has invalid value: Expected value of type 'Date'.",
    ),
]
SYNTAX = [
    ('{ field "secret" }', "Syntax Error: Expected Name, found String 'secret'.", "Expected Name, found String."),
    (
        '{ field """secret""" }',
        "Syntax Error: Expected Name, found BlockString 'secret'.",
        "Expected Name, found BlockString.",
    ),
    ("98765", "Syntax Error: Unexpected Int '98765'.", "Unexpected Int."),
    ("{ field 98.765 }", "Syntax Error: Expected Name, found Float '98.765'.", "Expected Name, found Float."),
    ('query "secret" { field }', "Syntax Error: Expected '{', found String 'secret'.", "Expected '{', found String."),
]
SUGGESTIONS = [
    ("{ fild }", "Cannot query field 'fild' on type 'Query'. Did you mean 'field'?"),
    ("{ field(in: 1) }", "Unknown argument 'in' on field 'Query.field'. Did you mean 'id' or 'int'?"),
    ("{ field(color: REDD) }", "Value 'REDD' does not exist in 'Color' enum. Did you mean the enum value 'RED'?"),
    (
        "{ required }",
        "Field 'required' of type 'Required' must have a selection of subfields. Did you mean 'required { ... }'?",
    ),
]


@pytest.mark.parametrize(("arguments", "message", "formatted"), LITERALS)
def test_validation_error_repeats_no_value(arguments: str, message: str, formatted: str) -> None:
    errors = validate(SCHEMA, parse(f"{{ field({arguments}) }}"))
    (error,) = (error for error in errors if error.message == message)
    assert error_formatting.from_validation_error(error).message == formatted
    assert "secret" not in formatted


@pytest.mark.parametrize(("input_type", "argument", "value", "message", "formatted"), VARIABLES)
def test_variable_error_repeats_no_value(
    input_type: str, argument: str, value: Any, message: str, formatted: str
) -> None:
    document = parse(f"query ($v: {input_type}) {{ field({argument}: $v) }}")
    (error,) = execute_sync(SCHEMA, document, variable_values={"v": value}).errors or []
    assert error.message == message
    assert error_formatting.from_variable_error(error).message == formatted
    assert "secret" not in formatted


def test_argument_error_says_what_is_wrong() -> None:
    document = parse("query ($v: Int = 1) { field(required: $v) }")
    (error,) = execute_sync(SCHEMA, document, variable_values={"v": None}).errors or []
    problem = (
        "Argument 'required' has invalid value: Expected variable '$v' provided to non-null type 'Int!' not to be"
    )
    assert error.message == f"{problem} None."
    assert error_formatting.from_field_error(error).message == f"{problem} null."


@pytest.mark.parametrize(("document", "message", "formatted"), SYNTAX)
def test_syntax_error_repeats_no_token(document: str, message: str, formatted: str) -> None:
    with pytest.raises(GraphQLSyntaxError) as raised:
        parse(document)
    assert raised.value.message == message
    assert error_formatting.from_syntax_error(raised.value).message == f"Syntax Error: {formatted}"


@pytest.mark.parametrize(("document", "message"), SUGGESTIONS)
def test_suggestion_is_removed(document: str, message: str) -> None:
    (error,) = validate(SCHEMA, parse(document))
    assert error.message == message
    assert graphql_messages.without_suggestion(message) == message.split(" Did you mean", maxsplit=1)[0]


def test_token_limit_error_is_recognized() -> None:
    with pytest.raises(GraphQLSyntaxError) as raised:
        parse("{ a b c d e }", max_tokens=3)
    assert graphql_messages.is_token_limit_error(raised.value)


def test_null_error_is_recognized() -> None:
    result = execute_sync(SCHEMA, parse("{ required { name } }"), {"required": {"name": None}})
    (error,) = result.errors or []
    assert error.message == "Cannot return null for non-nullable field Required.name."
    assert error.original_error is not None
    assert graphql_messages.is_null_error(error.original_error)
