"""Inputs of updates, where a field left out is something else than null."""

from dataclasses import fields
from typing import Any

import strawberry


def provided_fields(input: Any) -> dict[str, Any]:
    """The fields of an input that were given, null included, by their names."""
    said = ((field.name, getattr(input, field.name)) for field in fields(input))
    return {name: value.value for name, value in said if isinstance(value, strawberry.Some)}
