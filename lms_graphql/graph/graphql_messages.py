"""Patterns for graphql-core's English error messages, which have no codes.

graphql-core repeats what the client sent. A value may be a password, so it is removed before the message leaves.
`tests/graph/test_graphql_messages.py` compares each pattern with the messages of the installed release.
"""

import re

from graphql import GraphQLSyntaxError

_FOUND_VALUE = re.compile(r"[,;.] [Ff]ound: .*|(?<=value): .*", re.DOTALL)
"""The value at the end of a message."""
_FOUND_AFTER_SUGGESTION = re.compile(r"(?<=\?) Found: .*", re.DOTALL)
_PLACE = re.compile(r"(?:Variable '\$\w+'|Argument '\w+') has invalid (?:default )?value(?: at [\w.\[\]]+)?: ")
"""The beginning of a message about a variable or an argument, before what is wrong with its value."""
_UNKNOWN_ENUM_VALUE = re.compile(r"Value '.*' does not exist in '(\w+)' enum\.( Did you mean .*)?\Z", re.DOTALL)
_NOT_AN_ENUM_VALUE = re.compile(r"Enum '(\w+)' cannot represent non-(enum|string) value: .*", re.DOTALL)
_ENUM_HINTS = {"enum": "Write one of its names without quotes.", "string": "Send one of its names as a string."}
"""How to write a value of an enum: in a document, and in a variable."""
_CAUSE = re.compile(r"[;,]? ?but encountered error:? .*", re.DOTALL)
_SUGGESTION = re.compile(r" Did you mean .*", re.DOTALL)
_TOKEN_VALUE = re.compile(r"(String|BlockString|Int|Float) .*?(?=\.$|, found|$)", re.DOTALL)
_NULL = re.compile(r"Cannot return null for non-nullable field ")
_TOO_MANY_TOKENS = "Document contains more than"


def without_values(message: str) -> str:
    """Return the message of a validation or variable error without the values that it repeats.

    It still says what is wrong and, for a variable, in which part of it.
    """
    place = _PLACE.match(message)
    start = place.end() if place is not None else 0
    return message[:start] + _without_value(message[start:])


def _without_value(message: str) -> str:
    if (match := _UNKNOWN_ENUM_VALUE.match(message)) is not None:
        hint = match[2] or " Use one of the names that the schema lists."
        return f"This value does not exist in '{match[1]}' enum.{hint}"
    if (match := _NOT_AN_ENUM_VALUE.match(message)) is not None:
        return f"Enum '{match[1]}' cannot represent non-{match[2]} value. {_ENUM_HINTS[match[2]]}"
    message = message.replace(" not to be None.", " not to be null.")  # graphql-core is written in Python
    message = message.replace("ID cannot represent value:", "ID cannot represent a non-string and non-integer value:")
    return _FOUND_VALUE.sub(".", _FOUND_AFTER_SUGGESTION.sub("", _CAUSE.sub(".", message)))


def without_token_values(message: str) -> str:
    """Return the message of a syntax error without the values of tokens."""
    return _TOKEN_VALUE.sub(r"\1", message)


def without_suggestion(message: str) -> str:
    """Return the message of a validation error without names from the schema that resemble the wrong one."""
    return _SUGGESTION.sub("", message)


def is_token_limit_error(error: GraphQLSyntaxError) -> bool:
    return _TOO_MANY_TOKENS in error.message


def is_null_error(error: BaseException) -> bool:
    """Return whether a resolver returned null for a field that cannot be null."""
    return isinstance(error, TypeError) and _NULL.match(str(error)) is not None
