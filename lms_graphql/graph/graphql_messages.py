"""Patterns for graphql-core's English error messages, which have no codes.

graphql-core repeats what the client sent. A value may be a password, so it is removed before the message leaves.
`tests/graph/test_graphql_messages.py` compares each pattern with the messages of the installed release.
"""

import re

from graphql import GraphQLSyntaxError

_FOUND_VALUE = re.compile(
    r"[,;.] [Ff]ound: .*"
    r"|(?<=value): (?!Int |Float |String |Boolean |ID |Enum |Expected |Within |Give |This value does not exist).*",
    re.DOTALL,
)
"""The value at the end of a message. A nested message after `value: ` stays: its own value is removed instead."""
_FOUND_AFTER_SUGGESTION = re.compile(r"(?<=\?) Found: .*", re.DOTALL)
_ENUM_VALUE = re.compile(r"Value '.*?' does not exist", re.DOTALL)
_CAUSE = re.compile(r"[;,]? ?but encountered error:? .*", re.DOTALL)
_SUGGESTION = re.compile(r" Did you mean .*", re.DOTALL)
_TOKEN_VALUE = re.compile(r"(String|BlockString|Int|Float) .*?(?=\.$|, found|$)", re.DOTALL)
_NULL = re.compile(r"Cannot return null for non-nullable field ")
_TOO_MANY_TOKENS = "Document contains more than"


def without_values(message: str) -> str:
    """Return the message of a validation or variable error without the values that it repeats."""
    message = _FOUND_AFTER_SUGGESTION.sub("", _CAUSE.sub(".", message))
    return _FOUND_VALUE.sub(".", _ENUM_VALUE.sub("This value does not exist", message))


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
